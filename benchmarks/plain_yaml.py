"""The floor of reading: the C loader on every file. As a program, `python -m benchmarks.plain_yaml ROOT`."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml


def read_yaml(root: Path) -> None:
    """Read every file of a folder."""
    for path in sorted(root.glob("*.yaml")):
        yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


if __name__ == "__main__":
    read_yaml(Path(sys.argv[1]))
