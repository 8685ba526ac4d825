"""What is allowed but rarely meant: fire times that daylight saving touches, very tight schedules, and what is past."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache

from cdsync.config.written import Declared
from cdsync.core.clock_changes import ClockChange, clock_changes
from cdsync.core.cron import parse_cron, shortest_interval
from cdsync.core.model import OneOffRun, Schedule
from cdsync.errors import Problem

TIGHT = timedelta(minutes=5)


def warnings_of(declared: Iterable[Declared], *, now: datetime) -> Iterator[Problem]:
    """One warning at most per schedule and reason, at the place of its cron expression; none for those declared absent.

    `now` is aware; daylight-saving changes are looked for within the year after it.
    """

    @cache
    def messages(cron: str, timezone: str) -> tuple[str, ...]:
        return tuple(_messages(cron, timezone, now))

    for item in declared:
        if isinstance(item.resource, Schedule) and item.resource.state != "absent":
            for message in messages(item.resource.cron, item.resource.timezone):
                yield item.problem(message, at=("cron",))


def doubts_of(declared: Iterable[Declared], *, now: datetime, environment: Collection[str]) -> Iterator[Problem]:
    """What may be wrong and may be meant, which only a check of the declaration tells: elsewhere more is known.

    A time that has passed is right for a run that was launched then. A variable that is not in the `environment` (only
    names are looked at) may be set where cdsync applies; each is told once.
    """
    told: set[str] = set()
    for item in declared:
        resource = item.resource
        if isinstance(resource, OneOffRun) and resource.schedule_at is not None and resource.schedule_at < now:
            when = resource.schedule_at.isoformat()
            message = f"schedule_at {when} has passed, so that it is not launched any more; expected a later time"
            yield item.problem(message, at=("schedule_at",))
        for inner, reference in resource.work.callback.references() if resource.work.callback else ():
            path = ("callback", *inner)
            if reference.source == "env" and reference.name not in environment and reference.name not in told:
                told.add(reference.name)
                message = f"{'.'.join(path)} is {reference}, which is not set here; expected it where cdsync applies"
                yield item.problem(message, at=path)


def _messages(cron: str, timezone: str, now: datetime) -> Iterator[str]:
    interval = shortest_interval(parse_cron(cron))
    if interval < TIGHT:
        minutes = int(interval.total_seconds()) // 60
        often = "every minute" if minutes == 1 else f"{minutes} minutes apart"
        yield f"cron {cron!r} fires {often}, and every run costs credits; expected at least 5 minutes in between"
    changes = clock_changes(cron, timezone, start=now)
    touched = [
        _touched([change for change in changes if change.skipped], "skips"),
        _touched([change for change in changes if not change.skipped], "repeats"),
    ]
    if changes:
        what = " and ".join(filter(None, touched))
        yield f"daylight saving in {timezone} {what}; choose another time, or timezone: UTC"


def _touched(changes: list[ClockChange], verb: str) -> str:
    if not changes:
        return ""
    first = min(change.local for change in changes)
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"{verb} the fire time {first:%Y-%m-%d %H:%M}{more}"
