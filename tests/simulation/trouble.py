"""The faults of the simulated API as they befall a seeded world, within what the design promises to survive.

Not drawn: a refusal that took effect after all, a 404 for what exists, and a listing that is behind for longer than the
settle time, be it because the effect itself came late; nobody could tell these from the truth.
"""

from __future__ import annotations

import random
from typing import Literal

from cdsync.simulator import Fault
from tests.simulation.world import World

READS_AND_WRITES = ("GET", "POST", None)
WRITES = ("*/actions/*", "*/manage", "*/pause", "*/resume", "*/cancel", "*")
PATIENCE = 30.0
"""How long the sender of a request waits, in seconds: the time-out of the settings."""


def new_fault(world: World, chance: random.Random) -> Fault | None:
    """Something that will go wrong, a few requests from now; None where the settle time would not cover it."""
    fault = _drawn(world, chance)
    if fault is not None and any(_outlast(fault, other) for other in world.faults.active):
        return None
    return fault


def _outlast(one: Fault, other: Fault) -> bool:
    """Whether the two together could: what comes late and is then shown late, or is shown late twice."""
    stale = [fault for fault in (one, other) if fault.kind == "stale_listing"]
    return len(stale) + sum(map(_comes_late, (one, other))) == 2 and bool(stale)


def _comes_late(fault: Fault) -> bool:
    """Whether its request takes effect only after it was given up."""
    return fault.kind == "slow" and not fault.after and fault.method != "GET" and fault.seconds > PATIENCE


def _drawn(world: World, chance: random.Random) -> Fault | None:
    method = chance.choice(READS_AND_WRITES)
    path = chance.choice(WRITES) if method == "POST" else "*"
    times, skip = chance.choice((1, 1, 1, 2, 6)), chance.randrange(5)
    match chance.randrange(9):
        case 0 | 1:
            kinds: tuple[Literal["drop_before", "drop_after", "partial"], ...] = (
                "drop_before",
                "drop_after",
                "partial",
            )
            kind = chance.choice(kinds)
            return Fault(kind=kind, method=method, path=path, times=times, skip=skip)
        case 2:
            return _slow(chance, method, path, times=times, skip=skip)
        case 3:
            code = chance.choice((500, 502, 503, 504))
            after = chance.random() < 0.5
            return Fault(kind="status", code=code, method=method, path=path, after=after, times=times, skip=skip)
        case 4:
            code = chance.choice((400, 403, 409, 422))
            return Fault(kind="status", code=code, method=method, path=path, times=times, skip=skip)
        case 5:
            return Fault(kind="rate_limit", method=method, path=path, seconds=chance.choice((1.0, 40.0)), times=times)
        case 6:
            code = chance.choice((200, 502))
            return Fault(kind="non_json", code=code, method=method, path=path, after=code == 200, skip=skip)
        case 7:
            return _misleading_listing(world, chance, skip=skip)
        case _:
            return Fault(kind="unknown_fields", times=20)


def _slow(chance: random.Random, method: str | None, path: str, *, times: int, skip: int) -> Fault:
    if chance.random() < 0.4:
        # It shows what was there before the answer set out.
        return Fault(kind="slow", method="GET", seconds=chance.uniform(5, 29), after=True, times=times, skip=skip)
    # Later than its sender waits, but within the settle time after that.
    seconds = chance.choice((2.0, chance.uniform(31, 43)))
    return Fault(kind="slow", method=method, path=path, seconds=seconds, after=chance.random() < 0.5, skip=skip)


def _misleading_listing(world: World, chance: random.Random, *, skip: int) -> Fault | None:
    if chance.random() < 0.5:
        changes: tuple[Literal["insert", "remove"], ...] = ("insert", "remove")
        change = chance.choice(changes)
        return Fault(kind="shifting_listing", method="GET", change=change, skip=skip)
    if world.home.exists() and world.open_questions():
        # It could outlast the settle time of what is being looked for.
        return None
    return Fault(kind="stale_listing", method="GET", writes=chance.randint(1, 3), skip=skip)
