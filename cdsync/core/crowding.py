"""Many schedules in one minute: they share the account's limits, so that some of them would wait, stop, or be refused.

The minutes ahead are the bits of one large number for each schedule, and are counted in columns, as an adder does: the
cost does not grow with how often a schedule fires.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache

from cdsync.core.cron import Cron, Days, fire_times, parse_cron, zone
from cdsync.core.model import Address, Resource, Schedule

MANY = 5
"""So many in one minute are worth a word."""

DAYS = 31
"""How far ahead is looked: far enough for the first of a month."""

DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """The fullest minute ahead (aware, in UTC), who fires in it, and how many minutes have `MANY` or more."""

    minute: datetime
    addresses: tuple[Address, ...]
    minutes: int


def crowd_in(resources: Iterable[Resource], *, now: datetime) -> Crowd | None:
    """The crowd among declared active schedules within `DAYS` from an aware instant on; None where none is large."""
    start = now.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)

    @cache
    def minutes_of(cron: str, timezone: str) -> int:
        return _minutes_ahead(parse_cron(cron), cron, timezone, start)

    fires = {
        resource.address: minutes_of(resource.cron, resource.timezone)
        for resource in resources
        if isinstance(resource, Schedule) and resource.state == "active"
    }
    columns = _counted(fires.values())
    crowded = _at_least(MANY, columns)
    if not crowded:
        return None
    fullest = crowded
    for column in reversed(columns):
        fullest = fullest & column or fullest
    first = fullest & -fullest
    return Crowd(
        minute=start + timedelta(minutes=first.bit_length() - 1),
        addresses=tuple(sorted(address for address, minutes in fires.items() if minutes & first)),
        minutes=crowded.bit_count(),
    )


def _counted(numbers: Iterable[int]) -> list[int]:
    """How many numbers have each bit, as columns: the bits of column 0 count one, those of column 1 two, and so on."""
    columns: list[int] = []
    for number in numbers:
        carry, place = number, 0
        while carry:
            if place == len(columns):
                columns.append(0)
            columns[place], carry = columns[place] ^ carry, columns[place] & carry
            place += 1
    return columns


def _at_least(least: int, columns: list[int]) -> int:
    """The bits whose count is at least so many."""
    width = max(len(columns), least.bit_length())
    more, equal = 0, (1 << DAYS * DAY) - 1
    for place in reversed(range(width)):
        column = columns[place] if place < len(columns) else 0
        if least >> place & 1:
            equal &= column
        else:
            more |= equal & column
            equal &= ~column
    return more | equal


def _minutes_ahead(cron: Cron, expression: str, timezone: str, start: datetime) -> int:
    """Bit N is whether it fires N minutes after the start."""
    of_an_hour = sum(1 << minute for minute in cron.minutes)
    of_a_day = sum(of_an_hour << hour * 60 for hour in cron.hours)
    ahead = 0
    for day, shift in _days_named(cron.days, timezone, start):
        if shift is not None:
            ahead |= of_a_day << shift if shift >= 0 else of_a_day >> -shift
            continue
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone(timezone))
        for fire in fire_times(expression, timezone, after=midnight.astimezone(UTC) - timedelta(minutes=1)):
            if fire.date() != day:
                break
            if (minute := _minutes_between(start, fire)) >= 0:
                ahead |= 1 << minute
    return ahead & (1 << DAYS * DAY) - 1


@lru_cache(maxsize=1024)
def _days_named(days: Days, timezone: str, start: datetime) -> tuple[tuple[date, int | None], ...]:
    """The days ahead that an expression names, whatever its times: most schedules of an account share a few."""
    return tuple((day, shift) for day, shift in _days_ahead(timezone, start) if days.include(day))


@lru_cache(maxsize=1024)
def _days_ahead(timezone: str, start: datetime) -> tuple[tuple[date, int | None], ...]:
    """The local days ahead, and by how many minutes after the start each begins; None for one with a clock change."""
    here = zone(timezone)
    first = start.astimezone(here).date()
    days: list[tuple[date, int | None]] = []
    for number in range(DAYS + 1):
        day = first + timedelta(days=number)
        midnight, next_midnight = (
            datetime(moment.year, moment.month, moment.day, tzinfo=here) for moment in (day, day + timedelta(days=1))
        )
        even = midnight.utcoffset() == next_midnight.utcoffset()
        days.append((day, _minutes_between(start, midnight) if even else None))
    return tuple(days)


def _minutes_between(start: datetime, moment: datetime) -> int:
    return (moment.astimezone(UTC) - start) // timedelta(minutes=1)
