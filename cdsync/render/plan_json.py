"""A plan as the JSON document that `schema/plan.schema.json` describes, and that `apply PLANFILE` reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cdsync.core.actions import Plan
from cdsync.core.diff import FieldChange
from cdsync.core.plan import fingerprint_of_plan, summarise
from cdsync.errors import CdsyncError, StalePlan

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What applying a saved plan needs of it: what it decided, and what it was confined to."""

    fingerprint: str
    targets: tuple[str, ...]


def read_saved_plan(path: Path) -> SavedPlan:
    """Read what `plan -o` wrote.

    Raises:
        CdsyncError: it cannot be read, or is no plan of this version.
    """
    remedy = "make it anew: cdsync plan -o FILE"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CdsyncError(f"{path}: the plan cannot be read: {error.strerror}", remedy=remedy) from error
    except ValueError as error:
        raise CdsyncError(f"{path}: no plan, because it is no JSON: {error}", remedy=remedy) from error
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        raise CdsyncError(f"{path}: no plan of format_version {FORMAT_VERSION}", remedy=remedy)
    fingerprint, targets = document.get("fingerprint"), document.get("targets", [])
    if not isinstance(fingerprint, str) or not isinstance(targets, list):
        raise CdsyncError(f"{path}: a plan without its fingerprint or targets", remedy=remedy)
    return SavedPlan(fingerprint, tuple(map(str, targets)))


def refuse_if_stale(saved: SavedPlan, plan: Plan) -> None:
    """Compare a saved plan with one made now.

    Raises:
        StalePlan: they decide something else.
    """
    now = fingerprint_of_plan(plan)
    if now != saved.fingerprint:
        raise StalePlan(
            f"the saved plan {saved.fingerprint} is stale: a plan made now, as shown, is {now}; nothing was done",
            remedy="review the new plan, save it, and apply that",
        )


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
