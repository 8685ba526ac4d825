"""The meaning of cron expressions: equality, fire times against an oracle that counts minutes, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdsync.core.clock_changes import ClockChange, clock_changes
from cdsync.core.cron import (
    CronError,
    fire_times,
    next_fire,
    parse_cron,
    same_cron,
    shortest_interval,
    upcoming,
    zone,
)

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

Sets = tuple[frozenset[int], ...]


def some_of(low: int, high: int) -> st.SearchStrategy[frozenset[int]]:
    """Values of one field; all of them as often as some."""
    every = frozenset(range(low, high + 1))
    return st.one_of(st.just(every), st.frozensets(st.sampled_from(sorted(every)), min_size=1, max_size=len(every) - 1))


EVERYTHING = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))

LONGEST = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def comes_to_pass(chosen: Sets) -> bool:
    """Whether some month has such a day; a day of the week always comes."""
    _, _, days, months, weekdays = chosen
    return len(weekdays) < 7 or any(min(days) <= LONGEST.get(month, 31) for month in months)


sets = st.tuples(*(some_of(low, high) for low, high in EVERYTHING)).filter(comes_to_pass)


def as_list(values: frozenset[int], name: Callable[[int], str] = str) -> str:
    """Every value by itself, the highest first."""
    return ",".join(name(value) for value in sorted(values, reverse=True))


def as_ranges(values: frozenset[int], name: Callable[[int], str] = str) -> str:
    """The longest ranges there are."""
    parts: list[list[int]] = []
    for value in sorted(values):
        if parts and parts[-1][-1] == value - 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    return ",".join(name(part[0]) if len(part) == 1 else f"{name(part[0])}-{name(part[-1])}" for part in parts)


def as_steps(values: frozenset[int]) -> str:
    """One range with a step where the values allow it, each twice where they do not."""
    found = sorted(values)
    gaps = {later - earlier for earlier, later in pairwise(found)}
    if len(gaps) == 1:
        return f"{found[0]}-{found[-1]}/{gaps.pop()}"
    return ",".join(f"{value},{value}" for value in found)


def spellings(chosen: Sets) -> list[str]:
    """The same meaning in several spellings. A field with every value is an asterisk in all of them."""

    def spelt(*fields: Callable[[frozenset[int]], str]) -> str:
        return " ".join(
            "*" if len(values) == high - low + 1 else field(values)
            for values, field, (low, high) in zip(chosen, fields, EVERYTHING, strict=True)
        )

    def month(value: int) -> str:
        return MONTHS[value - 1]

    def day(value: int) -> str:
        return DAYS[value].upper()

    def sunday_is_seven(values: frozenset[int]) -> str:
        return as_list(frozenset(value or 7 for value in values))

    return [
        spelt(as_list, as_list, as_list, as_list, as_list),
        spelt(as_ranges, as_ranges, as_ranges, as_ranges, as_ranges),
        spelt(as_steps, as_steps, as_steps, as_steps, as_steps),
        spelt(as_ranges, as_list, as_steps, lambda v: as_list(v, month), lambda v: as_ranges(v, day)),
        f"  {spelt(as_list, as_ranges, as_list, lambda v: as_ranges(v, month), sunday_is_seven)} ".replace(" ", "\t"),
    ]


@given(sets)
def test_every_spelling_of_the_same_minutes_is_equal(chosen: Sets) -> None:
    """Cron expressions are compared by meaning, so that a diff never flaps over a spelling."""
    first, *others = spellings(chosen)

    assert all(same_cron(first, other) for other in others)
    assert {parse_cron(text).expression for text in (first, *others)} == {parse_cron(first).expression}


@given(sets, sets)
def test_other_minutes_are_another_meaning(one: Sets, other: Sets) -> None:
    """Two expressions are equal only when every field names the same values."""
    assert same_cron(spellings(one)[0], spellings(other)[1]) == (one == other)


@given(sets)
def test_the_canonical_spelling_means_what_it_was_made_from(chosen: Sets) -> None:
    """Reading a canonical expression again gives the same meaning."""
    cron = parse_cron(spellings(chosen)[1])

    assert parse_cron(cron.expression) == cron
    assert (cron.minutes, cron.hours, *cron.days[:3]) == chosen


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0 9 * * 1-5", "0 9 * * MON-FRI", True),
        ("0 9 * * 1-5", "00 09 * * 1,2,3,4,5", True),
        ("*/15 * * * *", "0,15,30,45 * * * *", True),
        ("0 9 * * 7", "0 9 * * sun", True),
        ("0 9 * * 5-7", "0 9 * * 0,5,6", True),
        ("5/20 * * * *", "5,25,45 * * * *", True),
        ("0 9 * * 1-5", "0 9 * * 1-6", False),
        ("0 9 1-31 * 1", "0 9 * * *", True),
        ("0 9 1-31 * 1", "0 9 * * 1", False),
        ("0 9 5 * 0-6", "0 9 5 * *", False),
        ("0 9 * * *", None, False),
        (None, None, True),
        ("@daily", "@daily", True),
        ("@daily", "0 0 * * *", False),
    ],
)
def test_expressions_are_equal_by_meaning(one: str | None, other: str | None, same: bool) -> None:
    """What cannot be read equals only itself, and none equals only none."""
    assert same_cron(one, other) is same
    assert same_cron(other, one) is same


@dataclass(frozen=True)
class Moment:
    """A window of local history in which clocks were changed."""

    zone: str
    start: datetime
    days: int = 3


WINDOWS = [
    Moment("Europe/Paris", datetime(2026, 3, 28, tzinfo=UTC)),
    Moment("Europe/Paris", datetime(2026, 10, 24, tzinfo=UTC)),
    Moment("America/New_York", datetime(2026, 3, 7, tzinfo=UTC)),
    Moment("America/New_York", datetime(2026, 10, 31, tzinfo=UTC)),
    Moment("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),
    Moment("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),
    Moment("America/Havana", datetime(2026, 3, 7, tzinfo=UTC)),
    Moment("America/Havana", datetime(2026, 10, 31, tzinfo=UTC)),
    Moment("Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC)),
    Moment("Asia/Kathmandu", datetime(2026, 2, 27, tzinfo=UTC)),
    Moment("UTC", datetime(2028, 2, 27, tzinfo=UTC)),
]


@cache
def minutes_of(window: Moment) -> tuple[tuple[datetime, datetime], ...]:
    """Every minute of a window, in UTC and in its zone, of those that come twice the first."""
    local_zone = ZoneInfo(window.zone)
    moments = (window.start + timedelta(minutes=minute) for minute in range(window.days * 24 * 60))
    both = ((now, now.astimezone(local_zone)) for now in moments)
    return tuple((now, local) for now, local in both if local.fold == 0)


def oracle(chosen: Sets, either_day: bool, window: Moment, after: datetime) -> Iterator[datetime]:
    """Every minute after a moment of a window that an expression names, found by looking at each of them."""
    minutes, hours, days, months, weekdays = chosen
    for now, local in minutes_of(window):
        in_days, in_weekdays = local.day in days, (local.weekday() + 1) % 7 in weekdays
        right_day = in_days or in_weekdays if either_day else in_days and in_weekdays
        right_time = local.minute in minutes and local.hour in hours and local.month in months
        if right_day and right_time and now > after:
            yield now


def within(window: Moment, expression: str, after: datetime) -> list[datetime]:
    """The fire times in a window after a moment, in UTC."""
    end = window.start + timedelta(days=window.days)
    fires = []
    for fire in fire_times(expression, window.zone, after=after):
        if fire.astimezone(UTC) >= end:
            break
        fires.append(fire.astimezone(UTC))
    return fires


frequent = st.tuples(
    some_of(0, 59),
    some_of(0, 23),
    some_of(1, 31),
    st.just(frozenset(range(1, 13))),
    some_of(0, 6),
)


@settings(max_examples=60)
@given(frequent, st.sampled_from(WINDOWS))
def test_fire_times_are_the_minutes_that_the_expression_names(chosen: Sets, window: Moment) -> None:
    """A local time that a clock change skips does not fire, and one that it repeats fires once, the first time."""
    either_day = len(chosen[2]) < 31 and len(chosen[4]) < 7

    assert within(window, spellings(chosen)[0], window.start) == list(oracle(chosen, either_day, window, window.start))


@given(st.data(), st.frozensets(st.integers(0, 59), min_size=1, max_size=4), st.sampled_from(WINDOWS))
def test_fire_times_lie_ahead_from_wherever_they_are_asked(
    data: st.DataObject, minutes: frozenset[int], window: Moment
) -> None:
    """Also from within an hour that comes twice or after one that is skipped, none is left out and none comes again."""
    hours, days, months, weekdays = (frozenset(range(low, high + 1)) for low, high in EVERYTHING[1:])
    after = window.start + timedelta(seconds=data.draw(st.integers(0, window.days * 24 * 3600)))
    chosen = (minutes, hours, days, months, weekdays)

    assert within(window, spellings(chosen)[0], after) == list(oracle(chosen, False, window, after))


def iso(fires: Iterator[datetime] | tuple[datetime, ...], count: int) -> list[str]:
    """The first of some fire times, as text."""
    return [fire.isoformat() for fire in islice(fires, count)]


def test_an_hour_that_is_skipped_does_not_fire() -> None:
    """Half past two does not exist in Paris on the last Sunday of March."""
    fires = fire_times("30 2 * * *", "Europe/Paris", after=datetime(2026, 3, 28, tzinfo=UTC))

    assert iso(fires, 2) == ["2026-03-28T02:30:00+01:00", "2026-03-30T02:30:00+02:00"]


def test_an_hour_that_is_repeated_fires_once() -> None:
    """Half past two comes twice in Paris on the last Sunday of October; the first one fires."""
    fires = fire_times("30 2 * * *", "Europe/Paris", after=datetime(2026, 10, 24, 12, tzinfo=UTC))

    assert iso(fires, 2) == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]


def test_a_fire_time_lies_strictly_ahead() -> None:
    """The minute that is asked from is over."""
    nine = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)

    assert next_fire("0 9 * * *", None, after=nine) == nine + timedelta(days=1)
    assert next_fire("0 9 * * *", "UTC", after=nine - timedelta(microseconds=1)) == nine


@given(
    after=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 # zoned here
    cron=st.sampled_from(["* * * * *", "*/7 1-3 * * *", "30 2 * * 0", "0 0 1 * *"]),
    timezone=st.sampled_from([None, "Europe/Paris", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_the_next_fire_is_the_first_of_all(after: datetime, cron: str, timezone: str | None) -> None:
    """It is remembered for the minute, in which nothing else could become the next."""
    assert next_fire(cron, timezone, after=after) == next(fire_times(cron, timezone, after=after))


def test_a_day_of_the_month_and_a_day_of_the_week_are_either_or() -> None:
    """POSIX fires on both the thirteenth and on Fridays when both are restricted."""
    fires = upcoming("0 0 13 * 5", "UTC", after=datetime(2026, 6, 1, tzinfo=UTC), count=4)

    assert [fire.day for fire in fires] == [5, 12, 13, 19]


def test_one_restricted_day_field_is_enough_by_itself() -> None:
    """Beside an asterisk the other field decides alone."""
    after = datetime(2026, 6, 1, tzinfo=UTC)

    assert [fire.day for fire in upcoming("0 0 13 * *", "UTC", after=after, count=2)] == [13, 13]
    assert [fire.day for fire in upcoming("0 0 * * 5", "UTC", after=after, count=2)] == [5, 12]


def test_the_leap_day_fires_every_fourth_year() -> None:
    """The twenty-ninth of February is a date that comes, also over the century that has none."""
    fires = upcoming("0 0 29 2 *", "UTC", after=datetime(2095, 1, 1, tzinfo=UTC), count=3)

    assert [fire.year for fire in fires] == [2096, 2104, 2108]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("@daily", "macro '@daily' is not supported; expected five fields such as '0 9 * * 1-5'"),
        (
            "0 0 9 * * 1-5",
            "cron '0 0 9 * * 1-5' has 6 fields; expected five: minute, hour, day of month, month, day of week",
        ),
        ("", "cron '' has 0 fields; expected five: minute, hour, day of month, month, day of week"),
        ("H 9 * * *", "'H' is no minute; expected 0 to 59"),
        ("H/15 9 * * *", "'H' is no minute; expected 0 to 59"),
        ("60 9 * * *", "'60' is no minute; expected 0 to 59"),
        ("0 24 * * *", "'24' is no hour; expected 0 to 23"),
        ("0 9 0 * *", "'0' is no day of month; expected 1 to 31"),
        ("0 9 * 13 *", "'13' is no month; expected 1 to 12"),
        ("0 9 * * 8", "'8' is no day of week; expected 0 to 7"),
        ("0 9 * * mon-xyz", "'xyz' is no day of week; expected 0 to 7"),
        ("0 9 * * fri-mon", "'fri-mon' names no day of week; expected a rising range and a step of at least 1"),
        ("*/0 * * * *", "'*/0' names no minute; expected a rising range and a step of at least 1"),
        ("0 9 L * *", "'L' is no day of month; expected 1 to 31"),
        ("0 9 ? * 1", "'?' is no day of month; expected numbers, ranges, lists and steps such as 1-5 or */15"),
        ("0 9 * * 1#2", "'1#2' is no day of week; expected numbers, ranges, lists and steps such as 1-5 or */15"),
        ("0, 9 * * *", "'' is no minute; expected numbers, ranges, lists and steps such as 1-5 or */15"),
        ("-5 9 * * *", "'-5' is no minute; expected numbers, ranges, lists and steps such as 1-5 or */15"),
        ("٣ 9 * * *", "'٣' is no minute; expected 0 to 59"),
        ("0 9 30 2 *", "cron '0 9 30 2 *' never fires: no month that it names has such a day"),
        ("0 9 31 4,6,9,11 *", "cron '0 9 31 4,6,9,11 *' never fires: no month that it names has such a day"),
    ],
)
def test_what_is_no_posix_expression_is_refused(expression: str, message: str) -> None:
    """The message names the part that is wrong and what was expected."""
    with pytest.raises(CronError) as caught:
        parse_cron(expression)

    assert str(caught.value) == message


def test_an_unknown_zone_is_refused() -> None:
    """No zone is guessed."""
    for name in ("Europe/Pariss", "../etc/passwd", "/etc/localtime", "a\0b"):
        with pytest.raises(CronError) as caught:
            zone(name)
        assert str(caught.value) == f"unknown time zone {name!r}; expected an IANA name such as Europe/Paris"


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("* * * * *", 1),
        ("*/15 * * * *", 15),
        ("0,4 9 * * *", 4),
        ("0 9 * * 1", 24 * 60),
        ("0 9,17 * * *", 8 * 60),
        ("50 23 * * *", 24 * 60),
        ("0,55 0,23 * * *", 5),
        ("*/7 * * * *", 4),
    ],
)
def test_the_shortest_interval_is_found_also_over_midnight(expression: str, minutes: int) -> None:
    """The tightest pair of fires of any two days counts."""
    assert shortest_interval(parse_cron(expression)) == timedelta(minutes=minutes)


YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def test_fire_times_that_clock_changes_touch_are_found() -> None:
    """A year of Paris skips one half past two and repeats another."""
    assert clock_changes("30 2 * * *", "Europe/Paris", start=YEAR) == (
        ClockChange(datetime(2026, 3, 29, 2, 30), skipped=True),  # noqa: DTZ001 # local times are naive here
        ClockChange(datetime(2026, 10, 25, 2, 30), skipped=False),  # noqa: DTZ001
    )


@pytest.mark.parametrize(
    ("expression", "timezone"),
    [("30 2 * * *", "UTC"), ("30 4 * * *", "Europe/Paris"), ("30 2 * * 1-5", "Europe/Paris"), ("30 2 1 * *", None)],
)
def test_a_time_that_no_clock_change_touches_is_quiet(expression: str, timezone: str | None) -> None:
    """Other hours, other days and UTC have nothing to tell."""
    assert clock_changes(expression, timezone, start=YEAR) == ()


@pytest.mark.parametrize("timezone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Havana"])
def test_every_minute_of_a_clock_change_is_found(timezone: str) -> None:
    """The shortcut by days misses no minute that a look at every one of the year finds."""
    local_zone = ZoneInfo(timezone)
    expected = []
    for minute in range(0, 366 * 24 * 60, 15):
        local = YEAR.replace(tzinfo=None) + timedelta(minutes=minute)
        first, second = (local.replace(tzinfo=local_zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            back = first.astimezone(UTC).astimezone(local_zone).replace(tzinfo=None)
            expected.append(ClockChange(local, skipped=back != local))

    assert list(clock_changes("*/15 * * * *", timezone, start=YEAR)) == expected
    assert expected
