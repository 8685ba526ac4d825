"""Whether the daemon gets on: by signs of life of its pass, or because it knows what it waits for and until when.

This decides what the service manager's watchdog is told. A loop that stands still tells nothing, because nobody is
there to tell it. A pass that has shown no sign of life for longer than any request, retry or rate limit may take is
stuck. A pause between two passes is neither, so that an API that is down is no reason to be restarted.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

LONGEST_SILENCE = 600.0
"""Seconds: the longest hold that a rate limit imposes (300), the wait for a slow budget (60), and as much again."""

LATENESS = 60.0
"""Seconds that a wait may end late on a machine that is busy."""


class Pulse:
    """The last sign of life, in the seconds of the running loop."""

    def __init__(self) -> None:
        self._last = self._progress = _now()
        self._waits_until: float | None = None

    def beat(self) -> None:
        """Something went on: an answer came, an action ended, a declaration was read."""
        self._last = _now()

    def progress(self) -> None:
        """The account was read and decided about, or something was done to it."""
        self._progress = _now()

    def since_progress(self) -> float:
        """Seconds since anything got on, or since the start."""
        return _now() - self._progress

    def wait(self, seconds: float) -> None:
        """From now on the loop waits on purpose, for so long."""
        self._waits_until = _now() + seconds

    def work(self) -> None:
        """The waiting is over."""
        self._waits_until = None
        self.beat()

    def steady(self, *, request: timedelta) -> bool:
        """Whether it gets on; `request` is how long one request may take."""
        if self._waits_until is not None:
            return _now() < self._waits_until + LATENESS
        return _now() - self._last < LONGEST_SILENCE + 2 * request.total_seconds()


def _now() -> float:
    return asyncio.get_running_loop().time()
