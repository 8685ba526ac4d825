"""When a schedule may be touched, and when a new one fires first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from cdsync.core.timing import LEAD, QUIET, deferred_until, first_fire, next_tick
from tests.core.values import NOW, schedule, shown

SECOND = timedelta(seconds=1)


def test_the_first_firing_is_the_next_tick_in_its_own_zone() -> None:
    """A creation at noon fires first at nine the next morning, in Paris."""
    assert first_fire("0 9 * * 1-5", "Europe/Paris", now=NOW).isoformat() == "2026-06-02T09:00:00+02:00"


def test_the_first_firing_leaves_time_for_the_request() -> None:
    """A tick that would be over when the request arrives is left to pass."""
    tick = NOW + timedelta(minutes=1)

    assert first_fire("* * * * *", "UTC", now=tick - LEAD - SECOND) == tick
    assert first_fire("* * * * *", "UTC", now=tick - LEAD) == tick + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"next_execution_at": NOW + timedelta(hours=1)}, NOW + timedelta(hours=1), id="its_own_word"),
        pytest.param({"next_execution_at": NOW - SECOND}, datetime.fromisoformat("2026-06-02T07:00+00:00"), id="stale"),
        pytest.param({}, datetime.fromisoformat("2026-06-02T07:00+00:00"), id="by_its_cron"),
        pytest.param({"cron": None}, None, id="no_cron"),
        pytest.param({"cron": "@daily"}, None, id="unreadable_cron"),
        pytest.param({"timezone": "Nowhere/Land"}, None, id="unknown_zone"),
    ],
)
def test_the_next_tick_is_by_its_own_word_else_by_its_cron(changes: dict[str, Any], expected: datetime | None) -> None:
    """What the API says counts as long as it lies ahead; what cannot be told is not guessed."""
    assert next_tick(shown(schedule(), **changes), now=NOW) == expected


def test_a_replacement_keeps_away_from_the_next_tick() -> None:
    """Closer than two minutes it waits until just after the tick."""
    tick = NOW + QUIET

    assert deferred_until(shown(schedule(), next_execution_at=tick), now=NOW) is None
    assert deferred_until(shown(schedule(), next_execution_at=tick - SECOND), now=NOW) == tick


def test_what_does_not_fire_need_not_wait() -> None:
    """A paused schedule has no tick to keep away from, nor one whose next tick nobody knows."""
    near = NOW + SECOND

    assert deferred_until(shown(schedule(), status="PAUSED", next_execution_at=near), now=NOW) is None
    assert deferred_until(shown(schedule(), cron=None, next_execution_at=None), now=NOW) is None


@pytest.mark.parametrize(("cron", "distance"), [("* * * * *", 40), ("*/2 * * * *", 80), ("*/3 * * * *", 120)])
def test_a_schedule_that_ticks_often_is_replaced_right_after_a_tick(cron: str, distance: int) -> None:
    """There is always a moment at which a replacement may be made, however often the schedule fires."""

    def at(seconds: int) -> datetime | None:
        return deferred_until(shown(schedule(), cron=cron, next_execution_at=NOW + timedelta(seconds=seconds)), now=NOW)

    assert at(distance) is None
    assert at(distance - 1) == NOW + timedelta(seconds=distance)


def test_a_cron_that_cannot_be_read_keeps_the_whole_distance() -> None:
    """In doubt the tick is respected."""
    odd = shown(schedule(), cron="@hourly", next_execution_at=NOW + QUIET - SECOND)

    assert deferred_until(odd, now=NOW) == NOW + QUIET


def test_a_one_time_schedule_keeps_its_distance_too() -> None:
    """A one-off about to fire is not replaced."""
    soon = shown(schedule(), cron=None, next_execution_at=NOW + QUIET - SECOND)

    assert deferred_until(soon, now=NOW) == NOW + QUIET
