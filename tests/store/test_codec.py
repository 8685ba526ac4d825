from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC
from typing import Any

from hypothesis import given

from cdsync.core.model import Ownership
from cdsync.core.progress import LiveProgress
from cdsync.core.records import Intent
from cdsync.store.codec import (
    decode_intent,
    decode_ownership,
    decode_progress,
    decode_time,
    encode_intent,
    encode_ownership,
    encode_progress,
    encode_time,
)
from tests.store.values import intents, maybe_moment, ownerships, progresses

TOMORROW = {"a_field_of_tomorrow": {"deep": [1, None]}, "another": None}


@given(owned=ownerships)
def test_an_ownership_comes_back_as_it_was(owned: Ownership) -> None:
    """What is written of an ownership is read again, every field of it."""
    assert decode_ownership(encode_ownership(owned)) == owned


@given(intent=intents)
def test_an_intent_comes_back_as_it_was(intent: Intent) -> None:
    """What is written of a request before it leaves is read again, every field of it."""
    assert decode_intent(encode_intent(intent)) == intent


@given(progress=progresses)
def test_a_progress_comes_back_as_it_was(progress: LiveProgress) -> None:
    """What is written of a live run after each page is read again, every field of it."""
    assert decode_progress(encode_progress(progress)) == progress


@given(moment=maybe_moment)
def test_a_moment_comes_back_in_utc(moment: Any) -> None:
    """A moment keeps its microseconds, and none stays none."""
    assert decode_time(encode_time(moment)) == moment
    assert moment is None or decode_time(encode_time(moment)).tzinfo is UTC  # type: ignore[union-attr]


@given(owned=ownerships)
def test_fields_of_a_newer_version_are_passed_over(owned: Ownership) -> None:
    """A record with more fields than this version knows is read for those that it knows."""
    row = {**json.loads(encode_ownership(owned)), **TOMORROW}
    assert decode_ownership(json.dumps(row)) == owned


@given(intent=intents)
def test_fields_of_a_newer_intent_are_passed_over(intent: Intent) -> None:
    """The same for what the journal holds, and for the ownership inside it."""
    row = {**json.loads(encode_intent(intent)), **TOMORROW}
    if row["record"] is not None:
        row["record"] |= TOMORROW
    assert decode_intent(json.dumps(row)) == intent


@given(intent=intents)
def test_an_intent_of_before_is_read(intent: Intent) -> None:
    """A creation of unknown outcome outlives the version that sent it."""
    row = json.loads(encode_intent(intent))
    del row["already_there"]
    assert decode_intent(json.dumps(row)) == replace(intent, already_there=())


@given(owned=ownerships, intent=intents)
def test_every_field_is_written(owned: Ownership, intent: Intent) -> None:
    """A field that is added to a value and not to its encoding would be forgotten at the next start."""
    assert set(json.loads(encode_ownership(owned))) == {field.name for field in fields(Ownership)}
    assert set(json.loads(encode_intent(intent))) == {field.name for field in fields(Intent)}


@given(owned=ownerships)
def test_equal_values_have_equal_bytes(owned: Ownership) -> None:
    """The order in which a mapping was filled leaves no trace."""
    turned = json.loads(encode_ownership(owned))
    turned["fingerprints"] = dict(reversed(turned["fingerprints"].items()))
    assert encode_ownership(decode_ownership(json.dumps(turned))) == encode_ownership(owned)
