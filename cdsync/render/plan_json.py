"""A plan as the JSON document that `schema/plan.schema.json` describes, and that `apply PLANFILE` reads."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from cdsync.core.actions import Plan
from cdsync.core.diff import FieldChange
from cdsync.core.plan import fingerprint_of_plan, summarise

FORMAT_VERSION = 1


def plan_document(plan: Plan, *, targets: tuple[str, ...] = ()) -> dict[str, Any]:
    """The plan as plain data, the same for the same plan."""
    return {
        "format_version": FORMAT_VERSION,
        "fingerprint": fingerprint_of_plan(plan),
        "targets": list(targets),
        "summary": summarise(plan),
        "pending": plan.pending,
        "actions": [
            {
                "address": str(action.address),
                "action": action.kind.value,
                "reason": action.reason.value,
                "why": action.why,
                "uid": action.uid,
                "first_fire": _time(action.first_fire),
                "changes": _changes(action.changes),
            }
            for action in plan.actions
        ],
        "blocked": [
            {
                "address": str(row.address),
                "reason": row.reason.value,
                "message": row.message,
                "remedy": row.remedy,
                "until": _time(row.until),
                "changes": _changes(row.changes),
            }
            for row in plan.blocked
        ],
        "drift": [
            {"address": str(row.address), "path": row.path, "applied": row.applied, "found": row.found}
            for row in plan.drift
        ],
        "violations": [
            {
                "limit": row.limit,
                "counted": row.counted,
                "allowed": row.allowed,
                "message": row.message,
                "remedy": row.remedy,
            }
            for row in plan.violations
        ],
    }


def _changes(changes: tuple[FieldChange, ...]) -> list[dict[str, Any]]:
    return [{"path": change.path, "before": change.before, "after": change.after} for change in changes]


def as_json(document: Any) -> str:
    """One JSON document, indented, ended with a line break."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=dict) + "\n"


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
