"""`make test-systemd`: the units under a real systemd, which is process 1 of a Debian made for it.

Needs root, for a container, and util-linux, systemd-container and mmdebstrap. Leaves behind nothing but its cache.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

from tests.systemd import enclosure

PROGRAMS = {"systemd-nspawn": "systemd-container", "mmdebstrap": "mmdebstrap"}
"""What else has to be here -> the Debian package that has it."""

PROMISES = sorted(Path(__file__).parent.glob("booted/*_promises.py"))
LIMIT = 900.0
"""Seconds for all of it, the making of the container and all downloads included."""


def obstacle() -> str | None:
    """Why this cannot run here; None when it can."""
    if os.geteuid() != 0:
        return "it boots a container, which only root may do"
    if absent := [name for name in enclosure.PROGRAMS if not shutil.which(name)]:
        return f"{', '.join(absent)} not found: apt-get install util-linux"
    if absent := [name for name in PROGRAMS if not shutil.which(name)]:
        packages = " ".join(PROGRAMS[name] for name in absent)
        return f"{', '.join(absent)} not found: apt-get install {packages}"
    return None


def main() -> None:
    """Run the tests in the container, and end with their exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for all of it [%(default)s]")
    parser.add_argument("pytest", nargs="*", help="more arguments for pytest, after --")
    options = parser.parse_args()
    if reason := obstacle():
        sys.exit(f"make test-systemd cannot run: {reason}")
    # So that what is to be left behind as it was, is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    command = [sys.executable, "-m", "pytest", "-q", "--durations=5", *options.pytest, *map(str, PROMISES)]
    code = enclosure.run_enclosed(command, environment=os.environ, within=options.limit)
    if code == 124:
        print(f"make test-systemd was ended after {options.limit:.0f} seconds", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
