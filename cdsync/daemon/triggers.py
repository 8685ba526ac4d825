"""What asks for a pass, gathered: however many ask while one runs, one more is due."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")


class Cause(StrEnum):
    """Why a pass is made; the value is its name in logs and metrics."""

    START = "start"
    TIMER = "timer"
    SIGNAL = "signal"
    FILES = "files"
    COMMIT = "commit"
    HOOK = "hook"
    REQUEST = "request"


BY_A_PERSON = frozenset({Cause.SIGNAL, Cause.REQUEST})
"""Whoever asks in person wants everything tried now, also what waits after a failure."""


class Triggers:
    """Takes requests for a pass, and lets one waiter know of all of them at once."""

    def __init__(self) -> None:
        self._causes: set[Cause] = set()
        self._asked = asyncio.Event()
        self._ended = asyncio.Event()

    def request(self, cause: Cause) -> None:
        """Ask for a pass; the same wish twice is one wish."""
        self._causes.add(cause)
        self._asked.set()

    def close(self) -> None:
        """Ask for the end: nobody waits any more."""
        self._ended.set()
        self._asked.set()

    @property
    def closed(self) -> bool:
        """Whether the end was asked for."""
        return self._ended.is_set()

    async def unless_closed(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do this unless the end is asked for before it is done; it is given up then, and None is the result."""
        doing, ending = asyncio.create_task(work), asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
            return await doing if doing.done() else None
        finally:
            doing.cancel()
            ending.cancel()
            await asyncio.wait({doing, ending})

    async def next(self, *, within: float) -> tuple[Cause, ...]:
        """Wait until a pass is asked for, at most so many seconds; gives why, sorted, and nothing once closed."""
        try:
            async with asyncio.timeout(within):
                await self._asked.wait()
        except TimeoutError:
            self._causes.add(Cause.TIMER)
        if self.closed:
            return ()
        self._asked.clear()
        causes = tuple(sorted(self._causes))
        self._causes.clear()
        return causes
