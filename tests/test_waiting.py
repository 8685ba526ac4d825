"""What is awaited from ordinary code gives its result, and is not spelt out for nobody."""

from __future__ import annotations

import asyncio

import pytest

from cdsync.waiting import run


class Counted:
    """A result that counts how often it is put into words."""

    spelt = 0

    def __repr__(self) -> str:
        self.spelt += 1
        return "a result"


async def _given(value: Counted) -> Counted:
    await asyncio.sleep(0)
    return value


def test_a_result_is_given_and_not_spelt_out() -> None:
    """However large it is, nobody asked for it in words; asyncio alone would do it, as of Python 3.11."""
    result = Counted()

    assert run(_given(result)) is result
    assert result.spelt == 0


def test_an_error_comes_through() -> None:
    """As it was raised."""

    async def failing() -> None:
        raise KeyError("this one")

    with pytest.raises(KeyError, match="this one"):
        run(failing())
