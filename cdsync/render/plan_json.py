"""A plan as the JSON document that `schema/plan.schema.json` describes, and that `apply PLANFILE` reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cdsync.core.actions import Action, Blocked, Plan
from cdsync.core.diff import FieldChange
from cdsync.core.fingerprint import canonical
from cdsync.core.plan import fingerprint_of_plan, summarise

FORMAT_VERSION = 1


def plan_document(
    plan: Plan, *, account: str, revision: str | None = None, targets: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The plan as plain data, the same for the same plan.

    `account` says which account it is about, and as whom; `revision` is that of the declaration, which decides nothing.
    """
    document = {
        "format_version": FORMAT_VERSION,
        "fingerprint": fingerprint_of_plan(plan),
        "account": account,
        "revision": revision,
        "targets": list(targets),
        "summary": summarise(plan),
        "pending": plan.pending,
        "actions": [_action(action) for action in plan.actions],
        "blocked": [_blocked(row) for row in plan.blocked],
        "drift": [asdict(row) | {"address": str(row.address)} for row in plan.drift],
        "violations": [asdict(row) for row in plan.violations],
    }
    return {**document, "checksum": checksum_of(document)}


def checksum_of(document: Mapping[str, Any]) -> str:
    """A digest of a document but for its own checksum, so that a saved plan that was edited is recognised."""
    rest = {key: value for key, value in document.items() if key != "checksum"}
    return hashlib.sha256(canonical(rest).encode()).hexdigest()[:16]


def _action(action: Action) -> dict[str, Any]:
    return {
        "address": str(action.address),
        "action": action.kind.value,
        "reason": action.reason.value,
        "why": action.why,
        "uid": action.uid,
        "first_fire": _time(action.first_fire),
        "changes": _changes(action.changes),
    }


def _blocked(row: Blocked) -> dict[str, Any]:
    return {
        "address": str(row.address),
        "reason": row.reason.value,
        "message": row.message,
        "remedy": row.remedy,
        "until": _time(row.until),
        "changes": _changes(row.changes),
    }


def _changes(changes: tuple[FieldChange, ...]) -> list[dict[str, Any]]:
    return [{"path": change.path, "before": change.before, "after": change.after} for change in changes]


def as_json(document: Any) -> str:
    """One JSON document, indented, ended with a line break."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=dict) + "\n"


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
