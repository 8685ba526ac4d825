from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdsync import custody
from cdsync.core.model import Address, Hold, Kind, Schedule
from cdsync.core.work import Callback, Reference
from cdsync.errors import WrongWorkspace
from cdsync.simulator import Fault
from cdsync.simulator.schedules import cancel, pause
from tests.executor.world import MONDAY_SEVEN, World, live_in, one_off, outcomes, results, schedule

NINE = MONDAY_SEVEN + timedelta(hours=2)
BOTH = pytest.mark.parametrize("dialect", ["manage", "rest"])


def creating(**fields: Any) -> Fault:
    """A fault that hits creations of schedules."""
    return Fault(method="POST", path="*/schedule", **fields)


@BOTH
@pytest.mark.parametrize("labels", ["echo", "accept", "refuse"])
@pytest.mark.parametrize("cron", ["0 9 * * *", "* * * * *", "*/5 * * * *", "0 0 1 1 *"])
def test_a_creation_does_not_fire(tmp_path: Path, cron: str, labels: str, dialect: Any) -> None:
    """A new schedule fires first at its next tick, and from then on at each, once."""

    async def story(world: World) -> None:
        declared = schedule("a", cron)
        assert (await world.apply(declared)).complete
        assert world.account.firings == []
        (row,) = world.rows()
        assert row.next_execution_at is not None
        await world.until(row.next_execution_at - timedelta(milliseconds=1))
        assert world.account.firings == []
        await world.until(row.next_execution_at + timedelta(milliseconds=1))
        assert len(world.account.firings) == 1
        assert (await world.apply(declared)).done == 0
        assert len(world.account.firings) == 1

    live_in(tmp_path, story, dialect=dialect, labels=labels)


@BOTH
def test_a_creation_in_the_last_second_does_not_fire(tmp_path: Path, dialect: Any) -> None:
    """A tick so near that the request may arrive too late is left out rather than fired at once."""

    async def story(world: World) -> None:
        assert (await world.apply(schedule("a"))).complete
        await world.until(NINE + timedelta(hours=1))
        assert world.account.firings == []
        await world.until(NINE + timedelta(days=1, hours=1))
        assert len(world.account.firings) == 1

    live_in(tmp_path, story, dialect=dialect, start=NINE - timedelta(seconds=1))


@BOTH
def test_an_immediate_first_firing_is_asked_for(tmp_path: Path, dialect: Any) -> None:
    """A schedule that says so fires at its creation, once."""

    async def story(world: World) -> None:
        declared = schedule("a", first_fire="immediate")
        assert (await world.apply(declared)).complete
        assert len(world.account.firings) == 1
        assert (await world.apply(declared)).done == 0
        assert len(world.account.firings) == 1

    live_in(tmp_path, story, dialect=dialect)


@BOTH
@pytest.mark.parametrize("cron", ["0 9 * * *", "* * * * *"])
@pytest.mark.parametrize("first_fire", ["next-tick", "immediate"])
def test_a_paused_schedule_is_made_without_firing(tmp_path: Path, first_fire: Any, cron: str, dialect: Any) -> None:
    """What is declared paused is created and paused, and never fires until it is declared active."""

    async def story(world: World) -> None:
        declared = schedule("a", cron, state="paused", first_fire=first_fire)
        assert (await world.apply(declared)).complete
        (row,) = world.rows()
        assert row.status == "PAUSED"
        await world.until(NINE + timedelta(days=3))
        assert world.account.firings == []
        assert not (await world.plan(declared)).plan.pending
        assert (await world.apply(schedule("a", cron))).complete
        assert row.status == "ACTIVE"

    live_in(tmp_path, story, dialect=dialect)


@BOTH
def test_a_pause_that_fails_leaves_an_active_schedule_that_is_ours(tmp_path: Path, dialect: Any) -> None:
    """When the pause after the creation is lost, the schedule is ours, has not fired, and is paused by the next."""

    async def story(world: World) -> None:
        declared = schedule("a", "* * * * *", state="paused")
        path = "*/manage" if dialect == "manage" else "*/pause"
        world.trouble(Fault(kind="drop_before", method="POST", path=path))
        applied = await world.apply(declared)
        if not applied.complete:
            assert (await world.apply(declared)).complete
        (row,) = world.rows()
        assert row.status == "PAUSED"
        assert world.uid_of(declared) == row.uid
        assert world.account.firings == []

    live_in(tmp_path, story, dialect=dialect)


