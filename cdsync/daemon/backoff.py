"""How long to wait: from pass to pass, and after passes that failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cdsync.core.actions import ActionKind, BlockedReason
from cdsync.daemon.standing import PassRecord

JITTER = 0.1
"""By which share a pause is shorter or longer at random, so that many daemons do not come at once."""

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
"""Seconds between two passes that fail, the first time and at most; an interval that is longer is kept."""

BREATH = 5.0
"""Seconds that at least lie before a pass that comes early because something is due."""


def pause_after(failures: int, *, interval: float, draw: float) -> float:
    """Seconds until the next pass after so many failures in a row; `draw` is a random number from 0 to 1."""
    pause = interval
    if failures:
        first = min(FIRST_PAUSE, interval)
        pause = min(first * 2.0 ** min(failures - 1, 32), max(LONGEST_PAUSE, interval))
    return pause * (1 - JITTER + 2 * JITTER * draw)


def pause_until_due(record: PassRecord, *, settle: timedelta) -> float | None:
    """Seconds until something that a pass has left can be done; None when nothing of it has a time of its own."""
    due = tuple(_due(record, settle))
    return max(BREATH, min(due)) if due else None


def _due(record: PassRecord, settle: timedelta) -> Iterator[float]:
    for row in record.blocked:
        if row.until is not None and row.until > record.server_now:
            yield (row.until - record.server_now).total_seconds()
        elif row.reason is BlockedReason.UNRESOLVED_OUTCOME:
            # Whether a creation took effect is settled by a second look, and that is soon.
            yield settle.total_seconds() + 1
    if record.seen and any(row.kind is ActionKind.FETCH for row in record.seen.plan.actions):
        # A live run was worked on for its share of a pass, and can go on at once.
        yield 0.0
