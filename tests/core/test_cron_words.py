"""Cron expressions in words, read back by an independent reader: the words never say other times."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.core.cron import CronError, fire_times, parse_cron
from cdsync.core.cron_words import cron_words

MONTHS = list(calendar.month_name)
WEEKDAYS = [f"{name}s" for name in calendar.day_name]

START = datetime(2027, 1, 15, 10, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """What words say: the times of a day, and which days; a day counts when it is among `dates` or `weekdays`."""

    times: frozenset[time]
    months: frozenset[int]
    dates: frozenset[int]
    weekdays: frozenset[int]

    def fires(self, after: datetime) -> Iterator[datetime]:
        """The times after an instant in UTC, as a person with a calendar would find them."""
        day = after.date()
        while True:
            for moment in sorted(self.times) if self.has(day) else ():
                fire = datetime.combine(day, moment, tzinfo=UTC)
                if fire > after:
                    yield fire
            day += timedelta(days=1)

    def has(self, day: date) -> bool:
        """Whether it fires on a day."""
        return day.month in self.months and (day.day in self.dates or day.weekday() in self.weekdays)


def items(text: str) -> list[str]:
    """`a, b and c` as a list."""
    return re.split(r", | and (?!also)", text)


def numbers(text: str) -> set[int]:
    """`1, 3-5 and 9` as numbers."""
    found: set[int] = set()
    for part in items(text):
        low, _, high = part.partition("-")
        found |= set(range(int(low), int(high or low) + 1))
    return found


def clock(text: str) -> int:
    """`09:30` as minutes."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def read_times(text: str) -> set[int] | None:
    """The minutes of a day that words say; None if they are no such words."""
    step = {"minute": 1, "hour": 60, "minutes": 1, "hours": 60}
    if found := re.fullmatch(r"every (?:(\d+) )?(minutes?|hours?)(?: from (\S+) to (\S+))?", text):
        size = int(found[1] or 1) * step[found[2]]
        return set(range(clock(found[3] or "00:00"), clock(found[4] or "23:59") + 1, size))
    if found := re.fullmatch(r"every hour at minutes? (.+)", text):
        return {hour * 60 + minute for hour in range(24) for minute in numbers(found[1])}
    if found := re.fullmatch(r"in the hours (.+) at minutes? (.+)", text):
        return {hour * 60 + minute for hour in numbers(found[1]) for minute in numbers(found[2])}
    if found := re.fullmatch(r"at ([\d:]+(?:, [\d:]+)*(?: and [\d:]+)?)", text):
        return set(map(clock, items(found[1])))
    return None


def read_weekdays(text: str) -> set[int]:
    """Days of the week, Monday is 0."""
    named = {"weekdays": {0, 1, 2, 3, 4}, "weekends": {5, 6}}
    return named.get(text) or {WEEKDAYS.index(name) for name in items(text)}


def read_dates(text: str) -> set[int]:
    """`1st and 15th` as days of the month."""
    return {int(re.fullmatch(r"(\d+)(?:st|nd|rd|th)", part)[1]) for part in items(text)}  # type: ignore[index]


def read_months(text: str | None) -> set[int]:
    """The months named; none named is all."""
    return {MONTHS.index(name) for name in items(text)} if text else set(range(1, 13))


def read_days(text: str) -> tuple[set[int], set[int], set[int]]:
    """The months, days of the month and days of the week that words say."""
    every = set(range(1, 32))
    if text in {"", "every day"}:
        return read_months(None), every, set()
    if found := re.fullmatch(r"(?:in (.+), )?on the (.+) of the month and also on (.+)", text):
        return read_months(found[1]), read_dates(found[2]), read_weekdays(found[3])
    if found := re.fullmatch(r"on the (.+) of (.+)", text):
        return read_months(None if found[2] == "the month" else found[2]), read_dates(found[1]), set()
    found = re.fullmatch(r"(.+?)(?: in (.+))?", text)
    assert found is not None
    if found[1] == "every day":
        return read_months(found[2]), every, set()
    return read_months(found[2]), set(), read_weekdays(found[1])