def test_an_update_in_place_costs_one_request(tmp_path: Path) -> None:
    """In the dialect `manage` all that changed is changed by one request, and the object stays the same."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        (row,) = world.rows()
        before = len(world.account.calls)
        changed = schedule(
            "a", "30 10 * * *", parameters={"max_results": 7}, callback=Callback(url="https://h.example.com")
        )
        assert (await world.apply(changed)).complete
        assert len(world.calls_since(before, method="POST")) == 1
        assert world.rows() == [row]
        assert (row.cron, row.order.parameters, row.status) == ("30 10 * * *", {"max_results": 7}, "ACTIVE")
        assert row.order.callback is not None
        assert world.account.firings == []
        assert not (await world.plan(changed)).plan.pending

    live_in(tmp_path, story)


def test_an_update_that_is_lost_is_made_by_the_next_pass(tmp_path: Path) -> None:
    """A change whose answer is lost sets the same values again, and ends as declared."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        kinds: tuple[Any, ...] = ("drop_before", "drop_after")
        for kind in kinds:
            world.trouble(Fault(kind=kind, method="POST"))
            changed = schedule("a", parameters={"after": kind})
            await world.apply(changed)
            await world.apply(changed)
            (row,) = world.rows()
            assert row.order.parameters == {"after": kind}
            assert not (await world.plan(changed)).plan.pending

    live_in(tmp_path, story)


def test_a_change_of_action_replaces_also_where_updates_are_offered(tmp_path: Path) -> None:
    """What one request cannot change is replaced: the old schedule is cancelled, the new one has not fired."""

    async def story(world: World) -> None:
        await world.apply(schedule("a", of="one"))
        declared = schedule("a", of="another")
        assert (await world.apply(declared)).complete
        (new,) = world.rows("ACTIVE")
        assert new.order.action_name == "another"
        assert len(world.rows("CANCELLED")) == 1
        assert world.account.firings == []

    live_in(tmp_path, story)


def test_a_replacement_costs_four_requests(tmp_path: Path) -> None:
    """In the dialect `rest`: pause the old, create the new, verify it, cancel the old; in this order."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        (old,) = world.rows()
        before = len(world.account.calls)
        changed = schedule("a", "30 10 * * *")
        assert (await world.apply(changed)).complete
        (new,) = world.rows("ACTIVE")
        steps = [(call.method, call.path) for call in world.calls_since(before) if call.path != "/v4/schedules"]
        assert steps == [
            ("POST", f"/v4/schedules/{old.uid}/pause"),
            ("POST", "/v4/actions/action-a/run/schedule"),
            ("GET", f"/v4/schedules/{new.uid}"),
            ("POST", f"/v4/schedules/{old.uid}/cancel"),
        ]
        assert old.status == "CANCELLED"
        assert world.uid_of(changed) == new.uid
        assert world.owned().resources[changed.address].retiring_uid is None
        assert world.account.firings == []
        await world.until(MONDAY_SEVEN + timedelta(hours=12))
        assert [firing.schedule_uid for firing in world.account.firings] == [new.uid]

    live_in(tmp_path, story, dialect="rest")


@pytest.mark.parametrize("minutes", [*range(0, 120, 13), 116, 117, 118, 119, 120, 121])
def test_a_replacement_never_fires_twice_nor_misses_a_tick(tmp_path: Path, minutes: int) -> None:
    """Whenever the inputs of a schedule are changed, each of its ticks is fired once, by the old or by the new one."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        await world.until(MONDAY_SEVEN + timedelta(minutes=minutes))
        changed = schedule("a", parameters={"max_results": 1})
        applied = await world.apply(changed)
        if not applied.complete:
            (blocked,) = applied.left.blocked
            assert blocked.until is not None
            assert len(world.rows("ACTIVE")) == 1
            await world.until(blocked.until)
            assert (await world.apply(changed)).complete
        await world.until(NINE + timedelta(days=2, hours=1))
        assert [firing.at for firing in world.account.firings] == [NINE + timedelta(days=day) for day in range(3)]

    live_in(tmp_path, story, dialect="rest")


@pytest.mark.parametrize("seconds", range(0, 60, 7))
def test_a_schedule_that_ticks_each_minute_can_be_replaced(tmp_path: Path, seconds: int) -> None:
    """A schedule that never keeps still is replaced right after a tick: no tick twice, and none missed."""

    async def story(world: World) -> None:
        await world.apply(schedule("a", "* * * * *"))
        await world.until(NINE + timedelta(seconds=seconds))
        changed = schedule("a", "* * * * *", parameters={"max_results": 1})
        applied = await world.apply(changed)
        if not applied.complete:
            (blocked,) = applied.left.blocked
            assert blocked.until is not None
            await world.until(blocked.until)
            assert (await world.apply(changed)).complete
        await world.until(NINE + timedelta(minutes=5, seconds=30))
        moments = [firing.at for firing in world.account.firings if firing.at > NINE - timedelta(seconds=1)]
        assert moments == [NINE + timedelta(minutes=minute) for minute in range(6)]

    live_in(tmp_path, story, dialect="rest")


