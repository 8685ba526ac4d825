"""JSON as servers send it: the same value as Python's own reader gives, whichever of both readers it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.api.answers import json_of

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(value=values, escaped=st.booleans(), indent=st.none() | st.just(1))
def test_a_value_is_read_as_it_was_written(value: Any, escaped: bool, indent: int | None) -> None:
    """Halves of characters, large numbers and signed zeros among it; 1, 1.0 and true stay what they are."""
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    read = json_of(text.encode("utf-8", "surrogatepass"))

    assert json.dumps(read) == json.dumps(value)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"[NaN, Infinity, -Infinity]", [None, None, None]),
        (b'{"a": 1e999, "b": -1e999, "c": 1e5}', {"a": None, "b": None, "c": 1e5}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "ä"}'.encode("utf-16"), {"a": "ä"}),
        (b'"\\ud800"', "\ud800"),
        (b" 1 ", 1),
    ],
)
def test_what_is_no_json_to_all_is_read_as_far_as_it_makes_sense(content: bytes, value: Any) -> None:
    """Servers send it all the same, and what stands beside it counts."""
    assert json_of(content) == value


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1,]", b"{", b"1 2", b'"\xff"', b'["\x01"]', b"01"])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    """With an error that says so to whoever asked."""
    with pytest.raises(ValueError):  # noqa: PT011 # of several kinds
        json_of(content)
