"""The declaration as a git repository has it: a feed that looks at the remote and tells of new commits.

A remote that hangs must not hold up the passes that heal with the last good commit. While it does, only the watcher
asks it, once in each `daemon.git.poll`; whoever wants the latest is told so at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import suppress
from typing import TypeVar

from cdsync.assembly import Surroundings, git_source, settings_of
from cdsync.config import declares_anything
from cdsync.daemon.feed import Delivery
from cdsync.daemon.triggers import Cause
from cdsync.errors import CdsyncError, CommitRefused, ConfigError, GitTimedOut
from cdsync.gitsource import Declared, GitSource
from cdsync.logs import logger
from cdsync.settings import GitSettings, Settings

T = TypeVar("T")

_SETTINGS_FILE = "cdsync.yaml"


class GitFeed:
    """The repository that the settings of this machine name; they are read anew for each look.

    These settings alone decide about API, owner, policy, state and daemon. A `cdsync.yaml` of the repository is held to
    be valid and otherwise ignored, so that no commit can send the key elsewhere or lift a limit.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._turn = asyncio.Lock()
        self._source: tuple[GitSettings, GitSource] | None = None
        self._hangs: GitTimedOut | None = None
        self._failed = False
        self._looked_at = _now()
        self._told: set[str] = set()

    async def latest(self) -> Delivery:
        """Look at the remote, fetch what is new, and give what it declares.

        Raises:
            CdsyncError: it cannot be had, may not be followed, or (as ConfigError) is wrong.
        """
        settings = settings_of(self._around)
        source = self._source_of(settings)
        async with self._turn:
            if self._hangs is not None:
                raise self._hangs.with_traceback(None)
            found = await self._look(source.latest(settings, now=self._around.now()))
        return self._delivery(found)

    async def remembered(self) -> Delivery | None:
        """The last good commit of an earlier process, without asking the remote.

        Raises:
            CdsyncError: it cannot be read, or may not be followed by now.
        """
        settings = settings_of(self._around)
        async with self._turn:
            found = await self._source_of(settings).good(settings, now=self._around.now())
        return self._delivery(found) if found is not None else None

    async def changes(self) -> AsyncGenerator[Cause, None]:
        """Tell of each move of the ref, and of a remote that is back."""
        while True:
            settings = settings_of(self._around)
            source = self._source_of(settings)
            poll = source.git.poll.total_seconds()
            await asyncio.sleep(max(0.0, self._looked_at + poll - _now()))
            if self._looked_at + poll <= _now() and await self._is_to_be_told(source):
                yield Cause.COMMIT

    async def _is_to_be_told(self, source: GitSource) -> bool:
        async with self._turn:
            failed = self._failed
            with suppress(CdsyncError):  # Whoever wants the latest is told.
                return await self._look(source.moved()) or failed
        return False

    async def _look(self, looking: Awaitable[T]) -> T:
        try:
            found = await looking
        except CdsyncError as error:
            self._failed = not isinstance(error, ConfigError | CommitRefused)
            self._hangs = error if isinstance(error, GitTimedOut) else None
            raise
        else:
            self._failed, self._hangs = False, None
            return found
        finally:
            self._looked_at = _now()

    def _source_of(self, settings: Settings) -> GitSource:
        git = settings.daemon.git
        if git is None:
            raise CdsyncError(
                "daemon.git is gone from the settings, and this daemon takes its declaration from there",
                remedy="restart the daemon, or put it back",
            )
        if self._source is None or self._source[0] != git:
            self._source, self._hangs = (git, git_source(git, settings, self._around)), None
            if declares_anything(settings.root) and self._is_first("declaration"):
                logger().info("declaration.ignored", folder=str(settings.root), reason="daemon.git is set")
        return self._source[1]

    def _delivery(self, found: Declared) -> Delivery:
        if _SETTINGS_FILE in found.configuration.files and self._is_first("settings"):
            logger().info("settings.ignored", file=_SETTINGS_FILE, revision=found.commit, reason="the machine's win")
        return Delivery(configuration=found.configuration, revision=found.commit)

    def _is_first(self, what: str) -> bool:
        """Whether this was not told before; it counts as told from now on."""
        first = what not in self._told
        self._told.add(what)
        return first


def _now() -> float:
    return asyncio.get_running_loop().time()
