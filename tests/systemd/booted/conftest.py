"""The container of all tests here, and the units in it: fresh for each test, gone after it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.systemd import enclosure, image
from tests.systemd.machine import Machine, booted
from tests.systemd.service import Serve, Service

UNITS = image.HOUSE / "systemd"
INSTALL_WITHIN = 120.0


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A Debian that has booted, with cdsync installed as docs/operations.md says."""
    assert enclosure.is_enclosed(), "these tests mount and boot: run them with `make test-systemd`"
    enclosure.enter_group()
    workspace = tmp_path_factory.mktemp("container")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4G,mode=0755", "tmpfs", workspace], check=True)
    root, wheels = workspace / "root", workspace / "root/srv/wheels"
    root.mkdir()
    subprocess.run(["tar", "-C", root, "-xf", image.debian(workspace)], check=True)
    image.wheels(sys.executable, root, wheels)
    for unit in (*UNITS.glob("*.service"), *UNITS.glob("*.timer")):
        shutil.copy(unit, root / "etc/systemd/system")
    # What is noted there about containers goes with this one, and another run may have one of the same name.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    with booted(root, workspace / "console") as machine:
        machine.run("python3", "-m", "venv", "/opt/cdsync", within=INSTALL_WITHIN)
        pip = ["/opt/cdsync/bin/pip", "install", "--quiet", "--no-index", "--find-links=/srv/wheels"]
        machine.run(*pip, "cdsync", within=INSTALL_WITHIN)
        yield machine


@pytest.fixture
def serve(machine: Machine) -> Iterator[Serve]:
    """Makes a service of an account; afterwards all units are stopped, and nothing is left of what they had."""

    def make(url: str, account: str = "", *, key: str | None = None) -> Service:
        return Service(machine=machine, url=url, key=key or f"canary-{uuid4().hex}", account=account)

    yield make
    machine.run("systemctl", "stop", "cdsync*")
    machine.run("sh", "-c", "rm -rf /etc/cdsync /var/lib/cdsync /var/lib/private/cdsync /etc/systemd/system/cdsync*.d")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "reset-failed")
