"""What the service manager hears."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdsync.daemon.systemd import LONGEST_STATUS, Systemd


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's end of the line; its address is its name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(10)
        yield channel


def heard(channel: socket.socket) -> str:
    """The next message."""
    return channel.recv(4096).decode()


def test_each_turn_of_its_life_is_told(manager: socket.socket) -> None:
    """As sd_notify(3) has it; a reload carries the monotonic time that Type=notify-reload asks for."""
    systemd = Systemd({"NOTIFY_SOCKET": manager.getsockname()})
    systemd.ready()
    systemd.reloading()
    systemd.alive()
    systemd.stopping()

    assert heard(manager) == "READY=1"
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=[0-9]+", heard(manager))
    assert heard(manager) == "WATCHDOG=1"
    assert heard(manager) == "STOPPING=1"


def test_a_status_is_one_line_and_told_when_it_changes(manager: socket.socket) -> None:
    """Whatever a message holds."""
    systemd = Systemd({"NOTIFY_SOCKET": manager.getsockname()})
    systemd.status("one\ntwo")
    systemd.status("one two")
    systemd.status("x" * 1000)

    assert heard(manager) == "STATUS=one two"
    assert heard(manager) == "STATUS=" + "x" * LONGEST_STATUS


def test_a_name_of_the_kernels_own_is_found() -> None:
    """Containers get an abstract socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        name = f"cdsync-test-{os.getpid()}"
        channel.bind(f"\0{name}")
        channel.settimeout(10)
        Systemd({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert heard(channel) == "READY=1"


def test_without_a_service_manager_nothing_is_told(tmp_path: Path) -> None:
    """And one that has gone away is no trouble."""
    Systemd({}).ready()
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_a_watchdog_is_fed_when_it_is_meant_for_us(environment: dict[str, str], expected: float | None) -> None:
    """By this very process, in the time that it expects."""
    assert Systemd({"NOTIFY_SOCKET": "/run/notify", **environment}).watchdog == expected
    assert Systemd(environment).watchdog is None
