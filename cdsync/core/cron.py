"""The meaning of a cron expression: which minutes it names, in which zone, and when that comes to pass.

Five POSIX fields, 0 = Sunday (API contract: `cron`). Two expressions are equal when they name the same minutes, however
they are spelt. Fire times are for checking and for showing; what exists is never decided by them.

Candidates are found on the naive local calendar, day by day, and zones are applied to them afterwards. A local time
that a change of daylight saving skips does not fire; one that a change repeats fires once, the first time.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cdsync.core.values import value_class

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    word_base: int = 0


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, MONTHS, 1),
    _Field("day of week", 0, 7, DAYS, 0),
)

_PART = re.compile(r"(?P<range>\*|(?P<start>\w+)(?:-(?P<end>\w+))?)(?:/(?P<step>\d+))?")


class CronError(ValueError):
    """An expression or a zone that the API could not take; the message says what was expected."""


class Days(NamedTuple):
    """The days that an expression names. A tuple, because most expressions share a few, which are looked up by it.

    POSIX fires when day of month *or* day of week matches, if both are restricted; `either` says so.
    """

    dates: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def include(self, day: date) -> bool:
        """Whether an expression names some time of a day."""
        in_dates, in_weekdays = day.day in self.dates, day.isoweekday() % 7 in self.weekdays
        right_day = (in_dates or in_weekdays) if self.either else (in_dates and in_weekdays)
        return right_day and day.month in self.months


@value_class(frozen=True, slots=True)
class Cron:
    """The meaning of an expression: the sets of values it names."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: Days

    @property
    def expression(self) -> str:
        """A canonical spelling: the same for every expression of this meaning."""
        days = self.days
        everything = [(self.minutes, 60), (self.hours, 24), (days.dates, 31), (days.months, 12), (days.weekdays, 7)]
        return " ".join("*" if len(v) == size else ",".join(map(str, sorted(v))) for v, size in everything)


@lru_cache(maxsize=16384)
def parse_cron(expression: str) -> Cron:
    """Read five POSIX fields.

    Raises:
        CronError: macros, seconds, hashed forms, values out of range, or a date that never comes.
    """
    fields = expression.split()
    if expression.lstrip().startswith("@"):
        raise CronError(f"macro {expression.strip()!r} is not supported; expected five fields such as '0 9 * * 1-5'")
    if len(fields) != len(FIELDS):
        raise CronError(
            f"cron {expression!r} has {len(fields)} fields; "
            "expected five: minute, hour, day of month, month, day of week"
        )
    minutes, hours = _values(fields[0], FIELDS[0]), _values(fields[1], FIELDS[1])
    days = _days_in(*fields[2:])
    if not days.either and not _some_date_exists(days):
        raise CronError(f"cron {expression!r} never fires: no month that it names has such a day")
    return Cron(minutes, hours, days)


@lru_cache(maxsize=4096)
def _days_in(day_of_month: str, month: str, day_of_week: str) -> Days:
    fields = zip((day_of_month, month, day_of_week), FIELDS[2:], strict=True)
    dates, months, weekdays = (_values(text, spec) for text, spec in fields)
    weekdays = frozenset(day % 7 for day in weekdays)
    both = day_of_month != "*" and day_of_week != "*"
    if both and (len(dates) == 31 or len(weekdays) == 7):
        # A full list is no asterisk: beside another list it names every day, where an asterisk would name none.
        dates, weekdays = frozenset(range(1, 32)), frozenset(range(7))
    return Days(dates, months, weekdays, either=len(dates) < 31 and len(weekdays) < 7)


@lru_cache(maxsize=4096)
def _values(text: str, spec: _Field) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise CronError(
                f"{part!r} is no {spec.name}; expected numbers, ranges, lists and steps such as 1-5 or */15"
            )
        step = int(match["step"] or 1)
        if match["range"] == "*":
            low, high = spec.low, 6 if spec.high == 7 else spec.high
        else:
            low = _value(match["start"], spec)
            high = _value(match["end"], spec) if match["end"] else (spec.high if match["step"] else low)
        if step < 1 or low > high:
            raise CronError(f"{part!r} names no {spec.name}; expected a rising range and a step of at least 1")
        found.update(range(low, high + 1, step))
    return frozenset(found)


def _value(text: str, spec: _Field) -> int:
    if text.isascii() and text.isdigit():
        value = int(text)
    elif text.lower() in spec.words:
        value = spec.words.index(text.lower()) + spec.word_base
    else:
        value = -1
    if not spec.low <= value <= spec.high:
        raise CronError(f"{text!r} is no {spec.name}; expected {spec.low} to {spec.high}")
    return value


