"""How times, states and statuses are said and toned on a page. A tone never stands alone: there is a word beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cdsync.core.cron import CronError, zone
from cdsync.core.status import Health

HEALTH_WORDS = {
    Health.ATTENTION: "needs a person",
    Health.BLOCKED: "blocked",
    Health.HELD: "held",
    Health.PENDING: "pending",
    Health.OK: "ok",
}

HEALTH_TONES = {
    Health.ATTENTION: "bad",
    Health.BLOCKED: "warn",
    Health.HELD: "quiet",
    Health.PENDING: "busy",
    Health.OK: "good",
}

RUN_TONES = {
    "STOPPED": "warn",
    "BLOCKED": "bad",
    "FAILED": "bad",
    "INVALID": "bad",
    "RUNNING": "busy",
    "QUEUED": "busy",
    "CREATED": "busy",
    "SCHEDULED": "busy",
    "POSTPONED": "busy",
    "SUCCEEDED": "good",
    "PARTIAL_SUCCEEDED": "good",
}

TONE_ORDER = ("bad", "warn", "busy", "quiet", "good")
"""What is looked at first, first."""

RESULT_TONES = {
    "done": "good",
    "failed": "bad",
    "unresolved": "warn",
    "unchanged": "good",
    "applied": "good",
    "partial": "warn",
    "refused": "bad",
    "stopped": "quiet",
}


def run_tone(status: str) -> str:
    """The tone of a run's status; one that this version does not know is quiet."""
    return RUN_TONES.get(status, "quiet")


def result_tone(result: str) -> str:
    """The tone of how something ended."""
    return RESULT_TONES.get(result, "quiet")


def moment(at: datetime, timezone: str | None = None) -> str:
    """An aware time in a zone, None for UTC: `Wed 25 Nov 09:00`. A zone that nobody knows is UTC."""
    try:
        local = at.astimezone(zone(timezone))
    except CronError:
        local = at.astimezone(UTC)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def span(length: timedelta) -> str:
    """A length of time in one unit, as one says it: `40 s`, `12 min`, `3 h`, `5 days`."""
    seconds = round(abs(length).total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    if seconds < 36 * 3600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} days"


def distance(at: datetime, now: datetime) -> str:
    """How far an aware time is from another: `in 3 h`, `12 min ago`, `now`."""
    if abs(at - now) < timedelta(seconds=1):
        return "now"
    return f"in {span(at - now)}" if at > now else f"{span(now - at)} ago"


def taken(seconds: float) -> str:
    """How long something took: `0.4 s`, `2 min`."""
    return f"{seconds:.1f} s" if seconds < 10 else span(timedelta(seconds=seconds))
