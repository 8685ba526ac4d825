"""The folders and the state: whether they can be used by whoever runs this, and by nobody else."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from cdsync.core.findings import Finding, fail, ok, warn
from cdsync.errors import StoreError
from cdsync.render.lines import counted
from cdsync.settings import Settings
from cdsync.store import open_reader, state_holder

LITTLE_SPACE = 50 * 2**20
"""Bytes: below this a state that grows may soon not be written."""


def look_at_folders(settings: Settings) -> Iterator[Finding]:
    """The root, the folder of the state and that of results."""
    mode = settings.root.stat().st_mode
    if mode & stat.S_IWOTH:
        yield warn("folder", f"{settings.root} can be changed by everybody on this machine", "chmod o-w it")
    for what, folder in (("state", settings.state.parent), ("results", settings.results)):
        place = _nearest(folder)
        if not os.access(place, os.W_OK | os.X_OK, effective_ids=True):
            yield fail("folder", f"{place}, for the {what}, cannot be written", "check its owner and its mode")
        elif (free := shutil.disk_usage(place).free) < LITTLE_SPACE:
            yield warn("folder", f"{place}, for the {what}, has {free // 2**20} MiB left", "make room")
        else:
            yield ok("folder", f"{place}, for the {what}, can be written")


def _nearest(folder: Path) -> Path:
    """The folder, or what is there of the way to it."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def look_at_state(settings: Settings) -> Iterator[Finding]:
    """The state file: its mode, its contents, its version, and who holds it."""
    path = settings.state
    if not path.exists():
        yield warn(
            "state",
            f"{path} is not there: nothing was applied from here, or it is elsewhere",
            "on an account that is kept already, put the state back: CDSYNC_STATE says where it is",
        )
        return
    if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        yield warn("state", f"{path} has mode {mode:04o}, so others can read it", f"chmod 600 {path}")
    try:
        with open_reader(path) as store:
            owned, pending = store.owned(), store.pending()
    except StoreError as error:
        yield fail("state", str(error), error.remedy)
        return
    yield ok("state", f"{path} is whole: {counted(len(owned.resources), 'resource')} owned")
    if pending:
        count = counted(len(pending), "creation")
        yield warn("state", f"whether {count} took effect is not known", "the next apply looks for it first")
    holder = state_holder(path)
    yield ok("state", f"held by {holder}" if holder else "held by nobody")
