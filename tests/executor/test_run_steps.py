from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdsync.simulator import Fault
from cdsync.simulator.progress import settle
from tests.executor.world import World, live_in, one_off, schedule

DIALECTS = pytest.mark.parametrize("dialect", ["manage", "rest"])


def stop(world: World, status: str = "STOPPED", label: str = "PROXY_ERROR") -> None:
    """Let every run stand still."""
    world.served.simulation.catch_up()
    for run in world.account.runs.rows.values():
        settle(world.account, run, world.clock.now(), status, {"label": label, "message": "m", "params": {}})


def statuses(world: World) -> list[str]:
    """What the runs are at."""
    return [run.status for run in world.account.runs.rows.values()]


@DIALECTS
def test_a_one_off_is_launched_once(tmp_path: Path, dialect: Any) -> None:
    """A launched run is never launched again: not while it runs, not when it is over, not after 90 days."""

    async def story(world: World) -> None:
        declared = one_off("a")
        for days in (0, 1, 60, 60):
            await world.until(world.clock.now() + timedelta(days=days))
            await world.apply(declared)
        launches = [call for call in world.account.calls if call.path.endswith("/async")]
        assert len(launches) == 1
        assert world.account.runs.rows == {}

    live_in(tmp_path, story, dialect=dialect)


@DIALECTS
def test_a_run_that_stopped_is_resumed_and_counted(tmp_path: Path, dialect: Any) -> None:
    """One request resumes it, and the attempt is remembered."""

    async def story(world: World) -> None:
        declared = one_off("a")
        await world.apply(declared)
        stop(world)
        await world.apply(declared)
        assert statuses(world) == ["SCHEDULED"]
        (followed,) = world.owned().runs.values()
        assert followed.resumes == 1
        assert followed.resumed_at is not None

    live_in(tmp_path, story, dialect=dialect)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status"])
def test_an_attempt_counts_also_when_its_answer_is_lost(tmp_path: Path, kind: Any) -> None:
    """Attempts are counted before they leave, so that no trouble makes more of them than the policy allows."""

    async def story(world: World) -> None:
        declared = one_off("a")
        await world.apply(declared)
        world.trouble(Fault(kind=kind, method="POST", path="*/runs/*", times=1000))
        for _ in range(30):
            stop(world)
            await world.apply(declared)
            await world.until(world.clock.now() + timedelta(hours=1))
        attempts = [call for call in world.account.calls if call.method == "POST" and "/runs/" in call.path]
        assert len(attempts) == 3
        (followed,) = world.owned().runs.values()
        assert followed.resumes == 3

    live_in(tmp_path, story)


def test_a_run_of_a_schedule_is_resumed_too(tmp_path: Path) -> None:
    """A run that an owned schedule fired is followed and resumed."""

    async def story(world: World) -> None:
        declared = schedule("a")
        await world.apply(declared)
        await world.until(world.clock.now() + timedelta(hours=2, minutes=2))
        stop(world)
        await world.apply(declared)
        assert statuses(world) == ["SCHEDULED"]
        assert len(world.account.firings) == 1

    live_in(tmp_path, story)


def test_a_resume_that_comes_at_once_waits_for_its_pause(tmp_path: Path) -> None:
    """After a resume, the next one waits for the back-off, which grows."""

    async def story(world: World) -> None:
        declared = one_off("a")
        await world.apply(declared)
        moments = []
        for _ in range(60):
            stop(world)
            await world.apply(declared)
            if statuses(world) == ["SCHEDULED"]:
                moments.append(world.clock.elapsed)
            await world.until(world.clock.now() + timedelta(minutes=1))
        assert len(moments) == 3
        assert moments[1] - moments[0] >= 300
        assert moments[2] - moments[1] >= 600

    live_in(tmp_path, story)
