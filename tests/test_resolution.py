from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdsync.core.actions import BlockedReason
from cdsync.core.model import Resource, Schedule
from cdsync.errors import ApiError
from cdsync.reconciler import known_labels
from cdsync.resolution import resolve
from cdsync.simulator import Fault
from cdsync.simulator.account import Order
from cdsync.simulator.firing import start_run
from cdsync.simulator.schedules import add
from tests.executor.world import SETTLE, World, live_in, one_off, schedule

TIMEOUT = timedelta(seconds=30)
CALM: Any = {"settle": SETTLE, "under_way": TIMEOUT, "revision": None, "patient": False}
"""How a pass that does not wait looks."""
LABELS = pytest.mark.parametrize("labels", ["echo", "accept"])


def lost(kind: Any) -> Fault:
    """A creation whose answer does not come."""
    return Fault(kind=kind, method="POST", path="*/actions/*")


def doubled(world: World, declared: Schedule, *, name: str | None = None) -> str:
    """Somebody makes the same schedule by hand."""
    order = Order(action_name=declared.work.action, inputs=({},), name=name)
    at = world.clock.now() + timedelta(hours=2)
    return add(world.account, order, {"cron": declared.cron, "schedule_at": at}, world.clock.now(), foreign=True).uid


def test_two_possible_matches_are_left_for_a_person(tmp_path: Path) -> None:
    """Where labels are not shown and two objects may be it, nothing is owned and nothing is made; it is asked."""

    async def story(world: World) -> None:
        declared = schedule("a")
        world.trouble(lost("drop_after"))
        other = [""]

        def meanwhile() -> None:
            other[0] = doubled(world, declared)

        for patient in (True, True):
            applied = await world.apply(declared, patient=patient, meanwhile=meanwhile if not world.rows() else None)
            (blocked,) = applied.left.blocked
            assert blocked.reason is BlockedReason.UNRESOLVED_OUTCOME
            for row in world.rows():
                assert row.uid in blocked.message
            assert "cdsync adopt schedule/a UID" in blocked.message
        assert len(world.rows()) == 2
        assert world.owned().resources == {}
        assert len(world.pending()) == 1

    live_in(tmp_path, story, labels="accept")


def test_a_label_tells_ours_from_a_strangers(tmp_path: Path) -> None:
    """Where labels are shown, the one that carries ours is taken, whatever else is alike."""

    async def story(world: World) -> None:
        declared = schedule("a")
        world.trouble(lost("drop_after"))
        others: list[str] = []

        def meanwhile() -> None:
            others.append(doubled(world, declared))
            others.append(doubled(world, declared, name="somebody/else"))

        assert (await world.apply(declared, meanwhile=meanwhile)).complete
        assert world.uid_of(declared) not in others
        assert len(world.rows()) == 3

    live_in(tmp_path, story, labels="echo")


@pytest.mark.parametrize("labels", ["accept", "refuse"])
@pytest.mark.parametrize("ago", [timedelta(seconds=1), timedelta(minutes=1)], ids=["just_now", "a_minute_ago"])
def test_an_older_lookalike_is_not_taken_for_it(tmp_path: Path, labels: str, ago: timedelta) -> None:
    """What was there before the request left cannot be its effect, however little the clocks can tell."""

    async def story(world: World) -> None:
        declared = schedule("a")
        old = doubled(world, declared)
        await world.until(world.clock.now() + ago)
        world.trouble(lost("drop_before"))
        assert (await world.apply(declared, allow_lookalikes=True)).complete
        assert world.uid_of(declared) != old
        assert len(world.rows()) == 2

    live_in(tmp_path, story, labels=labels)


def test_a_run_of_before_is_not_taken_for_a_launch(tmp_path: Path) -> None:
    """The same for a launch: what was launched a second before it does not keep it from being launched."""

    async def story(world: World) -> None:
        declared = one_off("a")
        old = start_run(world.account, Order(action_name=declared.work.action, inputs=({},)), world.clock.now())
        await world.until(world.clock.now() + timedelta(seconds=1))
        world.trouble(lost("drop_before"))
        assert (await world.apply(declared, allow_lookalikes=True)).complete
        assert world.uid_of(declared) != old.uid
        assert len(world.account.runs.rows) == 2

    live_in(tmp_path, story, labels="accept")