@pytest.mark.parametrize("code", [400, 401, 422])
@pytest.mark.parametrize("labels", ["echo", "accept", "refuse"])
def test_a_refused_replacement_is_rolled_back(tmp_path: Path, labels: str, code: int) -> None:
    """When the new schedule is refused, the old one is active again and ours, and nothing else is there."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        (old,) = world.rows()
        world.trouble(creating(kind="status", code=code, times=10))
        changed = schedule("a", parameters={"max_results": 1})
        applied = await world.apply(changed)
        assert outcomes(applied.reports[0]) == {"a": "failed"}
        assert world.rows() == [old]
        assert old.status == "ACTIVE"
        assert world.uid_of(changed) == old.uid
        world.repair()
        assert (await world.apply(changed)).complete
        assert len(world.rows("ACTIVE")) == 1
        assert world.account.firings == []

    live_in(tmp_path, story, dialect="rest", labels=labels)


def test_what_is_declared_paused_fires_no_more_also_when_its_replacement_is_refused(tmp_path: Path) -> None:
    """The old one is not resumed against the declaration, nor is its pause taken for somebody else's."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        (old,) = world.rows()
        world.trouble(creating(kind="status", code=422, times=10))
        changed = schedule("a", "0 10 * * *", state="paused")
        applied = await world.apply(changed)
        assert outcomes(applied.reports[0]) == {"a": "failed"}
        assert (old.status, applied.left.drift) == ("PAUSED", ())
        world.repair()
        assert (await world.apply(changed)).complete
        assert [(row.status, row.cron) for row in world.rows()] == [
            ("CANCELLED", "0 9 * * *"),
            ("PAUSED", "0 10 * * *"),
        ]
        assert world.account.firings == []

    live_in(tmp_path, story, dialect="rest")


def test_a_replacement_that_cannot_be_paused_is_not_gone_back_from(tmp_path: Path) -> None:
    """What is replaced and declared paused at once never leaves two that fire, when only the last pause is refused."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        old = world.uid_of(schedule("a"))
        world.trouble(Fault(kind="status", code=422, method="POST", path="*/pause", skip=1))
        changed = schedule("a", "0 10 * * *", state="paused")
        applied = await world.apply(changed)
        assert outcomes(applied.reports[0]) == {"a": "failed"}
        assert [row.uid for row in world.rows("PAUSED")] == [old]
        assert [row.uid for row in world.rows("ACTIVE")] == [world.uid_of(changed)]
        assert (await world.apply(changed)).complete
        assert world.rows("ACTIVE") == []
        assert [row.cron for row in world.rows("PAUSED")] == ["0 10 * * *"]
        assert world.account.firings == []

    live_in(tmp_path, story, dialect="rest")


@pytest.mark.parametrize("labels", ["echo", "accept", "refuse"])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status", "non_json"])
@pytest.mark.parametrize("patient", [True, False])
def test_a_lost_answer_in_a_replacement_loses_nothing(tmp_path: Path, patient: bool, kind: Any, labels: str) -> None:
    """Whether or not the new schedule was made, in the end there is one, as declared, and no tick came twice."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        world.trouble(creating(kind=kind))
        changed = schedule("a", parameters={"max_results": 1})
        applied = await world.apply(changed, patient=patient)
        for _ in range(4):
            assert len(world.rows("ACTIVE")) <= 1
            await world.until(world.clock.now() + timedelta(seconds=16))
            applied = await world.apply(changed, patient=patient)
        assert applied.complete
        (row,) = world.rows("ACTIVE")
        assert row.order.parameters == {"max_results": 1}
        assert world.rows("PAUSED") == []
        assert world.uid_of(changed) == row.uid
        await world.until(NINE + timedelta(hours=1))
        assert len(world.account.firings) == 1

    live_in(tmp_path, story, dialect="rest", labels=labels)


