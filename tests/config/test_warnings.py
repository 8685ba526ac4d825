"""What is allowed but rarely meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from cdsync.config import Configuration

Loaded = Callable[[Mapping[str, str | bytes]], Configuration]


def warnings(loaded: Loaded, fields: str, defaults: str = "{}") -> list[str]:
    text = f"defaults: {defaults}\nschedules:\n  x: {{action: a, inputs: [{{}}], {fields}}}\n"
    return [str(warning) for warning in loaded({"a.yaml": text}).warnings]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            "cron: '30 2 * * *', timezone: Europe/Paris",
            "a.yaml:3:38: schedule/x: daylight saving in Europe/Paris skips the fire time 2026-03-29 02:30 "
            "and repeats the fire time 2026-10-25 02:30; choose another time, or timezone: UTC",
            id="skipped_and_repeated",
        ),
        pytest.param(
            "cron: '30 2 * 3 *', timezone: Europe/Paris",
            "a.yaml:3:38: schedule/x: daylight saving in Europe/Paris skips the fire time 2026-03-29 02:30; "
            "choose another time, or timezone: UTC",
            id="only_skipped",
        ),
        pytest.param(
            "cron: '*/30 1 * 11 *', timezone: America/New_York",
            "a.yaml:3:38: schedule/x: daylight saving in America/New_York repeats the fire time 2026-11-01 01:00 "
            "and 1 more; choose another time, or timezone: UTC",
            id="several_repeated",
        ),
        pytest.param(
            "cron: '* * * * *'",
            "a.yaml:3:38: schedule/x: cron '* * * * *' fires every minute, and every run costs credits; "
            "expected at least 5 minutes in between",
            id="every_minute",
        ),
        pytest.param(
            "cron: '0,4 9 * * *', state: paused",
            "a.yaml:3:38: schedule/x: cron '0,4 9 * * *' fires 4 minutes apart, and every run costs credits; "
            "expected at least 5 minutes in between",
            id="tight_once_a_day",
        ),
    ],
)
def test_a_doubtful_time_is_warned_about(loaded: Loaded, fields: str, expected: str) -> None:
    """One warning says what will happen, when first, and what to do; the configuration is loaded all the same."""
    assert warnings(loaded, fields) == [expected]


@pytest.mark.parametrize(
    "fields",
    [
        "cron: '30 2 * * *'",
        "cron: '30 2 * 6 *', timezone: Europe/Paris",
        "cron: '30 9 * * *', timezone: Europe/Paris",
        "cron: '30 2 * * *', timezone: Asia/Tokyo",
        "cron: '*/5 * * * *'",
        "cron: '* * * * *', state: absent",
    ],
)
def test_an_ordinary_time_is_not_warned_about(loaded: Loaded, fields: str) -> None:
    """A warning that is always there is read by nobody."""
    assert warnings(loaded, fields) == []


def test_a_cron_of_defaults_is_warned_about_where_it_stands(loaded: Loaded) -> None:
    """The place is that of the expression, the address that of the schedule."""
    assert warnings(loaded, "state: active", "{cron: '* * * * *'}") == [
        "a.yaml:1:18: schedule/x: cron '* * * * *' fires every minute, and every run costs credits; "
        "expected at least 5 minutes in between"
    ]