@lru_cache(maxsize=4096)
def _some_date_exists(days: Days) -> bool:
    longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
    return any(min(days.dates) <= longest.get(month, 31) for month in days.months)


def same_cron(one: str | None, other: str | None) -> bool:
    """Whether two expressions name the same minutes; one that cannot be read equals only its own spelling."""
    if one == other:
        return True
    if one is None or other is None:
        return False
    try:
        return parse_cron(one) == parse_cron(other)
    except CronError:
        return False


@lru_cache(maxsize=1024)
def zone(name: str | None) -> ZoneInfo:
    """The zone of an IANA name; None is UTC.

    Raises:
        CronError: there is no such zone.
    """
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CronError(f"unknown time zone {name!r}; expected an IANA name such as Europe/Paris") from None


def fire_times(expression: str, timezone: str | None, *, after: datetime) -> Iterator[datetime]:
    """The fire times strictly after an aware instant, rising, aware, in the schedule's own zone; without end.

    Raises:
        CronError: the expression or the zone is not usable.
    """
    return (tick for tick, skipped in ticks(expression, timezone, after=after) if not skipped)


def ticks(expression: str, timezone: str | None, *, after: datetime) -> Iterator[tuple[datetime, bool]]:
    """The fire times strictly after an aware instant, and with True those that a clock change skips; without end.

    Raises:
        CronError: the expression or the zone is not usable.
    """
    cron, local_zone = parse_cron(expression), zone(timezone)
    # A local time fires the first time that it comes. So of two that exist the later one on the calendar also fires
    # later, and none that the calendar shows no later than `after` can still lie ahead of it.
    start = after.astimezone(local_zone).replace(tzinfo=None)
    for naive in _local_times(cron, start):
        tick = naive.replace(tzinfo=local_zone)
        if tick.astimezone(UTC) > after:
            yield tick, not exists(naive, local_zone)


def is_repeated(fire: datetime) -> bool:
    """Whether the local time of a fire comes twice, because the clock is put back after it."""
    return fire.utcoffset() != fire.replace(fold=1).utcoffset()


def next_fire(expression: str, timezone: str | None, *, after: datetime) -> datetime:
    """The first fire time after an aware instant.

    Raises:
        CronError: the expression or the zone is not usable.
    """
    # Zones are whole minutes apart, so that nothing fires within one; and a plan and its apply ask for the same.
    return _first_after(expression, timezone, after.replace(second=0, microsecond=0))


@lru_cache(maxsize=4096)
def _first_after(expression: str, timezone: str | None, minute: datetime) -> datetime:
    return next(fire_times(expression, timezone, after=minute))


def _local_times(cron: Cron, start: datetime) -> Iterator[datetime]:
    """The naive local times after another that an expression names, rising; without end."""
    hours, minutes = sorted(cron.hours), sorted(cron.minutes)
    year, month = start.year, start.month
    while True:
        for day in _days_of_month(cron.days, year, month):
            if day < start.date():
                continue
            for hour in hours:
                for minute in minutes:
                    local = datetime.combine(day, time(hour, minute))
                    if local > start:
                        yield local
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


@lru_cache(maxsize=4096)
def _days_of_month(days: Days, year: int, month: int) -> tuple[date, ...]:
    if month not in days.months:
        return ()
    dates = (date(year, month, number + 1) for number in range(monthrange(year, month)[1]))
    return tuple(day for day in dates if days.include(day))


def exists(naive: datetime, local_zone: ZoneInfo) -> bool:
    """Whether a local time comes in a zone, rather than being skipped."""
    return naive.replace(tzinfo=local_zone).astimezone(UTC).astimezone(local_zone).replace(tzinfo=None) == naive


@lru_cache(maxsize=4096)
def shortest_interval(cron: Cron) -> timedelta:
    """The shortest time between two fires, from the minutes and hours alone."""
    if len(cron.hours) == len(cron.minutes) == 1:
        return timedelta(days=1)
    times = sorted(hour * 60 + minute for hour in cron.hours for minute in cron.minutes)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    gaps.append(times[0] + 24 * 60 - times[-1])
    return timedelta(minutes=min(gaps))


def upcoming(expression: str, timezone: str | None, *, after: datetime, count: int) -> tuple[datetime, ...]:
    """The next `count` fire times after an aware instant."""
    return tuple(islice(fire_times(expression, timezone, after=after), count))