@pytest.mark.parametrize("path", ["*/pause", "*/cancel"])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status"])
def test_a_lost_step_of_a_replacement_is_made_up_for(tmp_path: Path, kind: Any, path: str) -> None:
    """Whichever request around the creation is lost, the next pass ends with one active schedule as declared."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        world.trouble(Fault(kind=kind, method="POST", path=path))
        changed = schedule("a", parameters={"max_results": 1})
        await world.apply(changed)
        assert (await world.apply(changed)).complete
        (row,) = world.rows("ACTIVE")
        assert row.order.parameters == {"max_results": 1}
        assert world.rows("PAUSED") == []
        await world.until(NINE + timedelta(hours=1))
        assert len(world.account.firings) == 1

    live_in(tmp_path, story, dialect="rest")


@BOTH
def test_what_is_so_already_is_not_an_error(tmp_path: Path, dialect: Any) -> None:
    """A pause that the API refuses because somebody else has paused meanwhile has reached its end."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        (row,) = world.rows()

        def somebody_pauses() -> None:
            row.status = "PAUSED"
            world.account.schedules.changed()

        applied = await world.apply(schedule("a", state="paused"), meanwhile=somebody_pauses)
        assert [result.outcome for result in results(applied)] == ["done"]
        assert applied.complete

    live_in(tmp_path, story, dialect=dialect)


@BOTH
def test_what_is_removed_is_paused_and_then_cancelled(tmp_path: Path, dialect: Any) -> None:
    """An undeclared schedule stops at once, can come back within the grace, and is cancelled after it."""

    async def story(world: World) -> None:
        kept, leaving = schedule("kept"), schedule("leaving")
        await world.apply(kept, leaving)
        await world.apply(kept)
        assert [row.status for row in world.rows()] == ["ACTIVE", "PAUSED"]
        await world.apply(kept, leaving)
        assert [row.status for row in world.rows()] == ["ACTIVE", "ACTIVE"]
        await world.apply(kept)
        await world.until(world.clock.now() + timedelta(days=1, seconds=1))
        assert (await world.apply(kept)).complete
        assert [row.status for row in world.rows()] == ["ACTIVE", "CANCELLED"]
        assert set(world.owned().resources) == {kept.address}

    live_in(tmp_path, story, dialect=dialect)


@BOTH
@pytest.mark.parametrize(
    ("now_is", "ends"),
    [
        pytest.param({"state": "absent"}, "CANCELLED", id="absent"),
        pytest.param({"state": "paused"}, "PAUSED", id="paused"),
        pytest.param(
            {"state": "paused", "callback": Callback(url=Reference("env", "NOT_SET"))}, "PAUSED", id="secret_missing"
        ),
        pytest.param({}, "ACTIVE", id="active"),
    ],
)
def test_what_is_renamed_and_changed_at_once_is_so_after_one_apply(
    tmp_path: Path, now_is: dict[str, Any], ends: str, dialect: Any
) -> None:
    """The store learns the new name first, and nothing of ours is left under the old one."""

    async def story(world: World) -> None:
        kept = schedule("kept", "0 1 * * *")
        await world.apply(schedule("a"), kept)
        uid = world.uid_of(schedule("a"))
        new = replace(schedule("a", was="a", **now_is), address=Address(Kind.SCHEDULE, "new"))
        applied = await world.apply(new, kept)
        assert {result.outcome for result in results(applied)} == {"done"}
        assert {row.uid: row.status for row in world.rows()}[uid] == ends
        assert set(world.owned().resources) == {kept.address} | ({new.address} if ends != "CANCELLED" else set())
        assert (await world.apply(new, kept)).done == 0

    live_in(tmp_path, story, dialect=dialect)


@pytest.mark.parametrize("state", ["active", "absent"])
def test_what_is_renamed_and_gone_leaves_nothing_under_its_old_name(tmp_path: Path, state: Any) -> None:
    """It is made again under its new name, or forgotten, and neither name owns two things."""

    async def story(world: World) -> None:
        kept = schedule("kept", "0 1 * * *")
        await world.apply(schedule("a"), kept)
        cancel(world.account, world.rows()[0], world.clock.now())
        new = schedule("new", of="action-a", was="a", state=state)
        assert (await world.apply(new, kept)).complete
        assert len(world.rows("ACTIVE")) == (2 if state == "active" else 1)
        assert set(world.owned().resources) == {kept.address} | ({new.address} if state == "active" else set())
        assert (await world.apply(new, kept)).done == 0

    live_in(tmp_path, story)


SHORT, LONG = (timedelta(hours=1), timedelta(hours=9))


