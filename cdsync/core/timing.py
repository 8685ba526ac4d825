"""When it is safe to touch a schedule, and when a new one fires first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cdsync.core.cron import CronError, next_fire, parse_cron, shortest_interval
from cdsync.core.model import RemoteSchedule

QUIET = timedelta(minutes=2)
"""A replacement keeps at least so far away from the next tick of the old schedule."""

LEAD = timedelta(seconds=10)
"""The first firing of a new schedule lies at least so far ahead, so that it is still ahead when the request arrives."""


def first_fire(cron: str, timezone: str, *, now: datetime) -> datetime:
    """The first firing to ask for when a schedule is created: its next tick, in its own zone.

    Without it the API fires at once (API contract: `schedule_at`).
    """
    return next_fire(cron, timezone, after=now + LEAD)


def next_tick(remote: RemoteSchedule, *, now: datetime) -> datetime | None:
    """When a live schedule fires next, by its own word if it lies ahead, else by its cron; None when unknown."""
    if remote.next_execution_at is not None and remote.next_execution_at > now:
        return remote.next_execution_at
    if remote.cron is None:
        return None
    try:
        return next_fire(remote.cron, remote.timezone, after=now).astimezone(UTC)
    except CronError:
        return None


def deferred_until(remote: RemoteSchedule, *, now: datetime) -> datetime | None:
    """When a replacement that would come too close to a tick may be made instead; None when it may be made now.

    A schedule that ticks so often that the distance cannot be kept is replaced right after a tick.
    """
    if remote.status != "ACTIVE":
        return None
    tick = next_tick(remote, now=now)
    if tick is None or tick - now >= _distance(remote.cron):
        return None
    return tick + timedelta(seconds=1)


def _distance(cron: str | None) -> timedelta:
    if cron is None:
        return QUIET
    try:
        return min(QUIET, shortest_interval(parse_cron(cron)) * 2 / 3)
    except CronError:
        return QUIET
