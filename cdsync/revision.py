"""Which commit the declaration is at, for history and logs; a folder outside git has none."""

from __future__ import annotations

import subprocess
from pathlib import Path

PATIENCE = 5.0
"""Seconds that git may take to say so."""


def revision_of(root: Path) -> str | None:
    """The full commit id of a folder in a git work tree, with `-dirty` for uncommitted changes below it."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git(root, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    return f"{commit}-dirty" if changes else commit


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)  # noqa: S603 # fixed words and our own root
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
