"""What is sent: declared values as request bodies, in the API's own field names (API contract section 2.1).

The identity mode is always sent, because the API's default decides what a run costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from cdsync.core.work import Callback, Json, Work


def creation_body(
    work: Work,
    *,
    label: str | None,
    cron: str | None = None,
    timezone: str | None = None,
    schedule_at: datetime | None = None,
) -> dict[str, object]:
    """The body that creates a schedule or launches a run; `work` has its references replaced by their values.

    Without `schedule_at` the API fires a schedule at once.
    """
    body = work_fields(work)
    if label is not None:
        body["name"] = label
    if cron is not None:
        body["cron"] = cron
    if timezone is not None:
        body["timezone"] = timezone
    if schedule_at is not None:
        body["schedule_at"] = _timestamp(schedule_at)
    return {key: value for key, value in body.items() if value not in ({}, [], None)}


def live_body(work: Work, row: Mapping[str, Json]) -> dict[str, object]:
    """The body that asks for one input at once; it takes neither a label nor a callback (API contract section 2.1)."""
    fields = work_fields(work)
    body = {"input": dict(row), **{key: fields[key] for key in ("parameters", "identity_mode", "identity_ids")}}
    return {key: value for key, value in body.items() if key == "input" or value not in ({}, [], None)}


def work_fields(work: Work) -> dict[str, object]:
    """Every field of the work, also those that are empty."""
    return {
        "inputs": list(work.inputs),
        "parameters": dict(work.parameters),
        "identity_mode": work.identity_mode,
        "identity_ids": list(work.identity_ids),
        "callback": _callback(work.callback),
    }


def update_fields(work: Work, *, cron: str, timezone: str, changed: Iterable[str]) -> dict[str, object]:
    """The fields of a schedule that changed, by their top-level names, with their declared values."""
    fields = {**work_fields(work), "cron": cron, "timezone": timezone}
    return {name: fields[name] for name in sorted(set(changed)) if name in fields}


def _callback(callback: Callback | None) -> Mapping[str, object] | None:
    if callback is None:
        return None
    return {"url": callback.url, "headers": dict(callback.headers), "on": callback.on}


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
