"""Values to JSON text and back, so that a row holds a whole value and a new field needs no migration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from sys import intern
from typing import Any

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


def decode_ownership(text: str) -> Ownership:
    """The ownership that `encode_ownership` wrote; fields of a newer version are passed over."""
    return _ownership(json.loads(text))


def decode_ownerships(texts: Sequence[str]) -> Iterator[Ownership]:
    """Like `decode_ownership`, of many; those that are decoded together share the names of their fields."""
    for start in range(0, len(texts), TOGETHER):
        some = texts[start : start + TOGETHER]
        rows = json.loads(f"[{','.join(some)}]")
        if len(rows) != len(some):
            raise ValueError("a record that is no single value")
        yield from map(_ownership, rows)


def _shared(text: str | None) -> str | None:
    """The same text, in memory once: the declaration and the account say it as well."""
    return intern(text) if text is not None else None


def _ownership(row: dict[str, Any]) -> Ownership:
    return Ownership(
        address=Address.parse(row["address"]),
        uid=intern(row["uid"]),
        object=Kind(row["object"]),
        action=intern(row["action"]),
        cron=_shared(row["cron"]),
        timezone=_shared(row["timezone"]),
        state=intern(row["state"]),
        fingerprints={field: intern(digest) for field, digest in row["fingerprints"].items()},
        synopsis=row["synopsis"],
        label=_shared(row["label"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        removed_at=decode_time(row["removed_at"]),
        retiring_uid=row["retiring_uid"],
        protect=row["protect"],
        runs_checked_at=decode_time(row["runs_checked_at"]),
        made_at=decode_time(row.get("made_at")),
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
        record=_ownership(row["record"]) if row["record"] else None,
        label=row["label"],
        schedule_at=decode_time(row["schedule_at"]),
        parameters=row["parameters"],
        callback_url=row["callback_url"],
        already_there=tuple(row.get("already_there", ())),
    )