@LABELS
def test_what_was_made_hours_later_is_not_taken_for_it(tmp_path: Path, labels: str) -> None:
    """After a creation that was never made, what somebody else makes meanwhile is asked about, and not made ours."""

    async def story(world: World) -> None:
        declared = schedule("a")
        world.trouble(lost("drop_before"))
        await world.apply(declared, patient=False)
        await world.until(world.clock.now() + timedelta(hours=4))
        theirs = doubled(world, declared)
        for _ in range(2):
            applied = await world.apply(declared)
            assert world.owned().resources == {}
            (blocked,) = applied.left.blocked
            assert blocked.reason is BlockedReason.UNRESOLVED_OUTCOME
            assert theirs in blocked.message
            assert "cdsync forget schedule/a" in blocked.message
        assert len(world.rows()) == 1

    live_in(tmp_path, story, labels=labels)


async def killed(world: World, declared: Resource, *, after: float) -> None:
    """Let an apply die after so many seconds, in the middle of its request."""
    await world.die(declared, after=after)
    assert [pending.lost for pending in world.pending()] == [False]


KINDS = pytest.mark.parametrize("declared", [schedule("a"), one_off("a")], ids=["schedule", "run"])


def made(world: World) -> int:
    """How many objects there are."""
    return len(world.rows()) + len(world.account.runs.rows)


@KINDS
@LABELS
@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.parametrize("held", [0, 40])
def test_what_takes_effect_after_its_sender_died_is_found(
    tmp_path: Path, held: int, patient: bool, labels: str, declared: Resource
) -> None:
    """A request may take as long as its sender would wait, and may have left late; it is not sent again before."""

    async def story(world: World) -> None:
        world.trouble(replace(lost("slow"), seconds=22, skip=bool(held)))
        if held:
            world.trouble(replace(lost("rate_limit"), seconds=held))
        await killed(world, declared, after=held + 1)
        while not (await world.apply(declared, patient=patient)).complete:
            assert not patient
            await asyncio.sleep(SETTLE.total_seconds() + 1)
        await asyncio.sleep(60)
        assert made(world) == 1
        assert len(world.owned().resources) == 1

    live_in(tmp_path, story, labels=labels)


@KINDS
def test_what_never_arrived_when_its_sender_died_is_made_in_the_end(tmp_path: Path, declared: Resource) -> None:
    """Once it cannot take effect any more, and its effect would show, one apply rules it out and makes it."""

    async def story(world: World) -> None:
        world.trouble(replace(lost("slow"), seconds=5, after=False), replace(lost("drop_before")))
        await killed(world, declared, after=1)
        began = world.clock.now()
        assert (await world.apply(declared)).complete
        assert TIMEOUT + SETTLE < world.clock.now() - began < TIMEOUT + SETTLE + timedelta(seconds=5)
        assert made(world) == 1

    live_in(tmp_path, story)


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (replace(lost("status"), code=500), SETTLE),
        (replace(lost("non_json"), code=200, after=False), SETTLE),
        (replace(lost("slow"), seconds=10**6), TIMEOUT + SETTLE),
        (replace(lost("status"), code=502), TIMEOUT + SETTLE),
        (replace(lost("status"), code=504), TIMEOUT + SETTLE),
        (lost("drop_before"), TIMEOUT + SETTLE),
    ],
    ids=["answered", "answered_badly", "timed_out", "no_gateway", "gateway_timed_out", "cut_off"],
)
def test_a_request_has_its_whole_time_before_its_effect_is_waited_for(
    tmp_path: Path, fault: Fault, wait: timedelta
) -> None:
    """It is over when the server has answered or the time is up; a connection that breaks does not end it there."""

    async def story(world: World) -> None:
        world.trouble(fault)
        began = world.clock.now()
        assert (await world.apply(schedule("a"))).complete
        assert wait < world.clock.now() - began < wait + timedelta(seconds=5)
        assert len(world.rows()) == 1

    live_in(tmp_path, story)


@KINDS
@LABELS
def test_what_takes_effect_after_the_connection_broke_is_found(tmp_path: Path, labels: str, declared: Resource) -> None:
    """The server goes on with what it has received, whoever has hung up meanwhile."""

    async def story(world: World) -> None:
        world.trouble(replace(lost("slow"), seconds=22))
        world.transport.cut_off = 1.0
        assert (await world.apply(declared)).complete
        await asyncio.sleep(60)
        assert made(world) == 1
        assert len(world.owned().resources) == 1

    live_in(tmp_path, story, labels=labels)


