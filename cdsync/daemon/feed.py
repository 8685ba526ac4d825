"""Where the declaration comes from: the seam, and its plainest form, a folder that somebody else keeps.

A feed gives a whole, valid declaration or an error; keeping the last good one is not its business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from cdsync.assembly import Surroundings, read_configuration
from cdsync.config import Configuration, unchanged
from cdsync.daemon.triggers import Cause
from cdsync.daemon.watching import watch
from cdsync.errors import CdsyncError
from cdsync.revision import revision_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One valid declaration, and the revision that it is of; a folder outside git has none.

    Its settings are those of the passes made with it; which state is opened and where the listener is, was decided at
    the start.
    """

    configuration: Configuration
    revision: str | None


class Feed(Protocol):
    """A source of declarations."""

    async def latest(self) -> Delivery:
        """Look at the source now, and give what it holds.

        Raises:
            CdsyncError: it cannot be read, or (as ConfigError) it is wrong.
        """

    async def remembered(self) -> Delivery | None:
        """What was last good before this process began, as far as the source remembers it; None if it does not.

        Raises:
            CdsyncError: it is remembered, and cannot be read.
        """

    def changes(self) -> AsyncIterator[Cause]:
        """Wait for changes of the source, and tell each; it may end or fail, and is then begun again."""


Read: TypeAlias = "Delivery | CdsyncError"
Aside: TypeAlias = Callable[[Callable[[], Read]], Awaitable[Read]]
"""Does work that would hold up the loop, elsewhere."""


REST = 0.2
"""Seconds between two looks at a folder that has just changed."""

LONGEST_KEPT = timedelta(days=1)

LOOKS = 10
"""How often a folder that keeps changing is looked at before it is taken as it is."""


class FolderFeed:
    """The config root itself, as it lies there.

    Whoever keeps it writes one file after the other. So what differs from before is looked at again a moment later, and
    only taken when it has come to rest: half of a change could be valid and mean something else.
    """

    def __init__(self, around: Surroundings, *, aside: Aside = asyncio.to_thread) -> None:
        self._around = around
        self._aside = aside
        self._known: object = None
        self._last: tuple[datetime, Delivery] | None = None

    async def latest(self) -> Delivery:
        """Read the whole root.

        Raises:
            CdsyncError: there is none, or (as ConfigError) something in it is wrong.
        """
        found = await self._aside(self._read)
        for _ in range(LOOKS):
            before = _identity(found)
            if self._known in {None, before}:
                break
            await asyncio.sleep(REST)
            found = await self._aside(self._read)
            if _identity(found) == before:
                break
        self._known = _identity(found)
        if isinstance(found, CdsyncError):
            raise found
        return found

    def _read(self) -> Delivery | CdsyncError:
        try:
            configuration = self._remembered() or read_configuration(self._around)
        except CdsyncError as error:
            return error
        delivery = Delivery(configuration=configuration, revision=revision_of(self._around.root))
        if self._last is None or self._last[1].configuration is not configuration:
            self._last = self._around.now(), delivery
        return delivery

    def _remembered(self) -> Configuration | None:
        """What the same files said before; read anew once a day, because its warnings look ahead from then."""
        if self._last is None or self._around.now() - self._last[0] > LONGEST_KEPT:
            return None
        configuration = self._last[1].configuration
        return configuration if unchanged(configuration, self._around.root) else None

    async def remembered(self) -> Delivery | None:
        """Nothing: a folder is only what it is now."""
        return None

    async def changes(self) -> AsyncIterator[Cause]:
        """Tell when something below the root changed."""
        async for _ in watch(self._around.root):
            yield Cause.FILES


def _identity(found: Read) -> tuple[object, ...]:
    """What tells one reading from another: the digests of the files, or what is wrong with them."""
    return ("wrong", str(found)) if isinstance(found, CdsyncError) else tuple(found.configuration.files.items())
