"""How requests for a pass are gathered."""

from __future__ import annotations

import asyncio

import pytest

from cdsync.daemon.triggers import Cause, Triggers
from tests.daemon.values import NOW
from tests.virtual_time import VirtualClock, run_virtual


def test_many_wishes_are_one() -> None:
    """Whoever waits gets all of them at once, and none of them twice."""

    async def story(clock: VirtualClock) -> None:
        triggers = Triggers()
        for cause in (Cause.HOOK, Cause.FILES, Cause.HOOK):
            triggers.request(cause)
        assert await triggers.next(within=60) == (Cause.FILES, Cause.HOOK)
        assert clock.elapsed < 1
        assert await triggers.next(within=60) == (Cause.TIMER,)
        assert round(clock.elapsed) == 60

    run_virtual(story, start=NOW)


def test_the_end_wakes_who_waits() -> None:
    """And nobody waits any more after it."""

    async def story(clock: VirtualClock) -> None:
        triggers = Triggers()
        asyncio.get_running_loop().call_later(5, triggers.close)
        assert await triggers.next(within=60) == ()
        assert await triggers.next(within=60) == ()
        assert round(clock.elapsed) == 5

    run_virtual(story, start=NOW)


def test_work_is_given_up_when_the_end_comes() -> None:
    """What it would have given is None then; what it fails of comes through; what is done in time is given."""

    async def story(clock: VirtualClock) -> None:
        triggers = Triggers()
        asyncio.get_running_loop().call_later(5, triggers.close)

        async def later(seconds: float) -> str:
            await asyncio.sleep(seconds)
            return "done"

        async def fail() -> None:
            raise ValueError("no")

        assert await triggers.unless_closed(later(1)) == "done"
        with pytest.raises(ValueError, match="no"):
            await triggers.unless_closed(fail())
        assert await triggers.unless_closed(later(100)) is None
        assert round(clock.elapsed) == 5

    run_virtual(story, start=NOW)