@LABELS
def test_one_look_in_vain_rules_nothing_out(tmp_path: Path, labels: str) -> None:
    """Before the settle time is over, however often one looks, a creation is waited for."""

    async def story(world: World) -> None:
        declared = schedule("a")
        world.trouble(lost("drop_before"))
        await world.apply(declared, patient=False)
        for _ in range(40):
            await world.until(world.clock.now() + timedelta(seconds=1))
            async with world.opened([declared]) as work:
                found = await resolve(
                    work.api, work.store, labels=None, settle=SETTLE, under_way=TIMEOUT, revision=None, patient=False
                )
            assert found.waiting == (declared.address,)
            assert found.settled == ()
        await world.until(world.clock.now() + SETTLE)
        async with world.opened([declared]) as work:
            found = await resolve(
                work.api, work.store, labels=None, settle=SETTLE, under_way=TIMEOUT, revision=None, patient=False
            )
        assert found.absent == (declared.address,)
        assert world.pending() == ()

    live_in(tmp_path, story, labels=labels)


@KINDS
@LABELS
def test_what_appears_while_a_look_takes_its_time_is_not_ruled_out(
    tmp_path: Path, labels: str, declared: Resource
) -> None:
    """A look shows what was there when it began, however much later its answer comes."""

    async def story(world: World) -> None:
        world.trouble(replace(lost("slow"), seconds=29))
        await killed(world, declared, after=1)
        await world.apply(declared, patient=False)
        await asyncio.sleep(20)
        world.trouble(Fault(kind="slow", method="GET", path="*/list", after=True, seconds=27))
        assert not (await world.apply(declared, patient=False)).complete
        assert (await world.apply(declared)).complete
        assert made(world) == 1

    live_in(tmp_path, story, labels=labels)


@KINDS
@LABELS
def test_a_clock_that_is_set_while_one_looks_rules_nothing_out(tmp_path: Path, labels: str, declared: Resource) -> None:
    """The first look is dated by its end, by whatever clock: set ahead meanwhile, it would seem to be long past."""

    async def story(world: World) -> None:
        world.trouble(replace(lost("slow"), seconds=25))
        await killed(world, declared, after=1)
        world.transport.way = timedelta(seconds=2)
        looking = asyncio.create_task(world.apply(declared, patient=False))
        await asyncio.sleep(1)
        world.clock.shift = timedelta(minutes=1)
        await looking
        world.transport.way = timedelta()
        assert not (await world.apply(declared, patient=False)).complete
        await asyncio.sleep(60)
        assert (await world.apply(declared)).complete
        assert made(world) == 1

    live_in(tmp_path, story, labels=labels)


@LABELS
def test_many_in_doubt_are_looked_for_together(tmp_path: Path, labels: str) -> None:
    """One listing answers for all that do the same, and tells each of them its own."""

    async def story(world: World) -> None:
        crons = [f"{minute} 9 * * *" for minute in range(30)]
        declared = [schedule(f"{of}-{cron[:2].strip()}", cron, of=of) for of in ("find", "enrich") for cron in crons]
        world.trouble(replace(lost("drop_after"), times=len(declared)))
        world.trouble(Fault(kind="status", code=401, method="GET", skip=1))
        with pytest.raises(ApiError):
            await world.apply(*declared)
        assert len(world.pending()) == len(declared)
        before = len(world.account.calls)
        async with world.opened(declared) as work:
            await resolve(work.api, work.store, labels=known_labels(work.store), **CALM)
        # Of each action a page, and the one after it that is empty.
        assert len(world.calls_since(before)) == 4
        assert (await world.apply(*declared)).complete
        assert len(world.rows()) == len(declared)
        inputs = {row.uid: row.order.inputs for row in world.rows()}
        assert all(inputs[world.uid_of(one)] == ({"of": one.address.name},) for one in declared)

    live_in(tmp_path, story, labels=labels)


