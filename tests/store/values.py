"""Values to put into a store: fixed ones, and strategies for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from cdsync.core.model import Address, FollowedRun, Kind, Ownership
from cdsync.core.progress import LiveProgress
from cdsync.core.records import HistoryEntry, Intent

AT_SEVEN = datetime(2026, 6, 1, 7, 0, tzinfo=UTC)


def address_of(name: str, kind: Kind = Kind.SCHEDULE) -> Address:
    return Address(kind, name)


def ownership(name: str, uid: str | None = None) -> Ownership:
    """An ownership of a schedule."""
    return Ownership(
        address=address_of(name),
        uid=uid or f"uid-of-{name}",
        object=Kind.SCHEDULE,
        action="an-action",
        cron="0 9 * * *",
        timezone="UTC",
        fingerprints={"inputs": "0123"},
        synopsis={"inputs": "1 input"},
        label=f"cdsync/{name}",
        created_at=AT_SEVEN,
    )


def intent(name: str, step: str = "create") -> Intent:
    """A creation that is about to leave."""
    return Intent(
        address=address_of(name),
        step=step,
        uid=None,
        sent_at=AT_SEVEN,
        record=replace(ownership(name), uid=""),
        label=f"cdsync/{name}",
        schedule_at=AT_SEVEN + timedelta(hours=2),
    )


def run(uid: str, status: str, *, name: str = "a", minutes: int | None = 0) -> FollowedRun:
    """A run of a schedule, made so many minutes after seven."""
    made = AT_SEVEN + timedelta(minutes=minutes) if minutes is not None else None
    return FollowedRun(uid=uid, address=address_of(name), status=status, created_at=made)


def entry(name: str, what: str, *, minutes: int = 0) -> HistoryEntry:
    """A line of history."""
    return HistoryEntry(
        at=AT_SEVEN + timedelta(minutes=minutes),
        address=address_of(name),
        action=what,
        result="done",
        uid="u",
        why="because",
        detail="a: 1",
        revision="abc123",
    )


texts = st.text(st.characters(exclude_categories=["Cs"]))
maybe_text = st.none() | texts
moments = st.datetimes(
    min_value=AT_SEVEN.replace(year=1990, tzinfo=None),
    max_value=AT_SEVEN.replace(year=2100, tzinfo=None),
    timezones=st.just(UTC),
)
maybe_moment = st.none() | moments
addresses = st.builds(
    Address, st.sampled_from(Kind), st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9])?", fullmatch=True)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
ownerships = st.builds(
    Ownership,
    address=addresses,
    uid=texts,
    object=st.sampled_from(Kind),
    action=texts,
    cron=maybe_text,
    timezone=maybe_text,
    state=texts,
    fingerprints=st.dictionaries(texts, texts, max_size=3),
    synopsis=st.dictionaries(texts, json_values, max_size=3),
    label=maybe_text,
    created_at=moments,
    removed_at=maybe_moment,
    retiring_uid=maybe_text,
    protect=st.booleans(),
    runs_checked_at=maybe_moment,
)
intents = st.builds(
    Intent,
    address=addresses,
    step=texts,
    uid=maybe_text,
    sent_at=moments,
    record=st.none() | ownerships,
    label=maybe_text,
    schedule_at=maybe_moment,
    parameters=st.dictionaries(texts, json_values, max_size=3),
    callback_url=maybe_text,
    already_there=st.lists(texts, max_size=3).map(tuple),
)
progresses = st.builds(
    LiveProgress,
    action=texts,
    total=st.integers(0, 100_000),
    begun_at=moments,
    active_at=moments,
    cursor=maybe_text,
    asked_at=maybe_moment,
    missed_at=maybe_moment,
    halted=maybe_text,
    wait_until=maybe_moment,
    counted_from=maybe_moment,
    length=st.integers(0),
)
