"""A cron expression in words: "weekdays at 09:00". Words that would not say exactly the same are never used.

They are made from the sets of values that an expression names, not from its text, so that `*/7` is not called "every 7
minutes": it fires at :56 and then at :00. What no short sentence says is shown as the expression itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from cdsync.core.cron import Cron, CronError, parse_cron

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays")

DAY = 24 * 60
"""Minutes."""

MOST_NAMED = 6
"""How many times or days of the month are named one by one; a longer list is no help to a reader."""


def cron_words(expression: str, timezone: str | None) -> str:
    """An expression and its zone for a person: `weekdays at 09:00 Europe/Paris`.

    The zone is shown as it is named, None as UTC. An expression that cannot be read, or not be said exactly in a few
    words, stands as it is: `cron 1,2,4 5-7 * * *, Europe/Paris`.
    """
    said = _said(expression)
    if said is None:
        return f"cron {expression}, {timezone or 'UTC'}"
    ends_with_a_time = said[-3] == ":"
    return f"{said}{' ' if ends_with_a_time else ', '}{timezone or 'UTC'}"


@lru_cache(maxsize=4096)
def _said(expression: str) -> str | None:
    try:
        cron = parse_cron(expression)
    except CronError:
        return None
    times, days = _times(cron), _days(cron)
    if times is None or days is None:
        return None
    if days == "every day" and times.startswith("every"):
        return times
    return f"{days} {times}" if times.startswith("at ") else f"{days}, {times}"


def _times(cron: Cron) -> str | None:
    """The times of a day. A row with one distance is named by its ends, so that it says where it starts and stops."""
    times = [hour * 60 + minute for hour in sorted(cron.hours) for minute in sorted(cron.minutes)]
    steps = {later - earlier for earlier, later in pairwise(times)}
    if len(times) > 3 and len(steps) == 1:
        (step,) = steps
        if times[0] == 0 and step * len(times) == DAY and step <= 60:
            return f"every {_length(step)}"
        return f"every {_length(step)} from {_clock(times[0])} to {_clock(times[-1])}"
    if len(times) <= MOST_NAMED:
        return f"at {_listed(map(_clock, times))}"
    minutes, hours = _ranges(cron.minutes), _ranges(cron.hours)
    if max(len(minutes), len(hours)) > MOST_NAMED:
        return None
    many = "s" if len(cron.minutes) > 1 else ""
    if len(cron.hours) == 24:
        return f"every hour at minute{many} {_listed(minutes)}"
    return f"in the hours {_listed(hours)} at minute{many} {_listed(minutes)}"


def _length(minutes: int) -> str:
    if minutes % 60 == 0:
        return "hour" if minutes == 60 else f"{minutes // 60} hours"
    return "minute" if minutes == 1 else f"{minutes} minutes"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _days(cron: Cron) -> str | None:
    """The days. Where a day of the month and one of the week are named, either is enough: "and also"."""
    every_date, every_weekday = len(cron.days.dates) == 31, len(cron.days.weekdays) == 7
    months = "" if len(cron.days.months) == 12 else _listed(MONTHS[month - 1] for month in sorted(cron.days.months))
    within = f" in {months}" if months else ""
    if every_date:
        return ("every day" if every_weekday else _weekdays(cron)) + within
    if len(cron.days.dates) > MOST_NAMED:
        return None
    dates = f"on the {_listed(_ordinal(day) for day in sorted(cron.days.dates))} of"
    if every_weekday:
        return f"{dates} {months or 'the month'}"
    either = f"{dates} the month and also on {_weekdays(cron)}"
    return f"in {months}, {either}" if months else either


def _weekdays(cron: Cron) -> str:
    # A week of people starts on Monday.
    days = sorted(cron.days.weekdays, key=lambda day: (day - 1) % 7)
    if days == [1, 2, 3, 4, 5]:
        return "weekdays"
    if days == [6, 0]:
        return "weekends"
    return _listed(WEEKDAYS[day] for day in days)


def _ordinal(day: int) -> str:
    ending = "th" if day in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _ranges(values: Iterable[int]) -> list[str]:
    """Values as numbers and ranges: `9-11`."""
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and runs[-1][-1] == value - 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]


def _listed(words: Iterable[str]) -> str:
    *rest, last = words
    return f"{', '.join(rest)} and {last}" if rest else last