@pytest.mark.parametrize(
    ("old", "new", "stays"),
    [(None, SHORT, None), (SHORT, None, None), (SHORT, LONG, LONG), (LONG, SHORT, LONG), (None, None, None)],
)
def test_a_rename_between_two_held_names_keeps_the_longer_hold(
    tmp_path: Path, old: timedelta | None, new: timedelta | None, stays: timedelta | None
) -> None:
    """A hold goes with its resource, also onto a held name, and neither lets through what the other held back."""

    def hold(lasting: timedelta | None) -> Hold:
        return Hold(since=MONDAY_SEVEN, until=MONDAY_SEVEN + lasting if lasting else None)

    async def story(world: World) -> None:
        before, after = schedule("a"), schedule("new", "30 10 * * *", of="action-a", was="a")
        await world.apply(before)
        async with world.opened([before]) as work:
            work.store.hold(before.address, hold(old))
            work.store.hold(after.address, hold(new))
        applied = await world.apply(after)
        assert [(row.action.kind.value, row.outcome) for row in results(applied)] == [("rename", "done")]
        assert [row.reason.value for row in applied.left.blocked] == ["held"]
        assert world.owned().held == {after.address: hold(stays)}
        assert set(world.owned().resources) == {after.address}

    live_in(tmp_path, story)


@pytest.mark.parametrize("trouble", ["seen_in_time", "seen_after_it_fired", "cancelled_at_the_second_try"])
def test_a_one_off_that_was_half_replaced_fires_once(tmp_path: Path, trouble: str) -> None:
    """Its predecessor is cancelled whether the replacement still waits, has fired, or fired passes ago."""

    async def story(world: World) -> None:
        at = MONDAY_SEVEN + timedelta(hours=2)
        await world.apply(one_off("a", at=at))
        (old,) = world.rows()
        path = f"*/schedules/{old.uid}/cancel"
        world.trouble(Fault(kind="status", code=500, method="POST", path=path, times=1000))
        changed = one_off("a", at=at, parameters={"max_results": 1})
        await world.apply(changed)
        new = next(row for row in world.rows() if row is not old)
        assert (old.status, new.status) == ("PAUSED", "ACTIVE")
        assert world.owned().resources[changed.address].retiring_uid == old.uid
        if trouble != "seen_in_time":
            await world.until(at + timedelta(minutes=1))
        if trouble == "cancelled_at_the_second_try":
            for _ in range(3):
                await world.apply(changed)
                await world.until(world.clock.now() + timedelta(minutes=20))
            assert old.status == "PAUSED"
        world.repair()
        await world.apply(changed)
        assert old.status == "CANCELLED"
        assert world.owned().resources[changed.address].retiring_uid is None
        await world.until(at + timedelta(days=2))
        assert (await world.apply(changed)).done == 0
        assert [firing.schedule_uid for firing in world.account.firings] == [new.uid]

    live_in(tmp_path, story, dialect="rest")


def test_a_one_off_whose_replacement_was_lost_is_gone_back_to(tmp_path: Path) -> None:
    """When somebody cancels the replacement before the predecessor is cancelled, that one is ours again."""

    async def story(world: World) -> None:
        at = MONDAY_SEVEN + timedelta(hours=2)
        await world.apply(one_off("a", at=at))
        (old,) = world.rows()
        path = f"*/schedules/{old.uid}/cancel"
        world.trouble(Fault(kind="status", code=500, method="POST", path=path, times=1000))
        changed = one_off("a", at=at, parameters={"max_results": 1})
        await world.apply(changed)
        new = next(row for row in world.rows() if row is not old)
        cancel(world.account, new, world.clock.now())
        world.repair()
        applied = await world.apply(changed)
        assert [row.action.kind.value for row in results(applied)] == ["adopt", "replace"]
        assert applied.complete
        await world.until(at + timedelta(days=1))
        (firing,) = world.account.firings
        assert world.account.schedules.rows[firing.schedule_uid].order.parameters == {"max_results": 1}

    live_in(tmp_path, story, dialect="rest")


def test_a_one_off_cancelled_by_hand_is_not_launched_again(tmp_path: Path) -> None:
    """What somebody has called off before its time stays so, and every pass says it."""

    async def story(world: World) -> None:
        declared = one_off("a", at=MONDAY_SEVEN + timedelta(hours=2))
        await world.apply(declared)
        (row,) = world.rows()
        cancel(world.account, row, world.clock.now())
        for _ in range(3):
            applied = await world.apply(declared)
            assert [blocked.reason.value for blocked in applied.left.blocked] == ["needs-attention"]
            await world.until(world.clock.now() + timedelta(days=1))
        assert world.account.firings == []
        assert len(world.rows()) == 1

    live_in(tmp_path, story)


