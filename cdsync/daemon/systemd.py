"""What the service manager is told (sd_notify(3)); without one, nothing is told to anybody."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

LONGEST_STATUS = 200


class Systemd:
    """Speaks to the service manager that started this process, if one did."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._status = ""
        self.watchdog = _watchdog(environment) if self._address else None
        """Seconds within which a sign of life is expected; None when none is."""

    def ready(self) -> None:
        """The service is up, or has read its configuration again."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """The configuration is read again, from now until `ready`."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The service comes to its end."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The service gets on."""
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line about how things stand, for `systemctl status`."""
        line = " ".join(text.split())[:LONGEST_STATUS]
        if line != self._status:
            self._status = line
            self._tell(f"STATUS={line}")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        # A name that starts with @ is one of the kernel's own, and no file.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.setblocking(False)
            channel.sendto(message.encode(), address)


def _watchdog(environment: Mapping[str, str]) -> float | None:
    """What the service manager expects of this very process."""
    try:
        expected = int(environment.get("WATCHDOG_USEC", "0"))
        addressee = int(environment.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return expected / 1_000_000 if expected > 0 and addressee == os.getpid() else None
