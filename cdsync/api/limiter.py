"""One budget of requests per key: no faster than configured, and silent for as long as the API asks for."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

WINDOW = 60.5
"""Seconds in which a minute's requests leave: a little more than a minute, because some are longer under way."""

EPOCH = 1_000_000_000
"""A reset larger than this is a moment, not a number of seconds (API contract: the unit is not documented)."""


class Limiter:
    """Admits requests one by one; `hold` stops all of them, whoever was refused, and `hang_up` does so for good.

    Vendors count what came within the last minute, so this does too: a bucket that fills while it is emptied would let
    almost twice as many pass in the first one. A command that needs no more than a minute's requests does not wait.
    """

    def __init__(self, requests_per_minute: int) -> None:
        self._left: deque[float] = deque(maxlen=requests_per_minute)
        self._turns = asyncio.Lock()
        self._open_at = 0.0
        self._waiting: set[asyncio.Timeout] = set()
        self._hung_up = False

    async def admit(self) -> bool:
        """Wait until another request may leave; gives whether it may."""
        try:
            async with asyncio.timeout(None) as waiting:
                self._waiting.add(waiting)
                await self._turn()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiting)
        return not self._hung_up

    async def _turn(self) -> None:
        async with self._turns:
            clock = asyncio.get_running_loop().time
            while (wait := max(self._open_at, self._free_at()) - clock()) > 0:  # noqa: ASYNC110 # it may be put off
                await asyncio.sleep(wait)
            self._left.append(clock())

    def _free_at(self) -> float:
        """When the next request may leave, by the loop's clock."""
        return self._left[0] + WINDOW if len(self._left) == self._left.maxlen else 0.0

    @property
    def used_up(self) -> bool:
        """Whether the requests of the minute have all left, so that the next has to wait."""
        return self._free_at() > asyncio.get_running_loop().time()

    def hang_up(self) -> None:
        """Let nothing leave any more; who waits is told at once."""
        self._hung_up = True
        for waiting in self._waiting:
            waiting.reschedule(0.0)

    def hold(self, seconds: float) -> None:
        """Let nothing leave for so long."""
        self._open_at = max(self._open_at, asyncio.get_running_loop().time() + seconds)


def seconds_to_wait(headers: Mapping[str, str], *, now: float) -> float | None:
    """How long an answer asks to wait, by Retry-After or by an exhausted X-RateLimit; None when it does not.

    `now` is the server's time in seconds since the epoch.
    """
    if (retry_after := headers.get("retry-after")) is not None:
        return _seconds(retry_after, now=now)
    if headers.get("x-ratelimit-remaining", "").strip() == "0" and (reset := headers.get("x-ratelimit-reset")):
        return _seconds(reset, now=now)
    return None


def _seconds(text: str, *, now: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        try:
            value = parsedate_to_datetime(text).timestamp()
        except (ValueError, OverflowError):
            return None
    if not math.isfinite(value) or value < 0:
        return None
    return max(0.0, value - now) if value > EPOCH else value
