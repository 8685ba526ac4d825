from __future__ import annotations

import json

import pytest

from cdsync.api.pages import Pages, runs_in
from cdsync.errors import BadAnswer


def page(*uids: str) -> bytes:
    """The bytes of a page of schedules."""
    return json.dumps([{"uid": uid, "action_name": "a", "status": "ACTIVE"} for uid in uids]).encode()


def test_a_page_that_says_the_same_again_is_not_read_again() -> None:
    pages = Pages()
    pages.begin()
    first = pages.schedules_in(page("s-1", "s-2"))
    for _ in range(3):
        pages.begin()
        assert pages.schedules_in(page("s-1", "s-2")) is first


def test_a_page_that_says_anything_else_is_read() -> None:
    pages = Pages()
    pages.begin()
    pages.schedules_in(page("s-1"))
    pages.begin()
    assert [row.uid for row in pages.schedules_in(page("s-2"))] == ["s-2"]


def test_what_is_not_shown_again_is_forgotten() -> None:
    """A process that runs for years keeps what an account shows, not what it has shown."""
    pages = Pages()
    pages.begin()
    first = pages.schedules_in(page("s-1"))
    pages.begin()
    pages.begin()
    again = pages.schedules_in(page("s-1"))
    assert again == first
    assert again is not first


def test_two_equal_pages_of_one_listing_are_both_told() -> None:
    """A server that is deaf to the offset shows one page again and again; that is for the listing to see."""
    pages = Pages()
    pages.begin()
    assert pages.schedules_in(page("s-1")) == pages.schedules_in(page("s-1"))


@pytest.mark.parametrize("content", [b"7", b'{"data": 7}', b"[7]", b"[{}]", b'[{"uid": 7}]'])
def test_a_page_that_cannot_be_understood_is_not_remembered(content: bytes) -> None:
    pages = Pages()
    for _ in range(2):
        pages.begin()
        with pytest.raises(BadAnswer):
            pages.schedules_in(content)
    with pytest.raises(BadAnswer):
        runs_in(content)


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_told_as_such(content: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        Pages().schedules_in(content)
