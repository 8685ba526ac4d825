"""When everything declared fires next, in its own zone, and what daylight saving does to that.

From the declaration alone: what somebody paused on the account, or what was launched already, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from cdsync.core.cron import is_repeated, ticks
from cdsync.core.model import Address, OneOffRun, Resource, Schedule
from cdsync.errors import CdsyncError

MOST = 200_000
"""How many fire times one answer may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How far to look: the next `count` fires of each resource, or all until an aware instant; one of both is None."""

    start: datetime
    count: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """One fire time, aware, in the zone of its resource; where that local time comes twice, it is the first."""

    address: Address
    at: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A fire that will not come: the clock is put forward over its local time. `at` is aware, and never shown by it."""

    address: Address
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """What fires, by time and then by address, and what would have without daylight saving."""

    span: Span
    fires: tuple[Fire, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def span_of(start: datetime, *, count: int | None = None, days: int | None = None) -> Span:
    """From an aware instant the next `count` fires of each resource, or all of `days` times 24 hours."""
    return Span(start=start, count=count, until=start + timedelta(days=days) if days is not None else None)


def coming_fires(resources: Iterable[Resource], span: Span, *, most: int = MOST) -> Coming:
    """The fires of declared active schedules, and of one-offs whose time is yet to come.

    Raises:
        CdsyncError: there are more than anybody can read.
    """
    fires: list[Fire] = []
    skipped: list[Skipped] = []
    for resource in resources:
        for found in islice(_of(resource, span), most + 1):
            if isinstance(found, Fire):
                fires.append(found)
            else:
                skipped.append(found)
        if len(fires) > most:
            raise CdsyncError(
                f"these are more than {most:,} fire times", remedy="narrow the glob, or lower --count or --days"
            )
    return Coming(
        span=span,
        fires=tuple(sorted(fires, key=lambda fire: (fire.at.astimezone(UTC), fire.address))),
        skipped=tuple(sorted(skipped, key=lambda row: (row.at.astimezone(UTC), row.address))),
    )


def _of(resource: Resource, span: Span) -> Iterator[Fire | Skipped]:
    if isinstance(resource, OneOffRun):
        at = resource.schedule_at
        if at is not None and at > span.start and (span.until is None or at <= span.until):
            yield Fire(address=resource.address, at=at)
    elif resource.state == "active":
        yield from _of_schedule(resource, span)


def _of_schedule(schedule: Schedule, span: Span) -> Iterator[Fire | Skipped]:
    found = 0
    for tick, is_skipped in ticks(schedule.cron, schedule.timezone, after=span.start):
        if found == span.count or (span.until is not None and tick.astimezone(UTC) > span.until):
            return
        if is_skipped:
            yield Skipped(address=schedule.address, at=tick)
        else:
            found += 1
            yield Fire(address=schedule.address, at=tick, repeated=is_repeated(tick))
