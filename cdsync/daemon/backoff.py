"""How long to wait: from pass to pass, and after passes that failed."""

from __future__ import annotations

JITTER = 0.1
"""By which share a pause is shorter or longer at random, so that many daemons do not come at once."""

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
"""Seconds between two passes that fail, the first time and at most; an interval that is longer is kept."""


def pause_after(failures: int, *, interval: float, draw: float) -> float:
    """Seconds until the next pass after so many failures in a row; `draw` is a random number from 0 to 1."""
    pause = interval
    if failures:
        first = min(FIRST_PAUSE, interval)
        pause = min(first * 2.0 ** min(failures - 1, 32), max(LONGEST_PAUSE, interval))
    return pause * (1 - JITTER + 2 * JITTER * draw)
