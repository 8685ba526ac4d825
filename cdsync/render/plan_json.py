"""A plan as the JSON document that `schema/plan.schema.json` describes, and that `apply PLANFILE` reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cdsync.core.actions import Action, Blocked, Plan
from cdsync.core.crowding import Crowd
from cdsync.core.diff import FieldChange
from cdsync.core.fingerprint import canonical
from cdsync.core.origin import Since, beyond, origin_of
from cdsync.core.plan import fingerprint_of_plan, summarise
from cdsync.core.preview import Firing, row_key
from cdsync.core.remarks import Remarks, crowd_sentence, reach_sentence

FORMAT_VERSION = 1

NO_REMARKS = Remarks()


def plan_document(
    plan: Plan,
    *,
    account: str,
    revision: str | None = None,
    targets: tuple[str, ...] = (),
    remarks: Remarks = NO_REMARKS,
) -> dict[str, Any]:
    """The plan as plain data, the same for the same plan and remarks.

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
        "actions": [_action(action) | _beside(action, remarks) for action in plan.actions],
        "blocked": [_blocked(row) | _beside(row, remarks) for row in plan.blocked],
        "drift": [asdict(row) | {"address": str(row.address)} for row in plan.drift],
        "violations": [asdict(row) for row in plan.violations],
        "since": _since(plan, remarks.since),
        "cannot_see": list(remarks.cannot_see),
        "crowd": crowd_document(remarks.crowd),
    }
    return {**document, "checksum": checksum_of(document)}


def _beside(row: Action | Blocked, remarks: Remarks) -> dict[str, Any]:
    preview = remarks.previews.get(row_key(row))
    return {
        "origin": origin_of(row, remarks.since).value if remarks.since is not None else None,
        "preview": {"before": _firing(preview.before), "after": _firing(preview.after)} if preview else None,
    }


def _firing(firing: Firing | None) -> dict[str, Any] | None:
    return {"words": firing.words, "fires": [_time(fire) for fire in firing.fires]} if firing is not None else None


def _since(plan: Plan, since: Since | None) -> dict[str, Any] | None:
    if since is None:
        return None
    return {
        "ref": since.ref,
        "base": since.base,
        "files": list(since.files),
        "beyond": beyond(plan, since),
        "warning": reach_sentence(plan, since),
    }


def crowd_document(crowd: Crowd | None) -> dict[str, Any] | None:
    """A minute in which many schedules fire, as plain data; None where there is none."""
    if crowd is None:
        return None
    return {
        "minute": crowd.minute.isoformat(),
        "addresses": [str(address) for address in crowd.addresses],
        "minutes": crowd.minutes,
        "warning": crowd_sentence(crowd),
    }


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
