"""A booted Debian: systemd as process 1 of a container, commands run inside it, files laid into it from outside.

It is made inside the namespaces of `enclosure`, and ends with them.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BOOT_WITHIN = 60.0
"""Seconds."""

COMMAND_WITHIN = 60.0
"""Seconds that a command inside may take, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A container that is up. `root` is its file system as seen from outside, `leader` its process 1."""

    root: Path
    leader: int

    def command(self, *words: str) -> list[str]:
        """The command line, outside, of a command inside."""
        spaces = ("--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wd")
        environment = ("env", "-i", "PATH=/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8")
        return ["nsenter", f"--target={self.leader}", *spaces, "--", *environment, *words]

    def run(self, *words: str, code: int | None = 0, within: float = COMMAND_WITHIN) -> str:
        """Run a command inside to its end and give what it printed; it must end with `code`, None allows any."""
        done = subprocess.run(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=within,
            check=False,
        )
        assert code in {None, done.returncode}, f"{words} ended with {done.returncode}: {done.stdout}"
        return done.stdout

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file, owned by root, with its folders."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=mode)
        file.chmod(mode)
        file.write_text(text, encoding="utf-8")


@contextmanager
def booted(root: Path, log: Path) -> Iterator[Machine]:
    """Boot what lies at `root` for the duration of a `with` block; the console goes to `log`."""
    told = log.with_name("notify")
    command = [
        "systemd-nspawn",
        f"--directory={root}",
        "--boot",
        "--machine=cdsync-test",
        "--register=no",  # there need not be a systemd outside
        "--keep-unit",
        "--notify-ready=yes",
        "--resolv-conf=off",
    ]
    settings = {"NOTIFY_SOCKET": str(told), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    with log.open("wb") as console, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(told))
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT
        )
        try:
            leader = _leader(channel, log)
            # Nobody listens from now on; a channel that is full would bring the container's process 1 to a standstill.
            channel.close()
            yield Machine(root, leader)
        finally:
            process.kill()
            process.wait()


def _leader(channel: socket.socket, log: Path) -> int:
    """The number of the container's process 1, once it says that it is up."""
    channel.settimeout(BOOT_WITHIN)
    leader = None
    try:
        while True:
            message = channel.recv(4096).decode()
            if found := re.search(r"^X_NSPAWN_LEADER_PID=(\d+)$", message, re.MULTILINE):
                leader = int(found[1])
            if leader is not None and re.search(r"^READY=1$", message, re.MULTILINE):
                return leader
    except TimeoutError:
        console = log.read_text(encoding="utf-8", errors="replace")
        raise AssertionError(f"the container did not come up within {BOOT_WITHIN:.0f} seconds:\n{console}") from None