def reading(words: str) -> Reading:
    """What a person reads out of the words; there is exactly one way to cut them into days and times."""
    found: list[Reading] = []
    for place in [0, *(match.end() for match in re.finditer(r" ", words))]:
        days, minutes = words[:place].strip().removesuffix(","), read_times(words[place:])
        if minutes is None or days.endswith("hours"):
            continue
        try:
            months, dates, weekdays = read_days(days)
        except ValueError:
            continue
        times = frozenset(time(minute // 60, minute % 60) for minute in minutes)
        found.append(Reading(times, frozenset(months), frozenset(dates), frozenset(weekdays)))
    assert len(found) == 1, words
    return found[0]


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """A field as people write it: everything, steps, ranges, lists."""
    values = st.integers(low, high)
    pairs = st.tuples(values, values).map(sorted)
    return st.one_of(
        st.just("*"),
        st.just("*"),
        values.map(str),
        st.integers(1, high // 2).map(lambda step: f"*/{step}"),
        pairs.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.tuples(pairs, st.integers(1, 20)).map(lambda row: f"{row[0][0]}-{row[0][1]}/{row[1]}"),
        st.lists(values, min_size=1, max_size=7).map(lambda found: ",".join(map(str, found))),
    )


expressions = st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)).map(" ".join)


@given(expressions)
def test_the_times_of_the_words_are_those_of_the_expression(expression: str) -> None:
    """Words that are read back fire exactly when the expression does, and what is not said is the expression."""
    try:
        parse_cron(expression)
    except CronError:
        return
    words = cron_words(expression, "UTC").removesuffix("UTC").rstrip(", ")
    if words == f"cron {expression}":
        return
    expected = list(islice(fire_times(expression, "UTC", after=START), 200))
    assert list(islice(reading(words).fires(START), 200)) == expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 9 * * 1-5", "weekdays at 09:00 Europe/Paris"),
        ("0 9 * * MON-FRI", "weekdays at 09:00 Europe/Paris"),
        ("45 9 * * 0,6", "weekends at 09:45 Europe/Paris"),
        ("0 18 * * 4", "Thursdays at 18:00 Europe/Paris"),
        ("20 10,15 * * 2-4", "Tuesdays, Wednesdays and Thursdays at 10:20 and 15:20 Europe/Paris"),
        ("0 3 * * *", "every day at 03:00 Europe/Paris"),
        ("* * * * *", "every minute, Europe/Paris"),
        ("*/15 * * * *", "every 15 minutes, Europe/Paris"),
        ("0 * * * *", "every hour, Europe/Paris"),
        ("20 * * * *", "every hour from 00:20 to 23:20 Europe/Paris"),
        ("3,17 * * * *", "every hour at minutes 3 and 17, Europe/Paris"),
        ("*/15 9-17 * * 1-5", "weekdays, every 15 minutes from 09:00 to 17:45 Europe/Paris"),
        ("0,30 9-11,14-17 * * *", "every day, in the hours 9-11 and 14-17 at minutes 0 and 30, Europe/Paris"),
        ("0 3 1 * *", "on the 1st of the month at 03:00 Europe/Paris"),
        ("0 4 1 1,4,7,10 *", "on the 1st of January, April, July and October at 04:00 Europe/Paris"),
        ("5 8 * 6-8 *", "every day in June, July and August at 08:05 Europe/Paris"),
        ("0 9 13 * 5", "on the 13th of the month and also on Fridays at 09:00 Europe/Paris"),
        ("0 9 2,22 1 5", "in January, on the 2nd and 22nd of the month and also on Fridays at 09:00 Europe/Paris"),
    ],
)
def test_ordinary_expressions_have_ordinary_words(expression: str, words: str) -> None:
    """What people write is said as they would say it."""
    assert cron_words(expression, "Europe/Paris") == words


@pytest.mark.parametrize("expression", ["*/7 * * * *", "0 0 1-20 * *", "1,4,6,9,33,48,51 5-7 * * *", "@daily", "x"])
def test_what_cannot_be_said_exactly_stands_as_it_is(expression: str) -> None:
    """`*/7` is not "every 7 minutes", and what cannot be read is shown, not guessed."""
    assert cron_words(expression, None) == f"cron {expression}, UTC"
