"""How long is waited from pass to pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.core.actions import ActionKind, BlockedReason, Plan
from cdsync.daemon.backoff import BREATH, JITTER, pause_after, pause_until_due
from tests.daemon.values import NOW, action, blocked, record

SETTLE = timedelta(seconds=15)


def test_after_a_good_pass_the_interval_is_waited() -> None:
    """Give or take a tenth."""
    assert pause_after(0, interval=60, draw=0.5) == pytest.approx(60)
    assert pause_after(0, interval=60, draw=0) == pytest.approx(54)
    assert pause_after(0, interval=60, draw=1) == pytest.approx(66)


def test_failures_are_waited_out_longer_and_longer() -> None:
    """From five seconds, doubling, to five minutes."""
    pauses = [pause_after(failures, interval=60, draw=0.5) for failures in range(1, 10)]

    assert [round(pause) for pause in pauses] == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_an_interval_that_is_longer_than_the_cap_is_kept() -> None:
    """Nobody who looks once an hour wants twelve looks an hour because the API is down for a week."""
    assert pause_after(30, interval=3600, draw=0.5) == pytest.approx(3600)


@given(st.integers(0, 10**9), st.floats(1, 10**6), st.floats(0, 1))
def test_no_pause_is_without_an_end(failures: int, interval: float, draw: float) -> None:
    """However long the API is down, the next try comes within the cap."""
    pause = pause_after(failures, interval=interval, draw=draw)

    assert 0 < pause <= max(300.0, interval) * (1 + JITTER)


def test_what_has_a_time_of_its_own_is_not_kept_waiting() -> None:
    """A deferred replacement is made right after the tick that it waits for; the soonest time counts."""
    rows = (
        replace(blocked("a", BlockedReason.DEFERRED), until=NOW + timedelta(seconds=30)),
        replace(blocked("b", BlockedReason.HELD), until=NOW + timedelta(seconds=20)),
        replace(blocked("c", BlockedReason.WAITING), until=NOW - timedelta(seconds=1)),
        blocked("d"),
    )
    assert pause_until_due(record(plan=Plan(blocked=rows)), settle=SETTLE) == 20
    assert pause_until_due(record(plan=Plan(blocked=rows[2:])), settle=SETTLE) is None


def test_an_unknown_outcome_is_looked_for_again_after_the_settle_time() -> None:
    """Not only after the interval."""
    rows = (blocked(reason=BlockedReason.UNRESOLVED_OUTCOME),)

    assert pause_until_due(record(plan=Plan(blocked=rows)), settle=SETTLE) == 16


def test_a_live_run_goes_on_after_a_breath() -> None:
    """It is worked on in slices, so that it holds up nothing else."""
    plan = Plan(actions=(action(kind=ActionKind.FETCH),))

    assert pause_until_due(record(plan=plan), settle=SETTLE) == BREATH
