"""Values to JSON text and back, so that a row holds a whole value and a new field needs no migration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from sys import intern
from typing import Any

import msgspec

from cdsync.core.fingerprint import canonical
from cdsync.core.model import Address, Kind, Ownership
from cdsync.core.progress import LiveProgress
from cdsync.core.records import Intent

TOGETHER = 100
"""How many records are decoded at once: all of a large state would be in memory twice."""


def encode_time(moment: datetime | None) -> str | None:
    """An aware moment as ISO-8601 in UTC."""
    return moment.astimezone(UTC).isoformat() if moment is not None else None


def decode_time(text: str | None) -> datetime | None:
    """The moment that `encode_time` wrote."""
    return datetime.fromisoformat(text) if text is not None else None


def encode_ownership(owned: Ownership) -> str:
    """An ownership as JSON text."""
    return canonical(_ownership_dict(owned))


def _ownership_dict(owned: Ownership) -> dict[str, Any]:
    return {
        "address": str(owned.address),
        "uid": owned.uid,
        "object": owned.object.value,
        "action": owned.action,
        "cron": owned.cron,
        "timezone": owned.timezone,
        "state": owned.state,
        "fingerprints": dict(owned.fingerprints),
        "synopsis": dict(owned.synopsis),
        "label": owned.label,
        "created_at": encode_time(owned.created_at),
        "removed_at": encode_time(owned.removed_at),
        "retiring_uid": owned.retiring_uid,
        "protect": owned.protect,
        "runs_checked_at": encode_time(owned.runs_checked_at),
        "made_at": encode_time(owned.made_at),
    }


class _Record(msgspec.Struct, kw_only=True):
    """An ownership as `encode_ownership` writes it; what a newer version adds is passed over."""

    address: str
    uid: str
    object: Kind
    action: str
    cron: str | None
    timezone: str | None
    state: str
    fingerprints: dict[str, str]
    synopsis: dict[str, Any]
    label: str | None
    created_at: datetime
    removed_at: datetime | None
    retiring_uid: str | None
    protect: bool
    runs_checked_at: datetime | None
    made_at: datetime | None = None


_RECORDS = msgspec.json.Decoder(list[_Record])


def decode_ownership(text: str) -> Ownership:
    """The ownership that `encode_ownership` wrote; fields of a newer version are passed over."""
    (owned,) = decode_ownerships((text,))
    return owned


def decode_ownerships(texts: Sequence[str]) -> Iterator[Ownership]:
    """Like `decode_ownership`, of many."""
    for start in range(0, len(texts), TOGETHER):
        some = texts[start : start + TOGETHER]
        records = _RECORDS.decode(f"[{','.join(some)}]")
        if len(records) != len(some):
            raise ValueError("a record that is no single value")
        yield from map(_ownership, records)


def _shared(text: str | None) -> str | None:
    """The same text, in memory once: the declaration and the account say it as well."""
    return intern(text) if text is not None else None


def _ownership(record: _Record) -> Ownership:
    return Ownership(
        address=Address.parse(record.address),
        uid=intern(record.uid),
        object=record.object,
        action=intern(record.action),
        cron=_shared(record.cron),
        timezone=_shared(record.timezone),
        state=intern(record.state),
        fingerprints=record.fingerprints,
        synopsis=record.synopsis,
        label=_shared(record.label),
        created_at=record.created_at,
        removed_at=record.removed_at,
        retiring_uid=record.retiring_uid,
        protect=record.protect,
        runs_checked_at=record.runs_checked_at,
        made_at=record.made_at,
    )


MOMENTS_OF_PROGRESS = tuple(spec.name for spec in fields(LiveProgress) if "datetime" in str(spec.type))


def encode_progress(progress: LiveProgress) -> str:
    """How far a live run has come, as JSON text."""
    row = asdict(progress)
    return canonical(row | {name: encode_time(row[name]) for name in MOMENTS_OF_PROGRESS})


def decode_progress(text: str) -> LiveProgress:
    """The progress that `encode_progress` wrote; fields of a newer version are passed over."""
    row = json.loads(text)
    known = {spec.name: row[spec.name] for spec in fields(LiveProgress) if spec.name in row}
    if known.get("held") is not None:
        known["held"] = tuple(known["held"])
    return LiveProgress(**known | {name: decode_time(row.get(name)) for name in MOMENTS_OF_PROGRESS})


def encode_intent(intent: Intent) -> str:
    """An intent as JSON text."""
    return canonical(
        {
            "address": str(intent.address),
            "step": intent.step,
            "uid": intent.uid,
            "sent_at": encode_time(intent.sent_at),
            "record": _ownership_dict(intent.record) if intent.record else None,
            "label": intent.label,
            "schedule_at": encode_time(intent.schedule_at),
            "parameters": dict(intent.parameters),
            "callback_url": intent.callback_url,
            "already_there": list(intent.already_there),
        }
    )


def decode_intent(text: str) -> Intent:
    """The intent that `encode_intent` wrote."""
    row = json.loads(text)
    return Intent(
        address=Address.parse(row["address"]),
        step=row["step"],
        uid=row["uid"],
        sent_at=datetime.fromisoformat(row["sent_at"]),
        record=_ownership(msgspec.convert(row["record"], _Record)) if row["record"] else None,
        label=row["label"],
        schedule_at=decode_time(row["schedule_at"]),
        parameters=row["parameters"],
        callback_url=row["callback_url"],
        already_there=tuple(row.get("already_there", ())),
    )
