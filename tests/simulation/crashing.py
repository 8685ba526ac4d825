"""Kills the apply of a scenario at one crash point after the other, and lets a new process go on each time."""

from __future__ import annotations

import pickle
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.simulation.checkers import check_plan, check_rest
from tests.simulation.ledger import BrokenPromise
from tests.simulation.scenarios import Case
from tests.simulation.world import World

MEMORY = Path("/dev/shm")  # noqa: S108 # only a place that is fast, where there is one
RESTARTS = tuple(timedelta(seconds=seconds) for seconds in (20, 37, 60, 660))
"""How long a process is dead; the last is longer than from one tick to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A crash point after which a promise was broken."""

    id: str
    point: str
    broken: BrokenPromise

    def __str__(self) -> str:
        return f"{self.id} ({self.point}): {self.broken}"


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder for one world, in memory where there is such a place."""
    folder = tempfile.mkdtemp(prefix="cdsync-simulation-", dir=MEMORY if MEMORY.is_dir() else None)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder)


class Beginning:
    """The moment before the apply of a scenario: made once, gone back to as often as wanted."""

    def __init__(self, case: Case, folder: Path) -> None:
        self._folder = folder
        world = case.scenario.begin(World(folder, case.options))
        self._files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        self._world = pickle.dumps(world)

    def again(self) -> World:
        """The world as it was then."""
        for path in self._folder.rglob("*"):
            if path.is_file() and path not in self._files:
                path.unlink()
        for path, content in self._files.items():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        world: World = pickle.loads(self._world)  # noqa: S301 # our own bytes
        return world


def points_of(beginning: Beginning) -> tuple[str, ...]:
    """The crash points of the apply of a scenario, which is not killed and has to do what it shall."""
    world = beginning.again()
    ended = world.apply()
    world.converge()
    check_plan(world)
    check_rest(world)
    return ended.points


def crash_at(case: Case, beginning: Beginning, *points: int) -> Failure | None:
    """Kill the apply at the first of these points, the one that recovers at the next, and then let them live."""
    name = f"{case}-" + "-".join(f"k{point}" for point in points)
    where = "never begun"
    world = beginning.again()
    try:
        for point in points:
            ended = world.apply(kill_at=point)
            where = ended.points[-1]
            world.wait(RESTARTS[point % len(RESTARTS)])
        world.converge()
        check_rest(world)
        case.scenario.finish(world)
    except BrokenPromise as broken:
        return Failure(id=name, point=where, broken=broken)
    return None


def crash_everywhere(case: Case, *, twice: int = 0, seed: int = 0) -> tuple[int, list[Failure]]:
    """Kill the apply of a scenario at each of its crash points, each in a world of its own.

    As often as `twice` says, the process that recovers from a death is killed as well, at points drawn from the seed.
    """
    chance = random.Random(f"{case} {seed}")  # noqa: S311 # a story, not a secret
    with a_folder() as folder:
        beginning = Beginning(case, folder)
        points = len(points_of(beginning))
        stories: list[tuple[int, ...]] = [(point,) for point in range(points)]
        stories += [(chance.randrange(points), chance.randrange(points)) for _ in range(twice)]
        found = [crash_at(case, beginning, *story) for story in stories]
    return len(stories), [failure for failure in found if failure is not None]
