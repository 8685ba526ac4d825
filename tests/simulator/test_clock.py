from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cdsync.simulator import Clock

START = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_stopped_clock_moves_only_when_pushed() -> None:
    """At speed 0, time is what the start and the pushes say."""
    clock = Clock(start=START, speed=0)
    clock.advance(90)
    assert clock() == START + timedelta(seconds=90)


def test_a_fast_clock_outruns_real_time() -> None:
    """At a high speed, any real time that passes is many simulated seconds."""
    clock = Clock(start=START, speed=1e9)
    assert clock() > START


def test_time_never_runs_backwards() -> None:
    """Neither a negative speed nor a negative push is taken."""
    with pytest.raises(ValueError, match="negative"):
        Clock(start=START, speed=-1)
    with pytest.raises(ValueError, match="never runs backwards"):
        Clock(start=START).advance(-1)
