from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdsync.core.model import FollowedRun, ResumePolicy
from cdsync.simulator import Fault
from cdsync.simulator.account import Order
from cdsync.simulator.firing import start_run
from cdsync.simulator.progress import settle
from cdsync.store import open_writer
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


def test_a_run_whose_resume_is_refused_is_left_to_a_person(tmp_path: Path) -> None:
    """One that belongs to a flow would be refused again and again; a person's word tries it once more."""

    async def story(world: World) -> None:
        declared = one_off("a")
        await world.apply(declared)
        stop(world)
        flow = "it belongs to a flow run; resume the flow"
        world.trouble(Fault(kind="status", code=422, message=flow, method="POST", path="*/runs/*"))
        await world.apply(declared)
        calls = len(world.account.calls)
        (blocked,) = (await world.apply(declared)).left.blocked
        assert blocked.reason.value == "needs-attention"
        assert flow in blocked.message
        assert world.calls_since(calls, method="POST") == []
        await world.resume(declared)
        assert statuses(world) == ["SCHEDULED"]

    live_in(tmp_path, story, dialect="rest")


def test_a_resume_that_is_refused_because_another_took_effect_means_nothing(tmp_path: Path) -> None:
    """A read that lags shows a run as standing still that was just resumed; it is resumed again when it stops."""

    async def story(world: World) -> None:
        declared = one_off("a")
        await world.apply(declared)
        stop(world)
        await world.resume(declared)
        (run,) = world.account.runs.rows.values()
        world.transport.behind = {run.uid: "STOPPED"}
        await world.resume(declared)
        assert world.calls_since(0, method="POST")[-1].status not in {None, 200}
        world.transport.behind = {}
        await world.until(world.clock.now() + timedelta(minutes=11))
        stop(world)
        await world.apply(declared)
        assert statuses(world) == ["SCHEDULED"]

    live_in(tmp_path, story, dialect="rest")


def test_a_run_that_blocks_again_after_each_resume_is_given_up_in_the_end(tmp_path: Path) -> None:
    """After three attempts, each in a process of its own and ever later, it is shown to a person and left alone."""

    async def story(world: World) -> None:
        declared = one_off("a", resume=ResumePolicy(statuses=("STOPPED", "BLOCKED"), attempts=3))
        await world.apply(declared)
        resumed = []
        for _ in range(40):
            stop(world, "BLOCKED")
            calls = len(world.account.calls)
            left = (await world.apply(declared)).left
            resumed += [call.at for call in world.calls_since(calls, method="POST")]
            await world.until(world.clock.now() + timedelta(minutes=3))
        assert len(resumed) == 3
        assert resumed[2] - resumed[1] > resumed[1] - resumed[0] > timedelta(minutes=3)
        (blocked,) = left.blocked
        assert blocked.reason.value == "needs-attention"
        assert "again after 3 resumes" in blocked.message

    live_in(tmp_path, story, dialect="rest")


def test_a_thousand_runs_hold_up_no_change_of_a_schedule(tmp_path: Path) -> None:
    """On thirty requests a minute, a change still applies within two minutes, while each run has its turn."""

    async def story(world: World) -> None:
        await world.apply(schedule("s"))
        hour = world.clock.now()
        runs = [start_run(world.account, Order(action_name="action-s", inputs=({},)), hour) for _ in range(1000)]
        with open_writer(world.settings.state, holder="a test") as store:
            followed = (
                FollowedRun(uid=run.uid, address=schedule("s").address, status="RUNNING", created_at=hour)
                for run in runs
            )
            store.follow(tuple(followed), owned=())
        for run in runs:
            settle(world.account, run, hour, "RUNNING", None)
        slow = replace(world.settings.api, requests_per_minute=30)
        world.settings = replace(world.settings, api=slow)
        begun = world.clock.now()
        applied = await world.apply(schedule("s", "30 9 * * *"), patient=False)
        assert applied.complete
        assert world.clock.now() - begun <= timedelta(minutes=2)
        for _ in range(9):
            await world.apply(schedule("s", "30 9 * * *"), patient=False)
        assert all(run.seen_at is not None for run in world.owned().runs.values())

    live_in(tmp_path, story, requests_per_minute=30)
