"""When the service manager is told that all is well."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from cdsync.daemon.pulse import LATENESS, LONGEST_SILENCE, Pulse
from tests.daemon.values import NOW
from tests.virtual_time import run_virtual

REQUEST = timedelta(seconds=30)


def test_a_pass_that_shows_no_sign_of_life_is_stuck() -> None:
    """An answer, an event or a declaration that was read is one; without any, patience ends after eleven minutes."""

    async def story(_clock: object) -> None:
        pulse = Pulse()
        pulse.work()
        await asyncio.sleep(LONGEST_SILENCE)
        assert pulse.steady(request=REQUEST)
        pulse.beat()
        await asyncio.sleep(LONGEST_SILENCE)
        assert pulse.steady(request=REQUEST)
        await asyncio.sleep(61)
        assert not pulse.steady(request=REQUEST)

    run_virtual(story, start=NOW)


def test_a_pause_on_purpose_is_no_standstill() -> None:
    """An API that is down for a day is no reason to be restarted; a pause that does not end is."""

    async def story(_clock: object) -> None:
        pulse = Pulse()
        pulse.wait(86400)
        await asyncio.sleep(86400)
        assert pulse.steady(request=REQUEST)
        await asyncio.sleep(LATENESS + 1)
        assert not pulse.steady(request=REQUEST)
        pulse.work()
        assert pulse.steady(request=REQUEST)

    run_virtual(story, start=NOW)


def test_progress_is_more_than_a_sign_of_life() -> None:
    """Errors are signs of life, and get nobody on."""

    async def story(_clock: object) -> None:
        pulse = Pulse()
        await asyncio.sleep(100)
        pulse.beat()
        assert round(pulse.since_progress()) == 100
        pulse.progress()
        assert round(pulse.since_progress()) == 0

    run_virtual(story, start=NOW)
