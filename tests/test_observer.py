from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdsync.core.actions import ActionKind
from cdsync.errors import ApiError
from cdsync.simulator import Fault
from cdsync.simulator.account import Order
from cdsync.simulator.schedules import add, cancel, pause
from tests.executor.world import World, live_in, one_off, schedule

DIALECTS = pytest.mark.parametrize("dialect", ["manage", "rest"])


@DIALECTS
@pytest.mark.parametrize(("number", "calls"), [(1, 1), (99, 1), (100, 1), (101, 2)])
def test_a_pass_with_nothing_to_do_costs_the_fewest_calls(
    tmp_path: Path, number: int, calls: int, dialect: Any
) -> None:
    """An account that is as declared costs one call for each hundred schedules, and no other."""

    async def story(world: World) -> None:
        declared = [schedule(f"n{index}") for index in range(number)]
        assert (await world.apply(*declared)).complete
        before = len(world.account.calls)
        assert (await world.apply(*declared)).done == 0
        assert len(world.calls_since(before)) == calls

    live_in(tmp_path, story, dialect=dialect)


@DIALECTS
def test_a_schedule_that_a_listing_forgets_is_confirmed(tmp_path: Path, dialect: Any) -> None:
    """An owned schedule that a stale listing does not show is asked for by its UID, and is not made again."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        declared = [schedule("a"), schedule("b")]
        await world.apply(*declared)
        world.trouble(Fault(kind="stale_listing", path="*/schedules*", method="GET", times=1, writes=2))
        assert not (await world.plan(*declared)).plan.pending
        assert len(world.rows()) == 2

    live_in(tmp_path, story, dialect=dialect)


@DIALECTS
def test_a_schedule_that_was_cancelled_by_hand_is_made_again(tmp_path: Path, dialect: Any) -> None:
    """What is confirmed as gone is drift, and is created anew, once."""

    async def story(world: World) -> None:
        declared = schedule("a")
        await world.apply(declared)
        (row,) = world.rows()
        cancel(world.account, row, world.clock.now())
        planned = await world.plan(declared)
        assert planned.sight.observed.gone == {row.uid: "CANCELLED"}
        assert [action.kind for action in planned.plan.actions] == [ActionKind.CREATE]
        assert (await world.apply(declared)).complete
        assert [row.status for row in world.rows()] == ["CANCELLED", "ACTIVE"]
        assert (await world.apply(declared)).done == 0

    live_in(tmp_path, story, dialect=dialect)


def test_a_schedule_that_the_api_does_not_know_is_gone(tmp_path: Path) -> None:
    """404 to a request by UID confirms the absence, with no status."""

    async def story(world: World) -> None:
        declared = schedule("a")
        await world.apply(declared, schedule("b"))
        row = world.rows()[0]
        del world.account.schedules.rows[row.uid]
        world.account.schedules.changed()
        planned = await world.plan(declared, schedule("b"))
        assert planned.sight.observed.gone == {row.uid: None}

    live_in(tmp_path, story)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", code=401, times=100),
        Fault(kind="status", code=403, times=100),
        Fault(kind="status", code=500, times=100),
        Fault(kind="drop_before", times=100),
        Fault(kind="non_json", code=200, times=100),
        Fault(kind="status", code=404, times=100, path="*/schedules/list"),
    ],
)
def test_a_listing_that_fails_decides_nothing(tmp_path: Path, fault: Fault) -> None:
    """An account that cannot be read is not an empty one: the pass ends, and nothing was sent or remembered."""

    async def story(world: World) -> None:
        declared = schedule("a")
        await world.apply(declared)
        owned, before = world.owned(), len(world.account.calls)
        world.trouble(fault)
        with pytest.raises(ApiError):
            await world.apply(declared, schedule("b"))
        assert world.calls_since(before, method="POST") == []
        assert world.owned() == owned
        assert [row.status for row in world.rows()] == ["ACTIVE"]

    live_in(tmp_path, story)


def test_drift_is_seen_and_healed(tmp_path: Path) -> None:
    """A schedule that somebody paused by hand is active again after a pass, and the plan says who moved."""

    async def story(world: World) -> None:
        declared = schedule("a")
        await world.apply(declared)
        (row,) = world.rows()
        pause(world.account, row, world.clock.now())
        planned = await world.plan(declared)
        assert [(drift.path, drift.applied, drift.found) for drift in planned.plan.drift] == [
            ("state", "active", "paused")
        ]
        assert (await world.apply(declared)).complete
        assert row.status == "ACTIVE"

    live_in(tmp_path, story)


@DIALECTS
def test_runs_are_looked_at_when_something_of_ours_has_fired(tmp_path: Path, dialect: Any) -> None:
    """After a firing the runs are asked for until they are finished, and then no more until the next one."""

    async def story(world: World) -> None:
        declared = schedule("a")
        await world.apply(declared)

        async def looks() -> int:
            before = len(world.account.calls)
            await world.apply(declared)
            return sum(1 for call in world.calls_since(before) if "/runs" in call.path)

        assert await looks() == 0
        await world.until(world.clock.now() + timedelta(hours=2, seconds=1))
        # One page, and one more that shows that it was not cut short.
        assert await looks() == 2
        await world.until(world.clock.now() + timedelta(minutes=15))
        await looks()
        assert [run.finished for run in world.owned().runs.values()] == [True]
        await looks()
        assert await looks() == 0

    live_in(tmp_path, story, dialect=dialect)


def test_a_strangers_schedule_that_does_the_same_is_seen(tmp_path: Path) -> None:
    """Before something is made, all that is there is read: a lookalike on the second page blocks the creation."""

    async def story(world: World) -> None:
        at = world.clock.now() + timedelta(days=1)
        for index in range(150):
            order = Order(action_name=f"action-n{index}", inputs=({},))
            add(world.account, order, {"cron": "0 9 * * *", "schedule_at": at}, world.clock.now(), foreign=True)
        applied = await world.apply(schedule("n149"))
        assert applied.done == 0
        assert [row.reason for row in applied.left.blocked] == ["lookalike"]
        assert len(world.rows()) == 150

    live_in(tmp_path, story)


def test_a_run_that_may_have_been_launched_is_seen(tmp_path: Path) -> None:
    """A lost state does not launch a one-off again: its run is found by its label, or blocks as a lookalike."""

    async def story(world: World) -> None:
        declared = one_off("a")
        await world.apply(declared)
        world.settings.state.unlink()
        applied = await world.apply(declared)
        assert len(world.account.runs.rows) == 1
        assert applied.complete

    live_in(tmp_path, story)
