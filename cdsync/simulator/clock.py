"""Simulated time: it starts where it is told, can run fast, and can be pushed forward by hand.

The server reads time through a plain `Callable[[], datetime]`, so a test may pass its own virtual clock instead.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Now is the start, plus the real time elapsed times the speed, plus what was skipped."""

    def __init__(self, *, start: datetime | None = None, speed: float = 1.0) -> None:
        if speed < 0:
            raise ValueError(f"speed {speed} is negative; simulated time never runs backwards")
        self._start = start or datetime.now(UTC)
        self._speed = speed
        self._began = time.monotonic()
        self._skipped = timedelta()

    def __call__(self) -> datetime:
        """The simulated now, in UTC."""
        elapsed = timedelta(seconds=(time.monotonic() - self._began) * self._speed)
        return (self._start + elapsed + self._skipped).astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Skip so many seconds; what was due in between happens when the account is next looked at."""
        if seconds < 0:
            raise ValueError(f"cannot advance by {seconds} seconds; simulated time never runs backwards")
        self._skipped += timedelta(seconds=seconds)