def test_a_one_off_paused_past_its_time_is_not_launched_late(tmp_path: Path) -> None:
    """Nobody resumes it after its time: the API would fire it at once."""

    async def story(world: World) -> None:
        declared = one_off("a", at=MONDAY_SEVEN + timedelta(hours=2))
        await world.apply(declared)
        (row,) = world.rows()
        pause(world.account, row, world.clock.now())
        await world.until(MONDAY_SEVEN + timedelta(hours=3))
        applied = await world.apply(declared)
        assert applied.done == 0
        assert [blocked.reason.value for blocked in applied.left.blocked] == ["needs-attention"]
        assert world.account.firings == []
        assert row.status == "PAUSED"

    live_in(tmp_path, story)


def test_a_one_off_for_later_is_made_once_and_fires_once(tmp_path: Path) -> None:
    """A run with a time is a schedule without a cron; it is never made again, also not when it is over."""

    async def story(world: World) -> None:
        declared = one_off("a", at=NINE)
        for _ in range(3):
            await world.apply(declared)
        assert len(world.rows()) == 1
        await world.until(NINE + timedelta(minutes=1))
        for _ in range(3):
            await world.apply(declared)
            await world.until(world.clock.now() + timedelta(days=60))
        assert len(world.rows()) == 1
        assert [firing.at for firing in world.account.firings] == [NINE]

    live_in(tmp_path, story)


@pytest.mark.parametrize("dialect", ["manage", "rest"])
def test_what_drifted_to_where_it_is_declared_is_told_once(tmp_path: Path, dialect: Any) -> None:
    """A pause whose answer was lost is seen as made by the next look, and is no drift for ever after."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        world.trouble(Fault(kind="drop_after", method="POST"))
        paused = schedule("a", state="paused")
        left = (await world.apply(paused, patient=False)).left
        assert [row.path for row in left.drift] == ["state"]
        assert (await world.plan(paused)).plan.drift == ()

    live_in(tmp_path, story, dialect=dialect)


@pytest.mark.parametrize("behind", [timedelta(minutes=2), timedelta(hours=2)])
def test_a_clock_of_the_server_that_is_behind_lets_nothing_fire_at_once(tmp_path: Path, behind: timedelta) -> None:
    """A first firing in the past would be one at once, so it lies ahead by both clocks; also that of a replacement."""

    async def story(world: World) -> None:
        world.transport.astray = (-behind,)
        for minutes in (30, 20):
            declared = schedule("a", f"*/{minutes} * * * *")
            planned = (await world.plan(declared)).plan
            assert [row.first_fire for row in planned.actions] == [NINE + timedelta(minutes=minutes)]
            await world.apply(declared)
            assert [row.next_execution_at for row in world.rows("ACTIVE")] == [NINE + timedelta(minutes=minutes)]
        assert world.account.firings == []

    live_in(tmp_path, story, dialect="rest", start=NINE + timedelta(minutes=1))


@BOTH
@pytest.mark.parametrize("astray", [-timedelta(days=2), timedelta(days=2)])
def test_a_grace_that_began_by_a_wrong_clock_is_kept(tmp_path: Path, astray: timedelta, dialect: Any) -> None:
    """Whatever the server says that the time is in the pass that begins a removal, the whole grace lies ahead."""

    async def story(world: World) -> None:
        kept = schedule("kept")
        await world.apply(kept, schedule("a"))
        world.transport.astray = (astray,)
        await world.apply(kept)
        world.transport.astray = (timedelta(),)
        await world.until(world.clock.now() + timedelta(hours=23))
        await world.apply(kept)
        assert sorted(row.status for row in world.rows()) == ["ACTIVE", "PAUSED"]

    live_in(tmp_path, story, dialect=dialect)


@BOTH
@pytest.mark.parametrize("labels", ["echo", "accept", "refuse"])
@pytest.mark.parametrize("patient", [True, False])
def test_what_was_just_made_and_is_not_shown_yet_is_not_made_again(
    tmp_path: Path, patient: bool, labels: str, dialect: Any
) -> None:
    """Reads may lag behind for as long as the settle time: a pass waits for that, or leaves it to a later one."""

    async def story(world: World) -> None:
        world.transport.lag = timedelta(seconds=6)
        await world.apply(schedule("old"))
        declared = schedule("old"), schedule("a"), schedule("b", state="paused"), one_off("later", at=NINE)
        for number in range(6):
            applied = await world.apply(*declared, patient=patient)
            assert applied.complete or not patient
            assert number == 0 or applied.done == 0 or not patient
            await world.until(world.clock.now() + timedelta(seconds=1 if patient else 3))
        assert applied.complete
        assert len(world.rows()) == 4

    live_in(tmp_path, story, dialect=dialect, labels=labels)


def test_an_answer_that_takes_long_shows_what_was_there_before(tmp_path: Path) -> None:
    """What was just made is not gone because the answer that does not show it came after the settle time."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="status", code=404, method="GET", path="*/workspaces", times=99))
        declared = schedule("old"), schedule("a")
        await world.apply(declared[0])
        await world.until(world.clock.now() + timedelta(minutes=1))
        await world.apply(*declared)
        # Each answer is dated when it leaves the last of the servers on its way.
        world.transport.lag, world.transport.way = timedelta(seconds=12), timedelta(seconds=5.5)
        world.transport.astray = (world.transport.way,)
        assert not (await world.apply(*declared, patient=False)).complete
        world.transport.way = timedelta()
        assert (await world.apply(*declared)).complete
        assert len(world.rows()) == 2

    live_in(tmp_path, story)


