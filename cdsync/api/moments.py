"""Times as servers write them: ISO 8601, with a zone's name behind, as in HTTP headers, or counted since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Times outside of these stand for none: some servers write the year 1 for a time that never was."""

COUNTED_FROM = datetime(2000, 1, 1, tzinfo=UTC)
"""A count that is earlier is a number of something else."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COUNT = re.compile(r"[0-9]{9,16}(\.[0-9]{1,9})?")
ISO_WITH_ZONE = re.compile(r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+) ?(?:UTC|GMT|Z)", re.IGNORECASE)
NEVER = re.compile(r"(0[0-9]{3}|1[0-8][0-9]{2})-")


def moment_of(value: Any) -> datetime | None:
    """A time as the API writes it, in UTC; None for what is none."""
    if value is None:
        return None
    try:
        moment = _counted(value) if _is_count(value) else _written(value) if isinstance(value, str) else None
        if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return None
        if moment.tzinfo is UTC:
            return moment
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def unread_moment(value: Any) -> str | None:
    """What stands where a time belongs and is none that can be read; None when there is nothing, or a time."""
    if not value or moment_of(value) is not None or (isinstance(value, str) and NEVER.match(value)):
        return None
    return repr(value)[:80]


def _is_count(value: Any) -> bool:
    if isinstance(value, str):
        return "-" not in value and COUNT.fullmatch(value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _counted(value: Any) -> datetime | None:
    """Seconds, milliseconds or microseconds, whichever comes to pass in these centuries."""
    count = float(value)
    for unit in (timedelta(seconds=1), timedelta(milliseconds=1), timedelta(microseconds=1)):
        if count * unit.total_seconds() < (datetime(LAST_YEAR, 1, 1, tzinfo=UTC) - EPOCH).total_seconds():
            moment = EPOCH + count * unit
            return moment if moment >= COUNTED_FROM else None
    return None


def _written(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        match = ISO_WITH_ZONE.fullmatch(text)
        return datetime.fromisoformat(match["time"] + "+00:00") if match else parsedate_to_datetime(text)
