"""What is awaited from ordinary code gives its result, and is not spelt out for nobody."""

from __future__ import annotations

import asyncio

import pytest

from cdsync.waiting import run


class Unspeakable:
    """A result that must not be put into words."""

    def __repr__(self) -> str:
        raise AssertionError("it was spelt out")


async def _given(value: object) -> object:
    await asyncio.sleep(0)
    return value


def test_a_result_is_given_and_not_spelt_out() -> None:
    """However large it is, nobody asked for it in words."""
    result = Unspeakable()

    assert run(_given(result)) is result


def test_an_error_comes_through() -> None:
    """As it was raised."""

    async def failing() -> None:
        raise KeyError("this one")

    with pytest.raises(KeyError, match="this one"):
        run(failing())