@pytest.mark.parametrize("back", [True, False])
def test_what_was_just_cancelled_is_not_live_whatever_is_shown(tmp_path: Path, back: bool) -> None:
    """A read that lags shows it with our label: it is neither a double of its replacement nor to be adopted."""

    async def story(world: World) -> None:
        others = schedule("b"), schedule("new", of="another-action")
        await world.apply(schedule("a"), others[0])
        (old, _) = world.rows()
        declared = schedule("a") if back else schedule("a", "0 11 * * *")
        await world.apply(replace(schedule("a"), state="absent") if back else declared, others[0])
        assert old.status == "CANCELLED"
        world.transport.behind = {old.uid: "ACTIVE"}
        assert (await world.apply(declared, *others)).complete
        assert world.uid_of(declared) != old.uid
        assert len(world.rows("ACTIVE")) == 3

    live_in(tmp_path, story, dialect="rest")


@pytest.mark.parametrize("dies", [True, False])
def test_what_no_listing_shows_is_set_again_when_an_answer_is_lost(tmp_path: Path, dies: bool) -> None:
    """Also when the edit is taken back before the next apply: nobody knows which inputs the account has then."""

    def edited(value: int) -> Schedule:
        return replace(schedule("a"), work=replace(schedule("a").work, inputs=({"value": value},)))

    async def story(world: World) -> None:
        await world.apply(edited(1))
        world.trouble(Fault(kind="slow", method="POST", path="*/manage", seconds=5.0 if dies else 40.0, after=True))
        if dies:
            await world.die(edited(2), after=1)
        else:
            world.trouble(Fault(kind="drop_before", method="POST", path="*/manage", times=9))
            await world.apply(edited(2), patient=False)
            world.repair()
        assert world.rows()[0].order.inputs == ({"value": 2},)
        assert (await world.apply(edited(1))).complete
        assert world.rows()[0].order.inputs == ({"value": 1},)
        assert (await world.plan(edited(1))).plan.actions == ()

    live_in(tmp_path, story)


def test_an_update_that_is_refused_leaves_what_is_known(tmp_path: Path) -> None:
    """It had no effect, so taking it back is nothing to do."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        world.trouble(Fault(kind="status", code=422, method="POST", path="*/manage", times=9))
        changed = replace(schedule("a"), work=replace(schedule("a").work, inputs=({"of": "b"},)))
        assert outcomes((await world.apply(changed)).reports[0]) == {"a": "failed"}
        assert (await world.plan(schedule("a"))).plan.actions == ()

    live_in(tmp_path, story)


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_was_just_adopted_may_not_be_shown_yet_either(tmp_path: Path, by_hand: bool) -> None:
    """It may have been made a moment before, by whoever lost the state; so a 404 is no absence."""

    async def story(world: World) -> None:
        declared = schedule("old"), schedule("a")
        await world.apply(declared[0])
        await world.until(world.clock.now() + timedelta(minutes=1))
        await world.apply(*declared)
        if by_hand:
            uid = world.uid_of(declared[1])
            async with world.opened(declared) as work:
                custody.forget(work.store, declared[1].address, now=work.api.server_now(), revision=None)
                await custody.adopt(work, declared[1].address, uid, take_over=False)
        else:
            for path in world.settings.state.parent.glob("state.db*"):
                path.unlink()
            await world.apply(*declared, patient=False)
        world.transport.lag = timedelta(seconds=12)
        await world.apply(*declared)
        assert len(world.rows()) == 2

    live_in(tmp_path, story)


def test_a_replacement_pauses_what_was_just_resumed_whatever_is_shown(tmp_path: Path) -> None:
    """Where a read still shows it as paused, both would fire until the predecessor is cancelled."""

    async def story(world: World) -> None:
        await world.apply(schedule("a", state="paused"))
        await world.apply(schedule("a"))
        (old,) = world.rows()
        world.transport.behind = {old.uid: "PAUSED"}
        calls = len(world.account.calls)
        assert (await world.apply(schedule("a", "0 11 * * *"))).reports[0].count("done") == 1
        assert [call.path.rpartition("/")[2] for call in world.calls_since(calls, method="POST")] == [
            "pause",
            "schedule",
            "cancel",
        ]

    live_in(tmp_path, story, dialect="rest")


def test_a_replacement_is_looked_for_until_the_settle_time_is_over(tmp_path: Path) -> None:
    """An answer that took long is not the last one, although it came after that time."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        await world.until(world.clock.now() + timedelta(minutes=5))
        world.transport.lag, world.transport.way = timedelta(seconds=12), timedelta(seconds=4)
        applied = await world.apply(schedule("a", "0 11 * * *"))
        assert outcomes(applied.reports[0]) == {"a": "done"}

    live_in(tmp_path, story, dialect="rest")


