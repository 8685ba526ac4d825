"""What must hold of a world at rest, promise by promise; what must hold at every moment is the watch's matter."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from cdsync.core.actions import ActionKind, Plan, Reason
from cdsync.core.progress import ANSWER_LOST
from cdsync.simulator.runs import LIVE_ROWS
from tests.simulation.declared import Declared
from tests.simulation.ledger import BrokenPromise
from tests.simulation.watch import part_of
from tests.simulation.world import World

LIFE_GOES_ON = timedelta(minutes=139)
"""Long enough for each schedule of a crash scenario to fire twice, and for what was fired to finish."""


def check_rest(world: World, *, life: timedelta = LIFE_GOES_ON) -> None:
    """Hold a world that has converged against every promise, now and after a while.

    Raises:
        BrokenPromise: one is broken.
    """
    check_settled(world)
    check_life_goes_on(world, life)
    check_idle_pass(world)
    check_settled(world)


def check_plan(world: World) -> Plan:
    """A converged world needs nothing, and equal inputs give an equal plan."""
    plan, again = world.plan(), world.plan()
    if plan != again:
        raise BrokenPromise("equal inputs give an equal plan", f"{plan} and {again}")
    if world.unsettled(plan):
        raise BrokenPromise("an empty plan after convergence", str(plan))
    return plan


def check_settled(world: World) -> None:
    """No creation is of unknown outcome, and each resource is as declared, hidden fields included.

    What a person is asked about need not be: it is there at most once, which the watch has seen to.
    """
    if count := world.open_intents():
        raise BrokenPromise("the journal is settled", f"{count} creations are still of unknown outcome")
    for key in world.ledger.threads:
        declared = world.ledger.declared.get(key)
        if declared is None or declared.address not in world.asked:
            world.watch.check_claim(key, declared)
            if declared is not None and declared.live:
                check_results(world, declared)


def check_results(world: World, declared: Declared) -> None:
    """A live run that is over has each row of each input once, or says which paid input it has given up."""
    key = declared.key
    rows, failed = _lines(world, ".jsonl"), _lines(world, ".failed.jsonl")
    ours = [row for row in rows if row["input"]["key"] == key]
    lost = {row["input"]["n"]: row["label"] for row in failed if row["input"]["key"] == key}
    for number in range(declared.live):
        found = [row["row"] for row in ours if row["input"]["n"] == number]
        if len(set(found)) < len(found):
            raise BrokenPromise("live results hold every row once", f"{part_of(key, number)} has {found}")
        if number not in lost and sorted(found) != list(range(LIVE_ROWS)):
            raise BrokenPromise("live results hold every row", f"{part_of(key, number)} has {found}")
        paid = world.watch.launched[part_of(key, number)]
        if lost.get(number) == ANSWER_LOST and not paid and not _ever_misled(world):
            raise BrokenPromise("nothing is lost", f"{part_of(key, number)} was given up, and never asked for")


def _lines(world: World, ending: str) -> list[Any]:
    """The rows of all result files of a kind, under whatever name the run had."""
    paths = sorted((world.root / "results").glob(f"*{ending}"))
    paths = [path for path in paths if ending == ".failed.jsonl" or not path.name.endswith(".failed.jsonl")]
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def _ever_misled(world: World) -> bool:
    """Whether a listing ever lied, so that nobody can blame those who counted by it."""
    return any(call.fault in {"stale_listing", "shifting_listing"} for call in world.account.calls)


def check_life_goes_on(world: World, duration: timedelta) -> None:
    """Every tick that now comes fires once; nothing has to be done but what waited for its time: resumes, deletions."""
    world.wait(duration)
    ended = world.apply()
    rows = ended.applied.plan.actions if ended.applied else ()
    timely = [row for row in rows if row.kind is ActionKind.RESUME_RUN or row.reason is Reason.GRACE_OVER]
    if ended.applied is None or len(timely) < len(rows) or world.unsettled(ended.applied.left):
        raise BrokenPromise("what is as declared is left alone", f"{ended}")
    if rows:
        world.wait(timedelta(minutes=2))
        world.apply()


def check_idle_pass(world: World) -> None:
    """A pass that finds nothing changed asks once, for the live schedules."""
    world.wait(timedelta(minutes=2))
    ended = world.apply()
    if ended.calls != 1 and not world.tolerated:
        calls = [f"{call.method} {call.path}" for call in world.account.calls[-ended.calls :]]
        raise BrokenPromise("an idle pass costs one request", f"it cost {calls}")
