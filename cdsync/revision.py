"""Which commit the declaration is at, for history and logs; a folder outside git has none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cdsync.errors import CdsyncError

PATIENCE = 5.0
"""Seconds that git may take to say so."""

COMMIT = ("rev-parse", "HEAD")


def revision_of(root: Path) -> str | None:
    """The full commit id of a folder in a git work tree, with `-dirty` for uncommitted changes below it."""
    if not _may_be_in_a_work_tree(root):
        return None
    commit = _git(root, *COMMIT)
    if commit is None:
        return None
    changes = _git(root, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    return f"{commit}-dirty" if changes else commit


def _may_be_in_a_work_tree(root: Path) -> bool:
    """Whether git has to be asked: to start a process only to hear "no" costs as much as the rest of a small pass."""
    found = root.resolve()
    return "GIT_DIR" in os.environ or any(os.path.lexists(folder / ".git") for folder in (found, *found.parents))


def why_no_revision(root: Path) -> str | None:
    """What git says when it gives no revision of a folder; None when it gives one."""
    try:
        done = _run(root, *COMMIT)
    except (OSError, subprocess.SubprocessError) as error:
        return f"git cannot be run: {error}"
    return None if done.returncode == 0 else done.stderr.strip().partition("\n")[0]


def git_version() -> str | None:
    """What the git program calls itself; None when there is none."""
    return _git(Path(), "--version")


def ask_git(root: Path, *arguments: str, patience: float) -> str | None:
    """What git prints about a folder, within so many seconds; None where it says that it cannot.

    Raises:
        CdsyncError: there is no git, or it takes too long.
    """
    try:
        done = _run(root, *arguments, patience=patience)
    except (OSError, subprocess.SubprocessError) as error:
        raise CdsyncError(f"git cannot be asked: {error}", remedy="install git, or do without it") from error
    return done.stdout if done.returncode == 0 else None


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = _run(root, *arguments)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _run(root: Path, *arguments: str, patience: float = PATIENCE) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(root), "--no-optional-locks", *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=patience, check=False)  # noqa: S603 # fixed words, our own root, and commits that are no options
