from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdsync.core.actions import BlockedReason
from cdsync.core.model import Resource
from cdsync.simulator import Fault
from tests.executor.world import SETTLE, World, live_in, one_off, outcomes, schedule

LABELS = pytest.mark.parametrize("labels", ["echo", "accept", "refuse"])
DIALECTS = pytest.mark.parametrize("dialect", ["manage", "rest"])


def creations(world: World) -> int:
    """How many requests to create or to launch came in."""
    return sum(1 for call in world.account.calls if call.method == "POST" and "/actions/" in call.path)


def made(world: World) -> int:
    """How many objects there are for it."""
    return len(world.rows()) + len(world.account.runs.rows)


def on_creation(**fields: Any) -> Fault:
    """A fault that hits creations and launches."""
    return Fault(method="POST", path="*/actions/*", **fields)


SUBJECTS = pytest.mark.parametrize("declared", [schedule("a"), one_off("a")], ids=["schedule", "run"])


@DIALECTS
@LABELS
@SUBJECTS
@pytest.mark.parametrize("kind", ["drop_after", "partial"])
def test_a_lost_answer_is_found_by_looking(
    tmp_path: Path, kind: Any, declared: Resource, labels: str, dialect: Any
) -> None:
    """What was made although its answer was lost is found and owned by the same apply, and never made again."""

    async def story(world: World) -> None:
        # An API that refuses labels has made nothing of the first request, so the second is the one that counts.
        world.trouble(on_creation(kind=kind, skip=1 if labels == "refuse" else 0))
        applied = await world.apply(declared)
        assert outcomes(applied.reports[0]) == {"a": "unknown"}
        assert applied.complete
        assert made(world) == 1
        assert world.pending() == ()
        objects = {row.uid for row in world.rows()} | set(world.account.runs.rows)
        assert {world.uid_of(declared)} == objects
        assert [(entry.action, entry.result) for entry in world.history()][-1][1] == "found"
        before = creations(world)
        assert (await world.apply(declared)).done == 0
        assert creations(world) == before

    live_in(tmp_path, story, dialect=dialect, labels=labels)


@DIALECTS
@LABELS
@SUBJECTS
@pytest.mark.parametrize("fault", [Fault(kind="drop_before"), Fault(kind="status", code=500), Fault(kind="non_json")])
def test_a_lost_request_is_ruled_out_and_then_sent_again(
    tmp_path: Path, fault: Fault, declared: Resource, labels: str, dialect: Any
) -> None:
    """What was not made is tried again only after the settle time and a second look, and is then made once."""

    async def story(world: World) -> None:
        world.trouble(on_creation(kind=fault.kind, code=fault.code, skip=1 if labels == "refuse" else 0))
        began = world.clock.now()
        applied = await world.apply(declared)
        assert applied.complete
        assert made(world) == 1
        assert world.clock.now() - began >= SETTLE
        results = [entry.result for entry in world.history() if entry.address == declared.address]
        assert "absent" in results
        assert results[-1] == "done"
        objects = {row.uid for row in world.rows()} | set(world.account.runs.rows)
        assert {world.uid_of(declared)} == objects

    live_in(tmp_path, story, dialect=dialect, labels=labels)


@LABELS
@SUBJECTS
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_without_patience_the_next_passes_find_out(tmp_path: Path, kind: Any, declared: Resource, labels: str) -> None:
    """A pass that does not wait leaves the creation open, and says so; later passes end with exactly one."""

    async def story(world: World) -> None:
        world.trouble(on_creation(kind=kind, skip=1 if labels == "refuse" else 0))
        applied = await world.apply(declared, patient=False)
        if kind == "drop_before":
            assert [row.reason for row in applied.left.blocked] == [BlockedReason.UNRESOLVED_OUTCOME]
            assert len(world.pending()) == 1
            before = creations(world)
            await world.apply(declared, patient=False)
            assert creations(world) == before
        await world.until(world.clock.now() + world.settings.api.timeout + SETTLE + timedelta(seconds=1))
        assert (await world.apply(declared, patient=False)).complete
        assert made(world) == 1

    live_in(tmp_path, story, labels=labels)


@LABELS
@SUBJECTS
def test_an_answer_that_comes_too_late_does_not_double(tmp_path: Path, declared: Resource, labels: str) -> None:
    """A request that takes effect after its sender gave up, but within the settle time, is found by the second look."""

    async def story(world: World) -> None:
        slow = on_creation(kind="slow", seconds=40, skip=1 if labels == "refuse" else 0)
        world.trouble(slow)
        assert (await world.apply(declared)).complete
        assert made(world) == 1
        assert len(world.owned().resources) == 1

    live_in(tmp_path, story, labels=labels)


@DIALECTS
@SUBJECTS
def test_an_api_that_takes_no_labels_is_remembered(tmp_path: Path, declared: Resource, dialect: Any) -> None:
    """The first creation is refused for its label and made without; from then on nobody sends one."""

    async def story(world: World) -> None:
        assert (await world.apply(declared)).complete
        assert creations(world) == 2
        assert made(world) == 1
        assert world.fact("labels") == "no"
        assert world.owned().resources[declared.address].label is None
        assert (await world.apply(declared, schedule("b"), one_off("c"))).complete
        assert creations(world) == 4

    live_in(tmp_path, story, dialect=dialect, labels="refuse")


@pytest.mark.parametrize(("labels", "fact"), [("echo", "yes"), ("accept", "no")])
def test_whether_labels_are_shown_is_learnt_from_the_first(tmp_path: Path, labels: str, fact: str) -> None:
    """One look at the first schedule made tells whether its label is shown, once per state."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        assert world.fact("labels") == fact
        assert [row.order.name for row in world.rows()] == ["cdsync/a"]
        before = len(world.account.calls)
        await world.apply(schedule("a"), schedule("b"))
        gets = [call for call in world.calls_since(before, method="GET") if "get" in call.path]
        assert gets == []

    live_in(tmp_path, story, labels=labels)


def test_a_refusal_for_another_reason_is_not_taken_for_the_label(tmp_path: Path) -> None:
    """When labels are known to work, a refused creation is sent once."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        world.trouble(on_creation(kind="status", code=422, times=5))
        before = creations(world)
        applied = await world.apply(schedule("a"), schedule("b"))
        assert outcomes(applied.reports[0]) == {"b": "failed"}
        assert creations(world) == before + 1
        assert world.fact("labels") == "yes"

    live_in(tmp_path, story)


def test_a_creation_that_is_refused_with_and_without_label_teaches_nothing(tmp_path: Path) -> None:
    """Only a creation that succeeded without its label shows that the label was in the way."""

    async def story(world: World) -> None:
        world.trouble(on_creation(kind="status", code=400, times=2))
        applied = await world.apply(schedule("a"))
        assert outcomes(applied.reports[0]) == {"a": "failed"}
        assert world.fact("labels") is None
        assert world.pending() == ()
        assert (await world.apply(schedule("a"))).complete
        assert world.fact("labels") == "yes"

    live_in(tmp_path, story)
