"""How a daemon ends, in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cdsync.daemon.ending import ANSWER_WITHIN, FINISH_WITHIN, Ending
from cdsync.simulator import Fault
from cdsync.store import open_reader
from tests.daemon.world import Kept, keep

ONE = {"a": "0 9 * * 1"}


def pending(kept: Kept) -> int:
    """How many outcomes are unknown."""
    with open_reader(kept.root / ".cdsync" / "state.db") as store:
        return len(store.pending())


def inject(kept: Kept, *faults: Fault) -> None:
    """Let things go wrong."""
    kept.line.served.simulation.faults.active.extend(faults)


def test_between_two_passes_it_ends_at_once(tmp_path: Path) -> None:
    """There is nothing to wait for."""

    async def story(kept: Kept) -> None:
        await asyncio.sleep(30)
        await Ending().stop(kept.loop, kept.running)
        assert kept.running.done()
        assert kept.clock.elapsed < 31

    keep(tmp_path, story, declared=ONE)


def test_a_pass_that_only_looks_is_given_up(tmp_path: Path) -> None:
    """A listing that is not read to its end decides nothing."""

    async def story(kept: Kept) -> None:
        inject(kept, Fault(kind="slow", method="GET", seconds=20))
        await asyncio.sleep(1)
        await Ending().stop(kept.loop, kept.running)
        assert kept.clock.elapsed < 2
        assert kept.results == ["stopped"]
        assert kept.calls("POST") == 0

    keep(tmp_path, story, declared=ONE)


def test_what_waits_for_the_rate_limit_is_known_not_to_have_been_sent(tmp_path: Path) -> None:
    """It waits for minutes, and nobody has to look for it afterwards."""

    async def story(kept: Kept) -> None:
        inject(kept, Fault(kind="rate_limit", method="POST", seconds=250))
        await asyncio.sleep(5)
        await Ending().stop(kept.loop, kept.running)
        assert kept.running.done()
        assert FINISH_WITHIN <= kept.clock.elapsed - 5 < FINISH_WITHIN + ANSWER_WITHIN
        assert pending(kept) == 0
        assert kept.results == ["stopped"]

    keep(tmp_path, story, declared=ONE)


def test_nothing_is_waited_for_for_ever(tmp_path: Path) -> None:
    """An answer that does not come leaves an open question, which the next start looks into first."""

    async def story(kept: Kept) -> None:
        inject(kept, Fault(kind="slow", method="POST", seconds=500, after=True))
        await asyncio.sleep(5)
        await Ending().stop(kept.loop, kept.running)
        await kept.running
        assert FINISH_WITHIN + ANSWER_WITHIN <= kept.clock.elapsed - 5 < FINISH_WITHIN + ANSWER_WITHIN + 1
        assert pending(kept) == 1

    settings = "api: {requests_per_minute: 6000, key: {file: key.txt}, timeout: 10m}\n"
    keep(tmp_path, story, settings=settings, declared=ONE)


def test_a_lost_answer_is_looked_for_before_the_end(tmp_path: Path) -> None:
    """Nothing is left unknown that need not be."""

    async def story(kept: Kept) -> None:
        kept.line.loses_after = 3
        await asyncio.sleep(1)
        await Ending().stop(kept.loop, kept.running)
        assert kept.results == ["stopped"]
        assert pending(kept) == 0
        assert kept.calls("POST") == 1

    keep(tmp_path, story, declared=ONE)
