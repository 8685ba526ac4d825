"""A place for what must leave nothing behind: own mounts and processes, an own control group, and a limit of time.

The kernel takes everything away when the first process of the place ends, however it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("unshare", "setpriv", "nsenter")
"""What it needs, all of util-linux."""

GROUP = "CDSYNC_TEST_GROUP"
"""The variable that carries the name of the control group."""


def run_enclosed(command: list[str], *, environment: Mapping[str, str], within: float) -> int:
    """Run a command to its end, at most so many seconds, and give its exit code; 124 when time ran out."""
    with _control_groups() as group:
        process = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL"),
                *("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc"),
                *command,
            ],
            env={**environment, GROUP: group},
            stdin=subprocess.DEVNULL,
        )
        try:
            return process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            return 124
        finally:
            _end(process)


def is_enclosed() -> bool:
    """Whether this process is the first of such a place, so that it may mount and boot what it likes."""
    return os.getpid() == 1 and GROUP in os.environ


def enter_group() -> None:
    """Move this process, and with it all that it starts from now on, into the control group of its place."""
    for folder in _hierarchies():
        (folder / os.environ[GROUP] / "cgroup.procs").write_text("0", encoding="ascii")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the first process of the place; what started it ends when, with it, all the others are gone."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if process.poll() is None:
        for child in map(int, children.read_text(encoding="ascii").split()):
            os.kill(child, signal.SIGKILL)
        process.wait()


@contextmanager
def _control_groups() -> Iterator[str]:
    """Make a control group wherever a container's systemd makes some; gone with all below it afterwards."""
    name = f"cdsync-test-{os.getpid()}"
    made = [folder / name for folder in _hierarchies()]
    try:
        for folder in made:
            folder.mkdir()
        yield name
    finally:
        for top in made:
            for path, _, _ in os.walk(top, topdown=False):
                Path(path).rmdir()


def _hierarchies() -> list[Path]:
    """Where this process stands in the unified hierarchy, and in systemd's own where there is one."""
    lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    standing = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines)}
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="ascii").splitlines():
        left, right = line.split(" - ")
        kind, _, options = right.split(" ")
        controllers = {"cgroup2": "", "cgroup": "name=systemd"}.get(kind)
        if controllers in standing and (not controllers or controllers in options.split(",")):
            found.append(Path(left.split(" ")[4]) / standing[controllers].lstrip("/"))
    return found
