from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.api.limiter import WINDOW, Limiter, seconds_to_wait
from tests.api.answering import in_virtual_time
from tests.virtual_time import VirtualClock

NOW = 1_780_000_000.0


@pytest.mark.parametrize("per_minute", [1, 30, 60, 600])
def test_over_time_requests_are_no_faster_than_configured(per_minute: int) -> None:
    """No minute, from whenever on, admits more than is configured, nor less than is asked for, to whoever asks."""

    async def story(clock: VirtualClock) -> None:
        limiter = Limiter(per_minute)
        moments: list[float] = []

        async def one() -> None:
            await limiter.admit()
            moments.append(clock.elapsed)

        await asyncio.gather(*(one() for _ in range(per_minute * 5)))
        assert 4 * WINDOW <= clock.elapsed <= 5 * WINDOW
        assert sum(1 for moment in moments if moment < 1) == per_minute
        assert all(later - sooner >= 60 for sooner, later in zip(moments, moments[per_minute:], strict=False))

    in_virtual_time(story)


def test_once_hung_up_nobody_is_admitted() -> None:
    """Who waits for the budget or for the API's silence to end is told at once, and so is who comes later."""

    async def story(clock: VirtualClock) -> None:
        limiter = Limiter(1)
        assert await limiter.admit()
        limiter.hold(200)
        waiting = [asyncio.create_task(limiter.admit()) for _ in range(3)]
        await asyncio.sleep(10)
        limiter.hang_up()
        assert await asyncio.gather(*waiting) == [False, False, False]
        assert clock.elapsed == pytest.approx(10, abs=0.1)
        assert not await limiter.admit()

    in_virtual_time(story)


def test_whoever_has_budget_is_not_admitted_either_once_hung_up() -> None:
    """It is not a matter of waiting."""

    async def story(_clock: VirtualClock) -> None:
        limiter = Limiter(60)
        limiter.hang_up()
        assert not await limiter.admit()

    in_virtual_time(story)


def test_a_hold_stops_all_who_wait_already() -> None:
    """Those who were waiting for the budget when the API asked for silence keep silent too."""

    async def story(clock: VirtualClock) -> None:
        limiter = Limiter(60)
        moments: list[float] = []

        async def one() -> None:
            await limiter.admit()
            moments.append(clock.elapsed)

        waiting = [asyncio.create_task(one()) for _ in range(70)]
        await asyncio.sleep(2.5)
        before = len(moments)
        limiter.hold(100)
        await asyncio.gather(*waiting)
        assert before == 60
        assert all(moment >= 102.5 for moment in moments[before:])

    in_virtual_time(story)


def test_of_two_holds_the_longer_counts() -> None:
    """A shorter wait that is asked for later does not end the silence."""

    async def story(clock: VirtualClock) -> None:
        limiter = Limiter(60)
        limiter.hold(50)
        limiter.hold(5)
        await limiter.admit()
        assert clock.elapsed == pytest.approx(50, abs=0.001)

    in_virtual_time(story)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Thu, 28 May 2026 20:27:10 GMT"}, 30.0),
        ({"retry-after": "Thu, 28 May 2026 20:00:00 GMT"}, 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, 12.0),
        ({"x-ratelimit-remaining": " 0 ", "x-ratelimit-reset": "1780000012"}, 12.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1779999999"}, 0.0),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "12"}, None),
        ({"retry-after": "7", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, 7.0),
    ],
)
def test_what_the_api_asks_for_is_read_in_every_form(headers: dict[str, str], wait: float | None) -> None:
    """Seconds or a moment, by either header; what cannot be read asks for nothing."""
    assert seconds_to_wait(headers, now=NOW) == wait


@given(text=st.text(), now=st.floats(1e9, 4e9))
def test_no_header_breaks_the_reading(text: str, now: float) -> None:
    """Any text gives a number of seconds that is not negative, or nothing."""
    for headers in ({"retry-after": text}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": text}):
        wait = seconds_to_wait(headers, now=now)
        assert wait is None or wait >= 0
