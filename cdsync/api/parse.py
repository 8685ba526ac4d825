"""The API's JSON as values, read tolerantly: its pages exist in several ages, and no field but the UID is certain.

Anything that is not understood is None; only a row without a UID is an error, because nothing could be concluded from
a listing that holds one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cdsync.core.model import RemoteRun, RemoteSchedule, RunError
from cdsync.core.work import Json
from cdsync.errors import BadAnswer

UIDS = frozenset({"uid", "schedule_uid", "scheduled_run_uid", "run_uid"})
"""The names under which the ages of the API give a UID."""

UID = re.compile(r"[!-~]{1,128}")
"""What is taken for a UID: it goes into paths, files and terminals."""

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Times outside of these stand for none: some servers write the year 1 for a time that never was."""


def parse_rows(answer: Any, *, what: str) -> Sequence[Mapping[str, Any]]:
    """The rows of a listing: a bare array, or one in an envelope under `data`.

    Raises:
        BadAnswer: it is neither.
    """
    if isinstance(answer, dict) and answer.get("error_label"):
        raise BadAnswer(f"the listing of {what} is an error in disguise: {legible(str(answer['error_label']))[:80]}")
    rows = answer.get("data") if isinstance(answer, dict) else answer
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadAnswer(f"the listing of {what} is no array of objects")
    return rows


def parse_uid(row: Any, *keys: str) -> str:
    """The UID of an object, under the first of these keys that has one.

    Raises:
        BadAnswer: none has.
    """
    fields = _fields(row)
    for key in keys:
        if isinstance(fields.get(key), str) and UID.fullmatch(fields[key]):
            return str(fields[key])
    raise BadAnswer(f"an object without {' or '.join(keys)}")


def _fields(row: Any) -> Mapping[str, Any]:
    """The fields of an object, bare or in an envelope under `data`; an object with a UID is no envelope."""
    if not isinstance(row, dict):
        return {}
    inner = row.get("data")
    return inner if isinstance(inner, dict) and not row.keys() & UIDS else row


def parse_schedule(row: Any) -> RemoteSchedule:
    """A schedule of a listing, of a get, or of an answer to a change."""
    uid = parse_uid(row, "uid", "schedule_uid", "scheduled_run_uid")
    fields = _fields(row)
    return RemoteSchedule(
        uid=uid,
        action=_text(fields.get("action_name")) or "",
        status=(_text(fields.get("status")) or "UNKNOWN").upper(),
        cron=_text(fields.get("cron")),
        timezone=_text(fields.get("timezone")),
        label=_text(fields.get("name")),
        next_execution_at=moment_of(fields.get("next_execution_at")),
        last_executed_at=moment_of(fields.get("last_executed_at")),
        created_at=moment_of(fields.get("created_at")),
        workspace_uid=_text(fields.get("workspace_uid")),
    )


def parse_run(row: Any) -> RemoteRun:
    """A run of a listing, of a get, or of an answer to a change."""
    uid = parse_uid(row, "uid", "run_uid")
    fields = _fields(row)
    error = fields.get("last_error")
    callback = fields.get("callback")
    parameters = fields.get("parameters")
    return RemoteRun(
        uid=uid,
        action=_text(fields.get("action_name")) or "",
        status=(_text(fields.get("status")) or "UNKNOWN").upper(),
        mode=(_text(fields.get("execution_mode")) or "").upper() or None,
        label=_text(fields.get("name")) or _text(fields.get("scheduled_run_name")),
        schedule_uid=_text(fields.get("scheduled_run_uid")),
        callback_url=_text(callback.get("url")) if isinstance(callback, dict) else None,
        parameters=parameters if isinstance(parameters, dict) else None,
        last_error=_parse_error(error) if isinstance(error, dict) else None,
        postponed_until=_postponed(fields, error if isinstance(error, dict) else {}),
        output_count=fields["output_count"] if isinstance(fields.get("output_count"), int) else None,
        created_at=moment_of(fields.get("created_at")),
        started_at=moment_of(fields.get("started_at")),
        finished_at=moment_of(fields.get("finished_at")),
    )


def _parse_error(error: Mapping[str, Any]) -> RunError | None:
    label = _text(error.get("label")) or _text(error.get("error_label"))
    message = _text(error.get("message"))
    return RunError(label=label, message=message) if label or message else None


def _postponed(fields: Mapping[str, Any], error: Mapping[str, Any]) -> datetime | None:
    params = error.get("params")
    return moment_of(fields.get("postponed_until")) or moment_of(
        params.get("postponed_until") if isinstance(params, dict) else None
    )


def _text(value: Any) -> str | None:
    return legible(value) if isinstance(value, str) and value else None


def legible(text: str) -> str:
    """The text without half characters, which JSON can hold and no file or terminal takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def moment_of(value: Any) -> datetime | None:
    """A time as the API writes it, in UTC; None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def parse_results(answer: Any) -> tuple[Json, ...]:
    """The rows of a live answer: an array, one in an envelope under `data`, or for some actions a single object."""
    if isinstance(answer, dict) and isinstance(answer.get("data"), list):
        return tuple(answer["data"])
    if answer is None:
        return ()
    return tuple(answer) if isinstance(answer, list) else (answer,)
