"""A commit -> what it declares, under the settings of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from cdsync.config import Configuration, SnapshotFiles, load_from, read_root
from cdsync.errors import CommitRefused, ConfigError, Problem
from cdsync.gitsource.copy import Copy
from cdsync.gitsource.tree import Folder, read_blobs, read_folder
from cdsync.settings import Settings

_SETTINGS_FILE = "cdsync.yaml"


async def read_declaration(copy: Copy, commit: str, *, path: str, settings: Settings, now: datetime) -> Configuration:
    """Read what a folder of a commit declares.

    Only what may matter is brought: the YAML files, then the files of inputs that they name. Parsing has a thread of
    its own. What is wrong is told with the path in the commit, which an editor of the whole repository finds.

    Raises:
        ConfigError: something in it is wrong; carries every problem.
        GitDamaged: the copy does not hold it whole.
        CommitRefused: there is no such folder, or no YAML file in it.
    """
    folder = await read_folder(copy, commit, path)
    try:
        found = await _read(copy, commit, folder, path=path, settings=settings, now=now)
    except ConfigError as error:
        raise ConfigError(_below(folder, error.problems)) from error
    return replace(found, warnings=_below(folder, found.warnings))


def _below(folder: Folder, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """What is wrong in a folder, as its files are called from the top of the repository."""
    return tuple(replace(problem, file="/".join((*folder.above, problem.file))) for problem in problems)


async def _read(
    copy: Copy, commit: str, folder: Folder, *, path: str, settings: Settings, now: datetime
) -> Configuration:
    files = SnapshotFiles(folder.items, above=folder.above)
    found, problems = files.yaml_files()
    if not found and not problems:
        # A wrong folder is never taken for an empty declaration, which would remove everything.
        raise CommitRefused(
            f"commit {commit[:12]} has no YAML file in {path!r}",
            remedy="let daemon.git.path name the folder of the declaration",
        )
    await _bring(copy, folder, files, [*found, _SETTINGS_FILE])
    reading = await asyncio.to_thread(read_root, files)
    await _bring(copy, folder, files, reading.named)
    return await asyncio.to_thread(load_from, reading, settings=settings, now=now)


async def _bring(copy: Copy, folder: Folder, files: SnapshotFiles, wanted: Iterable[str]) -> None:
    sizes = {path: folder.items[path].size for path in files.sources(wanted)}
    files.add(await read_blobs(copy, folder.blobs, sizes))