@pytest.mark.parametrize("labels", ["echo", "accept", "refuse"])
@pytest.mark.parametrize("patient", [True, False])
def test_a_replacement_that_is_shown_late_is_waited_for(tmp_path: Path, patient: bool, labels: str) -> None:
    """There is never a second active schedule beside it, and none is made at the next passes."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        world.transport.lag = timedelta(seconds=6)
        await world.until(world.clock.now() + timedelta(seconds=7))
        for number in range(5):
            applied = await world.apply(schedule("a", "0 11 * * *"), patient=patient)
            assert number > 0 or outcomes(applied.reports[0]) == {"a": "done"}
            assert len(world.rows("ACTIVE")) == 1
            await world.until(world.clock.now() + timedelta(seconds=3))
        assert applied.complete
        assert [row.status for row in world.rows()] == ["CANCELLED", "ACTIVE"]

    live_in(tmp_path, story, dialect="rest", labels=labels)


@pytest.mark.parametrize(("absent", "ends"), [(False, "PAUSED"), (True, "CANCELLED")])
def test_what_is_not_shown_yet_is_not_forgotten(tmp_path: Path, absent: bool, ends: str) -> None:
    """What is no longer wanted a moment after it was made is taken off when it is shown, and not left to itself."""

    async def story(world: World) -> None:
        kept = schedule("kept")
        await world.apply(kept)
        await world.until(world.clock.now() + timedelta(seconds=7))
        world.transport.lag = timedelta(seconds=6)
        await world.apply(kept, schedule("a"), patient=False)
        for _ in range(4):
            await world.apply(kept, *([schedule("a", state="absent")] if absent else []), patient=False)
            await world.until(world.clock.now() + timedelta(seconds=3))
        assert [row.status for row in world.rows()] == ["ACTIVE", ends]

    live_in(tmp_path, story, dialect="rest")


def test_what_is_shown_as_cancelled_is_made_again_at_once(tmp_path: Path) -> None:
    """It is shown, so nothing lags; only what was never shown is waited for."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        cancel(world.account, world.rows()[0], world.clock.now())
        assert (await world.apply(schedule("a"), patient=False)).done == 1

    live_in(tmp_path, story)


def test_what_is_not_shown_in_the_settle_time_is_gone(tmp_path: Path) -> None:
    """After it the API is believed, and what is declared is made again."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"), schedule("b"))
        del world.account.schedules.rows[world.rows()[0].uid]
        world.account.schedules.changed()
        assert (await world.apply(schedule("a"), schedule("b"), patient=False)).done == 0
        assert (await world.apply(schedule("a"), schedule("b"))).done == 1

    live_in(tmp_path, story)


def test_a_first_apply_whose_reads_lag_is_not_taken_for_another_workspace(tmp_path: Path) -> None:
    """That none of what was just made is shown says nothing of the key; later it would."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="status", code=404, method="GET", path="*/workspaces", times=99))
        world.transport.lag = timedelta(seconds=6)
        assert (await world.apply(schedule("a"))).complete
        world.transport.lag = timedelta(days=1)
        with pytest.raises(WrongWorkspace, match="knows none of the 1 schedules"):
            await world.plan(schedule("a"))

    live_in(tmp_path, story)
