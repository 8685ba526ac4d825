from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdsync.core.events import Failed, Started, Succeeded, Unresolved
from cdsync.core.model import Resource
from cdsync.errors import StoreError, Unauthorized
from cdsync.executor.execute import IN_FLIGHT
from cdsync.simulator import Fault
from tests.executor.world import World, live_in, one_off, outcomes, results, schedule

LABELS = pytest.mark.parametrize("labels", ["echo", "accept", "refuse"])
NAMES = [f"s{index}" for index in range(20)]


def twins(kind: str) -> tuple[Resource, ...]:
    """Two declarations that nobody could tell apart on the account but by a label."""
    if kind == "schedules":
        return schedule("left", of="twin"), schedule("right", of="twin")
    return one_off("left", of="twin"), one_off("right", of="twin")


def input_of(world: World, uid: str) -> Any:
    """Whose declaration an object was made of."""
    rows = {**world.account.schedules.rows, **world.account.runs.rows}
    return rows[uid].order.inputs[0]["of"]  # type: ignore[attr-defined]


@LABELS
@pytest.mark.parametrize("kind", ["schedules", "runs"])
def test_twins_are_not_in_flight_together(tmp_path: Path, kind: str, labels: str) -> None:
    """Where labels do not tell them apart, the second twin leaves after the first is known to be there."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", times=10, seconds=2))
        declared = twins(kind)
        assert (await world.apply(*declared)).complete
        assert world.transport.most == 1
        for resource in declared:
            assert input_of(world, world.uid_of(resource)) == resource.address.name

    live_in(tmp_path, story, labels=labels)


def test_twins_that_only_the_type_of_a_parameter_tells_apart_are_not_in_flight_together(tmp_path: Path) -> None:
    """An API that shows parameters as texts shows them alike."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", times=10, seconds=2))
        values = {"a": 5, "b": "5", "c": 5.0}
        await world.apply(*(one_off(name, of="twin", parameters={"max": value}) for name, value in values.items()))
        assert world.transport.most == 1

    live_in(tmp_path, story, labels="refuse")


