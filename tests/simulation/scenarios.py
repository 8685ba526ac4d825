"""The stories whose every moment is a crash point: what there is before, and what one apply then has to bring about."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import get_args

from cdsync.core.actions import BlockedReason
from cdsync.simulator import Fault, SimulatorOptions
from cdsync.simulator import schedules as vendor
from cdsync.simulator.options import Dialect, Labels
from cdsync.simulator.progress import settle
from tests.simulation.declared import GRACE, Declared
from tests.simulation.ledger import BrokenPromise
from tests.simulation.world import START, World

LABELS: tuple[Labels, ...] = get_args(Labels)
MOST: tuple[Labels, ...] = ("echo", "refuse")
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
A = Declared(key="k-a", name="a", action="action-a")
TWIN = replace(A, key="k-twin", name="twin")
LATER = Declared(key="k-late", name="late", kind="run", action="action-r", schedule_at=START + timedelta(minutes=30))
NOW = replace(LATER, schedule_at=None)
LIVE = replace(NOW, key="k-live", name="live", action="action-live", live=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story: `before` is applied to its end, then `act` happens, and the apply that follows is killed.

    `tolerated` are reasons for which something may stay undone, `finish` is what else must hold in the end.
    """

    name: str
    act: Callable[[World], None]
    before: tuple[Declared, ...] = ()
    prepare: Callable[[World], None] = lambda _: None
    dialects: tuple[Dialect, ...] = DIALECTS
    labels: tuple[Labels, ...] = ("echo",)
    tolerated: frozenset[BlockedReason] = frozenset()
    finish: Callable[[World], None] = lambda _: None

    def begin(self, world: World) -> World:
        """Bring the world to where the apply begins."""
        world.tolerated = self.tolerated
        for one in self.before:
            world.declare(one)
        if self.before:
            world.converge()
            world.wait(timedelta(seconds=30))
        self.prepare(world)
        self.act(world)
        return world


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scenario on one age of the API."""

    scenario: Scenario
    dialect: Dialect
    labels: Labels

    def __str__(self) -> str:
        return f"{self.scenario.name}-{self.dialect}-{self.labels}"

    @property
    def options(self) -> SimulatorOptions:
        """How the API is."""
        return SimulatorOptions(dialects=(self.dialect,), labels=self.labels)


def _declaring(*declared: Declared) -> Callable[[World], None]:
    def act(world: World) -> None:
        for one in declared:
            world.declare(one)

    return act


def _changing(**fields: object) -> Callable[[World], None]:
    return lambda world: world.change(A.key, **fields)


def _refused_replacement(world: World) -> None:
    world.change(A.key, version=2, action="action-b")
    world.faults.active.append(Fault(kind="status", code=422, method="POST", path="*/actions/*"))


def _removed(world: World) -> None:
    world.undeclare(A.key)
    world.converge()
    world.wait(timedelta(hours=1))


def _graced(world: World) -> None:
    _removed(world)
    world.wait(GRACE)


def _lose_state(world: World) -> None:
    shutil.rmtree(world.home)


def _cancel_by_hand(world: World) -> None:
    (row,) = world.watch.rows_of(A.key, "ACTIVE")
    world.by_hand(A.key, lambda: vendor.cancel(world.account, row, world.now))


def _stop_run(world: World) -> None:
    (run,) = world.account.runs.rows.values()
    world.account.runs.before_write(run.uid)
    world.by_hand(NOW.key, lambda: settle(world.account, run, world.now, "STOPPED", None))


def _run_has_ended(world: World) -> None:
    (run,) = world.account.runs.rows.values()
    if run.status != "SUCCEEDED":
        raise BrokenPromise("nothing is lost", f"run {run.uid} is still {run.status}")


def _everything(world: World) -> None:
    world.change(A.key, version=2, cron="5 * * * *")
    world.undeclare("k-d")
    world.change("k-c", name="cc", was="c")
    for number in range(3):
        world.declare(Declared(key=f"k-new-{number}", name=f"new-{number}", action="action-a"))
    world.declare(NOW)
    world.declare(LIVE)


def _four() -> tuple[Declared, ...]:
    return (A, *(replace(A, key=f"k-{name}", name=name, action=f"action-{name}") for name in "bcd"))


OTHER: Mapping[str, object] = {"version": 2, "cron": "5 * * * *"}

SCENARIOS = (
    Scenario(name="create", act=_declaring(A), labels=LABELS),
    Scenario(name="create-paused", act=_declaring(replace(A, state="paused"))),
    Scenario(name="update", before=(A,), act=_changing(**OTHER), dialects=("manage",)),
    Scenario(name="update-and-pause", before=(A,), act=_changing(**OTHER, state="paused")),
    Scenario(name="replace", before=(A,), act=_changing(**OTHER, action="action-b"), labels=LABELS),
    Scenario(name="replace-inputs", before=(A,), act=_changing(version=2), dialects=("rest",), labels=MOST),
    Scenario(name="replace-refused", before=(A,), act=_refused_replacement, labels=MOST),
    Scenario(name="pause", before=(A,), act=_changing(state="paused")),
    Scenario(name="resume", before=(replace(A, state="paused"),), act=_changing(state="active")),
    Scenario(name="remove", before=(A,), act=lambda world: world.undeclare(A.key)),
    Scenario(name="delete-after-grace", before=(A,), act=_graced),
    Scenario(name="delete-absent", before=(A,), act=_changing(state="absent")),
    Scenario(name="declare-again", before=(A,), prepare=_removed, act=_declaring(A)),
    Scenario(name="declare-again-changed", before=(A,), prepare=_removed, act=_declaring(replace(A, version=2))),
    Scenario(name="rename", before=(A,), act=_changing(name="b", was="a")),
    Scenario(name="rename-changed", before=(A,), act=_changing(name="b", was="a", **OTHER), labels=MOST),
    Scenario(name="adopt-by-label", before=(A, NOW), act=_lose_state),
    Scenario(
        name="lost-state",
        before=(A, NOW),
        act=_lose_state,
        labels=("accept", "refuse"),
        tolerated=frozenset({BlockedReason.LOOKALIKE}),
    ),
    Scenario(name="create-again", before=(A,), act=_cancel_by_hand, labels=MOST),
    Scenario(name="launch", act=_declaring(NOW), labels=LABELS),
    Scenario(name="launch-live", act=_declaring(LIVE), labels=MOST),
    Scenario(name="launch-later", act=_declaring(LATER), labels=LABELS),
    Scenario(
        name="replace-launch-later",
        before=(LATER,),
        act=lambda world: world.change(LATER.key, version=2),
        labels=MOST,
    ),
    Scenario(name="resume-run", before=(NOW,), act=_stop_run, finish=_run_has_ended),
    Scenario(name="twins", act=_declaring(A, TWIN), labels=LABELS),
    Scenario(name="everything", before=_four(), act=_everything, labels=MOST),
)

CASES = tuple(
    Case(scenario=scenario, dialect=dialect, labels=labels)
    for scenario in SCENARIOS
    for dialect in scenario.dialects
    for labels in scenario.labels
)
