from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cdsync.core.model import RemoteSchedule
from cdsync.executor.doubts import Doubts
from cdsync.reconciler import plan_pass, workshop_for
from tests.executor.world import World, live_in, schedule
from tests.store.values import address_of, intent

TWIN = ("schedule", "an-action", "0 9 * * *")


def test_a_creation_is_in_doubt_from_its_leaving_to_its_end() -> None:
    """What could be taken for the other is told, whoever is asked; nobody is his own twin."""
    doubts = Doubts(())
    assert doubts.twin_of(address_of("b"), TWIN) is None
    doubts.begin(intent("a"))
    assert doubts.twin_of(address_of("b"), TWIN) == address_of("a")
    assert doubts.twin_of(address_of("a"), TWIN) is None
    assert doubts.twin_of(address_of("b"), ("schedule", "an-action", "0 10 * * *")) is None
    doubts.end(intent("a"))
    assert doubts.twin_of(address_of("b"), TWIN) is None


def test_what_was_in_doubt_before_stays_so_beside_another_of_the_same_resource() -> None:
    """A second creation of a resource that ends does not rule out the first."""
    doubts = Doubts((intent("a"),))
    doubts.begin(intent("a"))
    doubts.end(intent("a"))
    assert doubts.twin_of(address_of("b"), TWIN) == address_of("a")


@pytest.mark.parametrize("labels", ["echo", "accept", "refuse"])
def test_the_journal_is_not_read_anew_for_each_creation(tmp_path: Path, labels: str) -> None:
    """However many are created, their doubts are looked for in what is at hand."""

    async def reads(world: World, count: int) -> int:
        statements: list[str] = []
        async with world.opened([schedule(f"s{count}-{number}") for number in range(count)]) as work:
            work.store._connection.set_trace_callback(statements.append)
            await world.applying(work)
            work.store._connection.set_trace_callback(None)
        return sum("FROM journal" in statement for statement in statements)

    async def story(world: World) -> None:
        assert await reads(world, 3) == await reads(world, 30)

    live_in(tmp_path, story, labels=labels)


class Counting(Mapping[str, RemoteSchedule]):
    """A mapping that counts how often it is gone through."""

    def __init__(self, values: Mapping[str, RemoteSchedule]) -> None:
        self._values = values
        self.times = 0

    def __getitem__(self, key: str) -> RemoteSchedule:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        self.times += 1
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def test_what_is_there_is_gone_through_once(tmp_path: Path) -> None:
    """However many are created, what looks like the effect of each is found among what does the same."""

    async def story(world: World) -> None:
        declared = [schedule(f"s{number}") for number in range(5)]
        await world.apply(*declared)
        async with world.opened(declared) as work:
            planned = await plan_pass(work)
            there = Counting(planned.sight.observed.schedules)
            sight = replace(planned.sight, observed=replace(planned.sight.observed, schedules=there))
            shop = workshop_for(work, replace(planned, sight=sight), patient=True, tell=lambda _: None)
            records = {row.address: row for row in planned.owned.resources.values()}
            for one in declared:
                record = records[one.address]
                again = replace(intent("x"), record=record, label=None, sent_at=world.clock.now())
                shop.labels = None
                assert shop.already_there(again) == ()
                shop.labels = True
                assert shop.already_there(replace(again, label=record.label)) == (record.uid,)
        assert there.times == 1

    live_in(tmp_path, story)
