"""When everything declared fires next, and what daylight saving does to that."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cdsync.core.coming import coming_fires, span_of
from cdsync.core.crowding import crowd_in
from cdsync.errors import CdsyncError
from tests.core.values import NOW, one_off, schedule

SPRING = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)
"""The day before clocks are put forward in Europe."""

AUTUMN = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
"""The day before they are put back."""


def test_each_resource_shows_as_many_fires_as_asked_for_by_time() -> None:
    """The next fires of each are merged into one list, each in its own zone."""
    found = coming_fires(
        [schedule("paris"), schedule("delhi", cron="30 15 * * *", timezone="Asia/Kolkata")], span_of(NOW, count=2)
    )

    assert [(str(fire.address), fire.at.isoformat()) for fire in found.fires] == [
        ("schedule/paris", "2026-06-02T09:00:00+02:00"),
        ("schedule/delhi", "2026-06-02T15:30:00+05:30"),
        ("schedule/paris", "2026-06-03T09:00:00+02:00"),
        ("schedule/delhi", "2026-06-03T15:30:00+05:30"),
    ]


def test_days_bound_all_fires() -> None:
    """With days, every fire up to that very instant is listed, and none after."""
    found = coming_fires([schedule(cron="0 */12 * * *", timezone="UTC")], span_of(NOW, days=1))

    assert [fire.at for fire in found.fires] == [NOW + timedelta(hours=12), NOW + timedelta(days=1)]


def test_what_does_not_fire_is_left_out() -> None:
    """Paused and absent schedules, runs launched at once, and times that have passed do not fire."""
    later = NOW.astimezone(timezone(timedelta(hours=1))) + timedelta(days=3)
    found = coming_fires(
        [
            schedule("paused", state="paused"),
            schedule("absent", state="absent"),
            one_off("at-once"),
            one_off("over", schedule_at=NOW - timedelta(days=1)),
            one_off("later", schedule_at=later),
        ],
        span_of(NOW, count=3),
    )

    assert [(str(fire.address), fire.at.isoformat()) for fire in found.fires] == [
        ("run/later", "2026-06-04T13:00:00+01:00")
    ]


def test_a_time_that_a_clock_change_skips_is_told_and_does_not_count() -> None:
    """The skipped night is named by its local time, and the asked number of fires still comes."""
    found = coming_fires([schedule(cron="30 2 * * *")], span_of(SPRING, count=2))

    assert [fire.at.isoformat() for fire in found.fires] == ["2027-03-29T02:30:00+02:00", "2027-03-30T02:30:00+02:00"]
    assert [row.at.replace(tzinfo=None).isoformat() for row in found.skipped] == ["2027-03-28T02:30:00"]


def test_a_time_that_a_clock_change_repeats_fires_once_and_says_so() -> None:
    """The first of the two is the fire, in summer time."""
    found = coming_fires([schedule(cron="30 2 * * *")], span_of(AUTUMN, count=2))

    assert [(fire.at.isoformat(), fire.repeated) for fire in found.fires] == [
        ("2026-10-25T02:30:00+02:00", True),
        ("2026-10-26T02:30:00+01:00", False),
    ]


def test_more_than_anybody_can_read_is_refused() -> None:
    """A schedule of every minute over a year ends with an error that says what to do, not with a machine at its end."""
    with pytest.raises(CdsyncError, match="more than 1,000 fire times") as caught:
        coming_fires([schedule(cron="* * * * *")], span_of(NOW, days=366), most=1000)

    assert caught.value.remedy == "narrow the glob, or lower --count or --days"


def test_ten_thousand_schedules_take_no_time() -> None:
    """A large account is answered at once: the time is that of this process, so that a busy machine does not count."""
    declared = [schedule(f"s{n}", cron=f"{n % 60} {n // 60 % 24} * * {n % 7}") for n in range(10_000)]
    start = time.process_time()
    assert len(coming_fires(declared, span_of(NOW, count=1)).fires) == 10_000
    assert crowd_in(declared, now=NOW) is None
    assert time.process_time() - start < 10