@LABELS
@pytest.mark.parametrize("kind", ["schedules", "runs"])
@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_lost_twin_is_not_taken_for_the_other(tmp_path: Path, skip: int, fault: Any, kind: str, labels: str) -> None:
    """When the answer about either twin is lost, each ends with the object that was made of its own declaration."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind=fault, method="POST", path="*/actions/*", skip=skip))
        declared = twins(kind)
        applied = await world.apply(*declared)
        if not applied.complete:
            assert (await world.apply(*declared)).complete
        assert len(world.rows()) + len(world.account.runs.rows) == 2
        for resource in declared:
            assert input_of(world, world.uid_of(resource)) == resource.address.name

    live_in(tmp_path, story, labels=labels)


@pytest.mark.parametrize("labels", ["accept", "refuse"])
@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_replacement_waits_for_a_twin_that_may_be_there(tmp_path: Path, fault: Any, labels: str) -> None:
    """Also across phases: what nobody could tell from a lost creation is not made before that is found or ruled out."""

    async def story(world: World) -> None:
        await world.apply(schedule("old", "0 10 * * *", of="twin"), schedule("kept"))
        world.trouble(Fault(kind=fault, method="POST", path="*/actions/*", times=2))
        declared = schedule("new", of="twin"), schedule("old", of="twin"), schedule("kept")
        applied = await world.apply(*declared, patient=False)
        assert outcomes(applied.reports[0]) == {"new": "unknown", "old": "skipped"}
        world.repair()
        await world.apply(*declared)
        await world.until(world.clock.now() + timedelta(minutes=1))
        assert (await world.apply(*declared)).complete
        assert len(world.rows("ACTIVE")) == 3
        for resource in declared:
            assert input_of(world, world.uid_of(resource)) == resource.address.name

    live_in(tmp_path, story, labels=labels, dialect="rest")


def test_others_are_made_together(tmp_path: Path) -> None:
    """After the first has shown whether labels work, the rest does not wait for each other, eight at a time."""

    async def story(world: World) -> None:
        await world.apply(schedule("first"))
        world.trouble(Fault(kind="slow", method="POST", times=100, seconds=10))
        began = world.clock.elapsed
        assert (await world.apply(schedule("first"), *map(schedule, NAMES))).complete
        assert world.clock.elapsed - began == pytest.approx(30, abs=1)

    live_in(tmp_path, story)


def test_nothing_is_removed_when_something_could_not_be_made(tmp_path: Path) -> None:
    """After a creation that failed, removals wait for a pass in which all could be made."""

    async def story(world: World) -> None:
        await world.apply(schedule("leaving"), schedule("kept"))
        world.trouble(Fault(kind="status", code=422, method="POST", path="*/actions/*"))
        applied = await world.apply(schedule("new"), schedule("kept"))
        assert outcomes(applied.reports[0]) == {"new": "failed", "leaving": "skipped"}
        assert [row.status for row in world.rows()] == ["ACTIVE", "ACTIVE"]
        assert [event for event in world.events if isinstance(event, Failed) and not event.tried]
        assert (await world.apply(schedule("new"), schedule("kept"))).complete
        found = {row.order.action_name: row.status for row in world.rows()}
        assert found == {"action-leaving": "PAUSED", "action-kept": "ACTIVE", "action-new": "ACTIVE"}

    live_in(tmp_path, story)


def test_nothing_is_removed_while_a_creation_is_unknown(tmp_path: Path) -> None:
    """An unknown creation is not yet one that was made."""

    async def story(world: World) -> None:
        await world.apply(schedule("leaving"))
        world.trouble(Fault(kind="drop_before", method="POST", path="*/actions/*"))
        applied = await world.apply(schedule("new"), patient=False)
        assert outcomes(applied.reports[0]) == {"new": "unknown", "leaving": "skipped"}
        assert [row.status for row in world.rows()] == ["ACTIVE"]

    live_in(tmp_path, story)


def test_nothing_is_removed_by_a_later_pass_while_a_creation_is_unknown(tmp_path: Path) -> None:
    """Removals wait in every pass and every round until it is known what became of all creations."""

    async def story(world: World) -> None:
        await world.apply(schedule("leaving"), schedule("kept"))
        world.trouble(Fault(kind="drop_before", method="POST", path="*/action-new/*", times=100))
        await world.apply(schedule("new"), schedule("leaving"), schedule("kept"), patient=False)
        for _ in range(3):
            applied = await world.apply(schedule("new"), schedule("kept", "30 10 * * *"), patient=False)
            assert [(row.kind.value, row.address.name) for row in applied.left.actions] == [("pause", "leaving")]
            assert world.pending()
            assert [row.status for row in world.rows()] == ["ACTIVE", "ACTIVE"]
        world.repair()
        await world.until(world.clock.now() + timedelta(minutes=1))
        assert (await world.apply(schedule("new"), schedule("kept", "30 10 * * *"))).complete
        found = {row.order.action_name: row.status for row in world.rows()}
        assert found == {"action-leaving": "PAUSED", "action-kept": "ACTIVE", "action-new": "ACTIVE"}

    live_in(tmp_path, story)


def test_a_removal_that_has_to_wait_is_not_asked_about(tmp_path: Path) -> None:
    """When nothing else is to be done, nobody is asked to approve what is not done anyway."""

    async def story(world: World) -> None:
        await world.apply(schedule("leaving"), schedule("kept"))
        world.trouble(Fault(kind="drop_before", method="POST", path="*/action-new/*", times=100))
        await world.apply(schedule("new"), schedule("leaving"), schedule("kept"), patient=False)
        asked: list[str] = []
        before = len(world.account.calls)
        applied = await world.apply(
            schedule("new"), schedule("kept"), patient=False, meanwhile=lambda: asked.append("asked")
        )
        assert applied.reports == ()
        assert asked == []
        assert world.calls_since(before, method="POST") == []
        assert not applied.complete

    live_in(tmp_path, story)


@pytest.mark.parametrize("code", [400, 403, 404, 409, 422])
def test_a_failure_is_that_of_one_resource(tmp_path: Path, code: int) -> None:
    """One creation that is refused leaves all others as they would have been."""

    async def story(world: World) -> None:
        await world.apply(schedule("first"))
        world.trouble(Fault(kind="status", code=code, method="POST", path="*/action-s7/*"))
        applied = await world.apply(schedule("first"), *map(schedule, NAMES))
        assert outcomes(applied.reports[0]) == {**dict.fromkeys(NAMES, "done"), "s7": "failed"}
        assert len(world.rows("ACTIVE")) == len(NAMES)
        assert (await world.apply(schedule("first"), *map(schedule, NAMES))).complete
        assert len(world.rows("ACTIVE")) == len(NAMES) + 1

    live_in(tmp_path, story)


@LABELS
@pytest.mark.parametrize("skip", [0, 1, 2, 7, 15])
def test_a_key_that_loses_its_right_in_the_middle_doubles_nothing(tmp_path: Path, skip: int, labels: str) -> None:
    """From the first 401 on every write fails; what was made before is ours, and with a good key the rest is made."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="status", code=401, method="POST", skip=skip, times=100))
        applied = await world.apply(*map(schedule, NAMES))
        made = [result.action.address for result in results(applied) if result.outcome == "done"]
        failed = [result.error for result in results(applied) if result.outcome == "failed"]
        assert all(isinstance(error, Unauthorized) for error in failed)
        assert len(made) + len(failed) == len(NAMES)
        assert set(world.owned().resources) == set(made)
        assert len(world.rows()) == len(made)
        world.repair()
        assert (await world.apply(*map(schedule, NAMES))).complete
        assert len(world.rows()) == len(NAMES)
        assert {row.uid for row in world.rows()} == {owned.uid for owned in world.owned().resources.values()}

    live_in(tmp_path, story, labels=labels)


