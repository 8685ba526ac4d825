"""What must hold of a world at rest, promise by promise; what must hold at every moment is the watch's matter."""

from __future__ import annotations

from datetime import timedelta

from cdsync.core.actions import ActionKind, Plan, Reason
from tests.simulation.ledger import BrokenPromise
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
