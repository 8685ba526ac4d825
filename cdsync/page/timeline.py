"""The next 24 hours of an account: a lane for each schedule where they are few, and counts where they are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cdsync.core.coming import coming_fires, span_of
from cdsync.core.model import Address, OneOffRun, Resource, Schedule
from cdsync.errors import CdsyncError

DAY = timedelta(days=1)
SLOT = timedelta(minutes=10)
BAR = timedelta(minutes=30)
MOST_LANES = 12
"""Of so many that fire, each has a lane of its own."""

MOST_NAMES = 4
SOON = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One schedule: where it fires, in slots of ten minutes from the start, and how often."""

    address: Address
    slots: tuple[int, ...]
    fires: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour in words: when it begins (UTC), how many fire in it, and who, as far as a line holds."""

    start: datetime
    fires: int
    names: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """24 hours from `start`. `bars` are fires per half hour, `soon` the next fires; `too_many` is why there is none."""

    start: datetime
    fires: int = 0
    lanes: tuple[Lane, ...] = ()
    bars: tuple[int, ...] = ()
    hours: tuple[Hour, ...] = ()
    soon: tuple[tuple[datetime, str, int], ...] = ()
    too_many: str | None = None

    @property
    def axis(self) -> tuple[datetime, ...]:
        """The times that the axis names: every six hours."""
        return tuple(self.start + timedelta(hours=hours) for hours in (0, 6, 12, 18, 24))


def timeline_of(resources: Iterable[Resource], now: datetime) -> Timeline:
    """What fires within 24 hours of an aware instant. Schedules with the same times are worked out once."""
    start = now.astimezone(UTC).replace(second=0, microsecond=0)
    groups = _groups(resources)
    try:
        coming = coming_fires((group[0] for group in groups.values()), span_of(start, days=1))
    except CdsyncError as error:
        return Timeline(start=start, too_many=str(error))
    members = {group[0].address: group for group in groups.values()}
    firing: dict[Address, list[datetime]] = {}
    for fire in coming.fires:
        firing.setdefault(fire.address, []).append(fire.at.astimezone(UTC))
    lanes = _lanes(firing, members, start)
    return Timeline(
        start=start,
        fires=sum(len(times) * len(members[address]) for address, times in firing.items()),
        lanes=lanes if len(lanes) <= MOST_LANES else (),
        bars=_bars(firing, members, start),
        hours=_hours(firing, members),
        soon=_soon(firing, members),
    )


Firing = Mapping[Address, list[datetime]]
Members = Mapping[Address, list[Resource]]


def _groups(resources: Iterable[Resource]) -> dict[object, list[Resource]]:
    groups: dict[object, list[Resource]] = {}
    for resource in resources:
        match resource:
            case Schedule(cron=cron, timezone=timezone):
                groups.setdefault((cron, timezone), []).append(resource)
            case OneOffRun():
                groups.setdefault(resource.address, []).append(resource)
    return groups


def _lanes(firing: Firing, members: Members, start: datetime) -> tuple[Lane, ...]:
    if sum(len(members[address]) for address in firing) > MOST_LANES:
        # They would not be shown.
        return ()
    ordered = sorted(firing, key=lambda address: (firing[address][0], address))
    return tuple(
        Lane(
            address=resource.address,
            slots=tuple(sorted({(at - start) // SLOT for at in firing[address]})),
            fires=len(firing[address]),
        )
        for address in ordered
        for resource in members[address]
    )


def _bars(firing: Firing, members: Members, start: datetime) -> tuple[int, ...]:
    counts = Counter[int]()
    for address, times in firing.items():
        for at in times:
            counts[(at - start) // BAR] += len(members[address])
    return tuple(counts[number] for number in range(DAY // BAR))


def _hours(firing: Firing, members: Members) -> tuple[Hour, ...]:
    fires = Counter[datetime]()
    names: dict[datetime, list[str]] = {}
    for address in sorted(firing):
        in_hours = Counter(at.replace(minute=0, second=0, microsecond=0) for at in firing[address])
        for hour, count in in_hours.items():
            fires[hour] += count * len(members[address])
            names.setdefault(hour, []).extend(resource.address.name for resource in members[address])
    return tuple(
        Hour(
            start=hour,
            fires=fires[hour],
            names=tuple(names[hour][:MOST_NAMES]),
            more=max(len(names[hour]) - MOST_NAMES, 0),
        )
        for hour in sorted(fires)
    )


def _soon(firing: Firing, members: Members) -> tuple[tuple[datetime, str, int], ...]:
    """The next minutes in which something fires: when, who first, and how many more."""
    minutes: dict[datetime, list[str]] = {}
    for address, times in firing.items():
        for at in times[:SOON]:
            minutes.setdefault(at, []).extend(str(resource.address) for resource in members[address])
    return tuple((at, min(minutes[at]), len(minutes[at]) - 1) for at in sorted(minutes)[:SOON])