def test_a_key_that_is_revoked_after_the_plan_concludes_nothing(tmp_path: Path) -> None:
    """When nothing can be read any more the apply ends as Unauthorized; no object is lost and none is doubled."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))

        def revoke() -> None:
            world.served.simulation.options = replace(world.served.simulation.options, key="a-new-key")

        with pytest.raises(Unauthorized):
            await world.apply(schedule("b"), meanwhile=revoke)
        assert [row.status for row in world.rows()] == ["ACTIVE"]
        assert set(world.owned().resources) == {schedule("a").address}
        assert world.pending() == ()

    live_in(tmp_path, story)


def test_every_action_is_told_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    """Each action begins once and ends once, as done, failed or unknown."""

    async def story(world: World) -> None:
        world.trouble(
            Fault(kind="status", code=422, method="POST", path="*/action-s1/*", times=2),
            Fault(kind="drop_after", method="POST", path="*/action-s2/*"),
        )
        applied = await world.apply(*map(schedule, NAMES[:4]))
        begun = [event.action.address.name for event in world.events if isinstance(event, Started)]
        assert sorted(begun) == NAMES[:4]
        ended = {event.action.address.name: type(event) for event in world.events if not isinstance(event, Started)}
        assert ended == {"s0": Succeeded, "s1": Failed, "s2": Unresolved, "s3": Succeeded}
        assert {result.action.address.name: result.outcome for result in results(applied)} == {
            "s0": "done",
            "s1": "failed",
            "s2": "unknown",
            "s3": "done",
        }

    live_in(tmp_path, story)


class Disk(sqlite3.Connection):
    """A database on a disk that keeps all but one of the transactions: the one of this number, from 1 on."""

    committed = 0
    broken_at = 0

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Execute one statement."""
        if sql == "COMMIT":
            self.committed += 1
            if self.committed == self.broken_at:
                super().execute("ROLLBACK")
                raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, parameters)


def on(disks: list[Disk], *, broken_at: int = 0) -> Callable[..., sqlite3.Connection]:
    """Opens the state on such a disk, and adds it to the list."""

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        disk: Disk = sqlite3.connect(*args, factory=Disk, **options)
        disk.broken_at = broken_at
        disks.append(disk)
        return disk

    return connect


def test_an_outcome_and_the_next_request_go_to_disk_together(tmp_path: Path) -> None:
    """So that many creations cost about one wait for the disk each, not two."""

    async def story(world: World) -> None:
        await world.apply(schedule("before"))
        disks: list[Disk] = []
        world.connect = on(disks)
        await world.apply(schedule("before"), *map(schedule, NAMES))
        assert len(NAMES) < disks[0].committed < 1.5 * len(NAMES) + IN_FLIGHT

    live_in(tmp_path, story)


@LABELS
@pytest.mark.parametrize("broken_at", range(1, 26))
def test_whatever_the_disk_does_not_keep_is_made_once_and_on_record(
    tmp_path: Path, broken_at: int, labels: str
) -> None:
    """An intent that is not kept is not sent; an outcome that is not kept is tried again, and not said to be absent."""

    async def story(world: World) -> None:
        await world.apply(*map(schedule, NAMES[:2]))
        # Two replacements, which go on after their creation, and three creations.
        declared = [schedule(name, "0 10 * * *" if name in NAMES[:2] else "0 9 * * *") for name in NAMES[:5]]
        world.connect = on([], broken_at=broken_at)
        with suppress(StoreError):
            await world.apply(*declared)
        world.connect = sqlite3.connect
        assert (await world.apply(*declared)).complete
        owned = {row.uid for row in world.owned().resources.values()}
        assert {row.uid for row in world.rows("ACTIVE")} == owned
        assert owned <= {entry.uid for entry in world.history()}
        assert "absent" not in {entry.result for entry in world.history()}

    live_in(tmp_path, story, labels=labels, dialect="rest")


def test_a_rate_limit_slows_and_fails_nothing(tmp_path: Path) -> None:
    """An API of thirty requests a minute is waited for; everything is made, once."""

    async def story(world: World) -> None:
        names = [f"n{index}" for index in range(50)]
        assert (await world.apply(*map(schedule, names))).complete
        assert len(world.rows()) == 50
        assert world.clock.elapsed > 60

    live_in(tmp_path, story, requests_per_minute=30)
