"""A world drawn from a seed: people edit, drift and tinker, the network fails, the process dies, and then it is quiet.

The same seed is the same story, to the millisecond.
"""

from __future__ import annotations

import random
import traceback
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import stamina.instrumentation

from cdsync.core.actions import BlockedReason
from cdsync.simulator import SimulatorOptions
from tests.simulation.checkers import check_idle_pass, check_life_goes_on, check_plan, check_settled
from tests.simulation.crashing import a_folder
from tests.simulation.ledger import BrokenPromise
from tests.simulation.people import People
from tests.simulation.trouble import new_fault
from tests.simulation.world import World

STARTS = tuple(
    datetime(2026, month, day, 7, 0, 1, tzinfo=UTC) for month, day in ((6, 1), (3, 27), (10, 24), (12, 30), (2, 27))
)
"""Ordinary days, and those before the clocks change, the year ends, or February does."""

A_DAY_AND_MORE = timedelta(hours=27)
ASKED = frozenset({BlockedReason.LOOKALIKE, BlockedReason.UNRESOLVED_OUTCOME, BlockedReason.TOO_LATE})
"""What a person may rightly be asked about, before there was anybody to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How a story went: what was counted, and the promise that was broken, if any."""

    seed: int
    tally: Counter[str]
    broken: str | None = None


def hush() -> None:
    """Let the retries of thousands of worlds go untold."""
    stamina.instrumentation.set_on_retry_hooks(())


def tell_in_memory(seed: int) -> Told:
    """Live through the world of a seed, in a folder that is gone afterwards."""
    with a_folder() as folder:
        return tell(seed, folder)


def tell(seed: int, root: Path) -> Told:
    """Live through the world of a seed."""
    chance = random.Random(seed)  # noqa: S311 # a story, not a secret
    world = World(root, _options(chance), now=chance.choice(STARTS), seed=seed)
    people = People(world, chance)
    broken: str | None = None
    try:
        _live(world, people, chance)
        _come_to_rest(world, people)
    except BrokenPromise as problem:
        broken = str(problem)
    except Exception:  # a seed that fails for any other reason is told like one that breaks a promise
        broken = traceback.format_exc()
    world.tally["firings"] = len(world.account.firings)
    return Told(seed=seed, tally=world.tally, broken=broken)


def _options(chance: random.Random) -> SimulatorOptions:
    return SimulatorOptions(
        dialects=(chance.choice(("manage", "rest")),),
        labels=chance.choice(("echo", "accept", "refuse")),
        echo=chance.choice(("as-sent", "normalised")),
        envelope=chance.random() < 0.3,
        requests_per_minute=chance.choice((None, None, 30)),
        seed=chance.choice((None, chance.randrange(1000))),
    )


def _live(world: World, people: People, chance: random.Random) -> None:
    if chance.random() < 0.1:
        people.crowd()
    for _ in range(chance.randint(15, 40)):
        people.act()
        for _ in range(chance.choice((0, 0, 1, 2))):
            if (fault := new_fault(world, chance)) is not None:
                world.faults.active.append(fault)
        if chance.random() < 0.75:
            world.apply(
                kill_at=chance.randrange(70) if chance.random() < 0.35 else None,
                patient=chance.random() < 0.7,
                lifted=chance.random() < 0.9,
            )
        world.wait(_a_while(chance))


def _a_while(chance: random.Random) -> timedelta:
    longest = chance.choices((60, 3600, 86_400, 3 * 86_400), weights=(6, 4, 2, 1))[0]
    return timedelta(seconds=round(chance.uniform(1, longest), 3))


def _come_to_rest(world: World, people: People) -> None:
    world.faults.active.clear()
    world.wait(timedelta(seconds=60))
    world.tolerated = ASKED
    world.converge()
    people.answer()
    world.tolerated = frozenset({BlockedReason.TOO_LATE})
    world.converge()
    check_plan(world)
    check_settled(world)
    check_life_goes_on(world, A_DAY_AND_MORE)
    world.converge()
    check_settled(world)
    people.check_removed(now=world.now)
    if world.options.seed is None and not people.crowded:
        check_idle_pass(world)
