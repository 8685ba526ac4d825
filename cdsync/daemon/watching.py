"""Changes below a folder, told soon after they have come to rest. What nobody declares is not looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from watchfiles import awatch

from cdsync.errors import CdsyncError

REST = 100
"""Milliseconds without a further change after which a change is told."""

LONGEST_UNREST = 2000
"""Milliseconds after which it is told all the same."""

WITHOUT = "changes are found by the next pass all the same"

LOOK = 5000
"""Milliseconds between two looks whether the folder is still the same."""


async def watch(root: Path) -> AsyncIterator[None]:
    """Tell of every change of files below a folder that may be part of a declaration.

    It ends, with a last telling, when another folder lies there or none: what is watched is a folder, not its name.

    Raises:
        CdsyncError: it cannot be watched.
    """
    if (watched := _identity(root)) is None:
        raise CdsyncError(f"{root} cannot be watched: it is not there", remedy=WITHOUT)
    try:
        changes = awatch(
            root,
            watch_filter=lambda _, path: is_part(Path(path), root),
            debounce=LONGEST_UNREST,
            step=REST,
            rust_timeout=LOOK,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )
        async with aclosing(changes):
            async for found in changes:
                replaced = _identity(root) != watched
                if found or replaced:
                    yield
                if replaced:
                    return
    except (OSError, RuntimeError) as error:
        raise CdsyncError(f"{root} cannot be watched: {error}", remedy=WITHOUT) from error


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_part(path: Path, root: Path) -> bool:
    """Whether a path may be part of the declaration: hidden files and folders are not, such as .git or the state's.

    Names that begin with two dots are: Kubernetes puts a whole folder in place of another by renaming `..data`.
    """
    try:
        parts = path.relative_to(root).parts
    except ValueError:
        return True
    return not any(part.startswith(".") and not part.startswith("..") for part in parts)
