"""The fingerprints of what the API hides, and what may be shown of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.core.fingerprint import HIDDEN_FIELDS, LAUNCH_FIELDS, canonical, fingerprint_of, synopsis_of
from cdsync.core.model import Resource
from cdsync.core.work import Callback, Reference
from tests.core.values import KEY, NOW, fingerprints, one_off, schedule, work

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_the_canonical_text_reads_back_as_the_value(value: Any) -> None:
    """Nothing is lost, so different values have different texts."""
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(st.text(), plain, min_size=2))
def test_the_order_of_keys_does_not_count(value: dict[str, Any]) -> None:
    """Equal values have equal bytes, whatever mapping they came in."""
    backwards = dict(reversed(list(value.items())))

    assert canonical(backwards) == canonical(value) == canonical(MappingProxyType(value))


def test_what_is_no_json_value_is_refused() -> None:
    """A reference that was not resolved never gets into a fingerprint."""
    with pytest.raises(TypeError, match=r"^Reference is no JSON value$"):
        canonical({"a": Reference("env", "TOKEN")})


@pytest.mark.parametrize("resource", [schedule(), one_off()], ids=["schedule", "run"])
def test_every_hidden_field_has_a_fingerprint(resource: Resource) -> None:
    """A schedule is compared by what the API hides, a one-off also by what no object shows once it has run."""
    expected = {*HIDDEN_FIELDS} if resource == schedule() else {*HIDDEN_FIELDS, *LAUNCH_FIELDS}

    assert set(fingerprints(resource)) == expected
    assert set(synopsis_of(resource)) == expected


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (work(inputs=({"url": "https://example.com/2"}, {"url": "https://example.com/1"})), "inputs"),
        (work(inputs=()), "inputs"),
        (work(parameters={"max_results": True}), "parameters"),
        (work(identity_mode="auto"), "identity_mode"),
        (work(identity_ids=("a",)), "identity_ids"),
        (
            work(callback=Callback(url="https://other.example.com", headers={"Authorization": "Bearer canary"})),
            "callback.url",
        ),
        (work(callback=Callback(url="https://hooks.example.com/cd", headers={})), "callback.headers"),
        (
            work(
                callback=Callback(
                    url="https://hooks.example.com/cd", headers={"Authorization": "Bearer canary"}, on="final"
                )
            ),
            "callback.on",
        ),
    ],
)
def test_a_change_shows_in_its_own_field_alone(changed: Any, field: str) -> None:
    """The diff can name what has changed without knowing what it was."""
    before, after = fingerprints(schedule()), fingerprints(schedule(work=changed))

    assert {name for name in before if before[name] != after[name]} == {field}


def test_the_same_value_in_two_fields_has_two_digests() -> None:
    """One field's digest tells nothing about another's."""
    bare = fingerprints(schedule(work=work(callback=None)))

    assert bare["callback.url"] != bare["callback.headers"] != bare["callback.on"]


def test_rows_cannot_be_cut_in_another_way() -> None:
    """Two inputs and one that looks like both are different inputs."""
    two = fingerprints(schedule(work=work(inputs=({"a": 1}, {"b": 2}))))
    one = fingerprints(schedule(work=work(inputs=({"a": 1, "b": 2},))))

    assert two["inputs"] != one["inputs"]


def test_another_key_gives_other_digests() -> None:
    """A state file that leaks cannot be searched for guessed secrets without its key."""
    here = fingerprint_of(schedule(), schedule().work, key=KEY)
    there = fingerprint_of(schedule(), schedule().work, key=b"another")

    assert all(here[field] != there[field] for field in HIDDEN_FIELDS)
    assert not any("canary" in digest for digest in here.values())


def test_the_same_moment_in_another_zone_is_the_same_launch() -> None:
    """`schedule_at` is compared as a moment, not as a text."""
    paris = timezone(timedelta(hours=2))
    one = one_off(schedule_at=datetime(2026, 7, 1, 8, tzinfo=UTC))
    other = one_off(schedule_at=datetime(2026, 7, 1, 10, tzinfo=paris))

    assert fingerprints(one) == fingerprints(other)


def test_the_synopsis_holds_nothing_sensitive() -> None:
    """References and the values of headers are never shown, and inputs only by their number and a digest."""
    secret = Callback(url=Reference("env", "HOOK"), headers={"B": "canary-1", "A": Reference("env", "TOKEN")})
    shown = synopsis_of(schedule(work=work(inputs=({"x": "canary-2"},), callback=secret)))

    assert shown == {
        "inputs": "1 input (digest 3802c232)",
        "parameters": {"max_results": 500},
        "identity_mode": "direct",
        "identity_ids": [],
        "callback.url": "(sensitive)",
        "callback.headers": {"A": "(sensitive)", "B": "(sensitive)"},
        "callback.on": "all",
    }
    assert "canary" not in repr(secret)


@pytest.mark.parametrize(
    ("inputs", "begins"),
    [((), "0 inputs (digest "), (({},), "1 input (digest "), (({}, {}), "2 inputs (digest ")],
)
def test_inputs_are_shown_by_number_and_digest(inputs: Any, begins: str) -> None:
    """A person sees how many there are, and that they are others than those seen before."""
    shown = str(synopsis_of(schedule(work=work(inputs=inputs)))["inputs"])

    assert re.fullmatch(re.escape(begins) + r"[0-9a-f]{8}\)", shown)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(({"a": 1, "b": 2}, {"c": 3}), True, id="other_order_of_keys_as_read"),
        pytest.param(({"c": 3}, {"b": 2, "a": 1}), False, id="other_order_of_inputs"),
        pytest.param(({"b": 2, "a": 1}, {"c": "3"}), False, id="other_type"),
        pytest.param(({"b": 2}, {"a": 1, "c": 3}), False, id="cut_otherwise"),
    ],
)
def test_the_digest_of_inputs_is_that_of_their_values(other: Any, same: bool) -> None:
    """Equal inputs are the same plan, whatever the order of their keys; as many other ones are not."""
    ones = ({"b": 2, "a": 1}, {"c": 3})
    shown = [synopsis_of(schedule(work=work(inputs=inputs)))["inputs"] for inputs in (ones, other)]

    assert (shown[0] == shown[1]) is same


def test_the_synopsis_of_a_one_off_says_when() -> None:
    """What no object shows once it has run is remembered by the store."""
    shown = synopsis_of(replace(one_off(), schedule_at=NOW))

    assert (shown["action"], shown["mode"], shown["schedule_at"]) == (
        "linkedin-extract-people",
        "async",
        "2026-06-01T12:00:00+00:00",
    )