@LABELS
@pytest.mark.parametrize("leap", [-2 * 86400, -20, 20, 2 * 86400])
def test_a_clock_of_the_server_that_leaps_rules_nothing_out(tmp_path: Path, leap: int, labels: str) -> None:
    """Two servers behind one address may differ; the settle time is over when this machine's clock says so too."""

    async def story(world: World) -> None:
        declared = schedule("a")
        world.trouble(replace(lost("status"), code=500))
        await world.apply(declared, patient=False)
        world.transport.astray = (timedelta(seconds=leap),)
        for _ in range(10):
            await world.until(world.clock.now() + timedelta(seconds=1))
            async with world.opened([declared]) as work:
                assert (await resolve(work.api, work.store, labels=None, **CALM)).settled == ()
        began = world.clock.now()
        world.transport.astray = (timedelta(),)
        assert (await world.apply(declared)).complete
        assert world.clock.now() - began < SETTLE + timedelta(seconds=5)

    live_in(tmp_path, story, labels=labels)


@pytest.mark.parametrize("kind", ["status", "drop_before", "non_json"])
def test_looking_that_fails_concludes_nothing(tmp_path: Path, kind: Any) -> None:
    """When the API cannot be looked at, the creation stays open, and is found by the next pass."""

    async def story(world: World) -> None:
        declared = schedule("a")
        world.trouble(lost("drop_after"), Fault(kind=kind, method="GET", skip=1, times=100, code=503))
        with pytest.raises(ApiError):
            await world.apply(declared)
        assert len(world.pending()) == 1
        assert world.owned().resources == {}
        world.repair()
        assert (await world.apply(declared)).complete
        assert len(world.rows()) == 1

    live_in(tmp_path, story)


def test_a_listing_that_lags_behind_is_looked_at_twice(tmp_path: Path) -> None:
    """A creation that the first look does not show yet is found by the second."""

    async def story(world: World) -> None:
        declared = schedule("a")
        # The probe of the dialect is not made and the listing before the plan comes first: the second one lags.
        world.trouble(
            lost("drop_after"), Fault(kind="stale_listing", method="GET", path="*/schedules/list", skip=1, writes=1)
        )
        began = world.clock.now()
        assert (await world.apply(declared)).complete
        assert len(world.rows()) == 1
        assert world.clock.now() - began >= SETTLE

    live_in(tmp_path, story)


def test_what_was_found_but_cancelled_since_is_still_found(tmp_path: Path) -> None:
    """A creation of which somebody has cancelled the object is resolved, and not sent in doubt."""

    async def story(world: World) -> None:
        declared = schedule("a")
        world.trouble(lost("drop_after"), Fault(kind="status", code=401, method="GET", skip=1))
        with pytest.raises(ApiError):
            await world.apply(declared)
        (row,) = world.rows()
        row.status = "CANCELLED"
        world.account.schedules.changed()
        assert (await world.apply(declared)).complete
        assert [row.status for row in world.rows()] == ["CANCELLED", "ACTIVE"]

    live_in(tmp_path, story)


def test_what_is_declared_no_more_is_resolved_all_the_same(tmp_path: Path) -> None:
    """A creation of unknown outcome is found also when its declaration has gone meanwhile, and is then removed."""

    async def story(world: World) -> None:
        world.trouble(lost("drop_after"), Fault(kind="status", code=401, method="GET", skip=1))
        with pytest.raises(ApiError):
            await world.apply(schedule("a"))
        assert (await world.apply(schedule("b"))).complete
        assert [row.status for row in world.rows()] == ["PAUSED", "ACTIVE"]
        assert len(world.owned().resources) == 2

    live_in(tmp_path, story)


def test_the_history_says_how_it_was_resolved(tmp_path: Path) -> None:
    """Each resolution leaves one line, with what was found and why it was looked for."""

    async def story(world: World) -> None:
        declared = schedule("a")
        world.trouble(lost("drop_after"))
        await world.apply(declared)
        found = world.history()[-1]
        assert (found.address, found.action, found.result) == (declared.address, "create", "found")
        assert found.uid == world.uid_of(declared)
        assert "was lost, and it was found there" in str(found.why)
        assert found.revision == "abc123"
        world.trouble(lost("drop_before"))
        await world.apply(declared, replace(schedule("b"), cron="0 10 * * *"))
        lines = [(entry.address.name, entry.result) for entry in world.history()]
        assert lines == [("a", "found"), ("b", "absent"), ("b", "done")]

    live_in(tmp_path, story)
