"""The API's JSON as values, read tolerantly: its pages exist in several ages, and no field but the UID is certain.

Anything that is not understood is None; only a row without a UID is an error, because nothing could be concluded from
a listing that holds one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any

import msgspec

from cdsync.api.moments import moment_of, unread_moment
from cdsync.core.model import RemoteRun, RemoteSchedule, RunError
from cdsync.core.work import Json
from cdsync.errors import BadAnswer

UIDS = frozenset({"uid", "schedule_uid", "scheduled_run_uid", "run_uid"})
"""The names under which the ages of the API give a UID."""

OF_A_SCHEDULE = ("uid", "schedule_uid", "scheduled_run_uid")
OF_A_RUN = ("uid", "run_uid")

UID = re.compile(r"[!-~]{1,128}")
"""What is taken for a UID: it goes into paths, files and terminals."""


LABEL = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
"""What an error label looks like."""


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
    return _uid_in(_fields(row), keys)


def _uid_in(fields: Mapping[str, Any], keys: Sequence[str]) -> str:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, str) and UID.fullmatch(value):
            return intern(value)
    raise BadAnswer(f"an object without {' or '.join(keys)}")


def _fields(row: Any) -> Mapping[str, Any]:
    """The fields of an object, bare or in an envelope under `data`; an object with a UID is no envelope."""
    if not isinstance(row, dict):
        return {}
    inner = row.get("data")
    return inner if isinstance(inner, dict) and not row.keys() & UIDS else row


class _Row(msgspec.Struct):
    """The fields of a schedule, by the types that the servers of today send; a tolerant reader puts in any others."""

    uid: str
    action_name: str | None = None
    status: str | None = None
    cron: str | None = None
    timezone: str | None = None
    name: str | None = None
    next_execution_at: str | None = None
    last_executed_at: str | None = None
    created_at: str | None = None
    workspace_uid: str | None = None


_SHOWN = _Row.__struct_fields__[1:]
_ROWS = msgspec.json.Decoder(list[_Row])


def parse_schedule(row: Any) -> RemoteSchedule:
    """A schedule of a listing, of a get, or of an answer to a change."""
    fields = _fields(row)
    return _schedule(_Row(_uid_in(fields, OF_A_SCHEDULE), *map(fields.get, _SHOWN)))


def parse_page(content: bytes) -> Sequence[RemoteSchedule] | None:
    """The schedules of a page, by the types of its fields; None of one that holds anything else than usual.

    What it gives is what `parse_schedule` gives of each row, in two thirds of the time.
    """
    try:
        rows = _ROWS.decode(content)
    except (ValueError, RecursionError):
        return None
    return tuple(map(_schedule, rows)) if all(UID.fullmatch(row.uid) for row in rows) else None


def _schedule(row: _Row) -> RemoteSchedule:
    return RemoteSchedule(
        uid=intern(row.uid),
        action=_text(row.action_name) or "",
        status=(_text(row.status) or "UNKNOWN").upper(),
        cron=_text(row.cron),
        timezone=_text(row.timezone),
        label=_text(row.name),
        next_execution_at=moment_of(row.next_execution_at),
        last_executed_at=moment_of(row.last_executed_at),
        created_at=moment_of(row.created_at),
        workspace_uid=_text(row.workspace_uid),
    )


def parse_run(row: Any) -> RemoteRun:
    """A run of a listing, of a get, or of an answer to a change."""
    fields = _fields(row)
    error = fields.get("last_error")
    postponements = (fields.get("postponed_until"), _postponement_of(error))
    callback = fields.get("callback")
    parameters = fields.get("parameters")
    return RemoteRun(
        uid=_uid_in(fields, OF_A_RUN),
        action=_text(fields.get("action_name")) or "",
        status=(_text(fields.get("status")) or "UNKNOWN").upper(),
        mode=(_text(fields.get("execution_mode")) or "").upper() or None,
        label=_text(fields.get("name")) or _text(fields.get("scheduled_run_name")),
        schedule_uid=_text(fields.get("scheduled_run_uid")),
        callback_url=_text(callback.get("url")) if isinstance(callback, dict) else None,
        parameters=parameters if isinstance(parameters, dict) else None,
        last_error=_parse_error(error, unread=next(filter(None, map(unread_moment, postponements)), None)),
        postponed_until=next(filter(None, map(moment_of, postponements)), None),
        output_count=fields["output_count"] if isinstance(fields.get("output_count"), int) else None,
        created_at=moment_of(fields.get("created_at")),
        started_at=moment_of(fields.get("started_at")),
        finished_at=moment_of(fields.get("finished_at")),
    )


def _parse_error(error: Any, *, unread: str | None) -> RunError | None:
    """Why a run stands still: what is there counts, whether it can be read or not; `unread` is a postponement.

    Nothing is there when every field is empty, or says that nothing has failed.
    """
    fields = error if isinstance(error, dict) else {"label" if LABEL.fullmatch(str(error)) else "message": error}
    told = {key: value for key, value in fields.items() if value not in (None, "", [], {}, False, "false")}
    if not told and unread is None:
        return None
    return RunError(
        label=_name(told.get("label")) or _name(told.get("error_label")),
        message=_text(told.get("message")),
        unread_postponement=unread,
    )


def _postponement_of(error: Any) -> Any:
    params = error.get("params") if isinstance(error, dict) else None
    return params.get("postponed_until") if isinstance(params, dict) else None


def _name(value: Any) -> str | None:
    """A label, which may be a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _text(value: Any) -> str | None:
    """A text that is not empty; in memory once, because thousands of rows say the same, and so does the state."""
    if not isinstance(value, str) or not value:
        return None
    return intern(value if value.isascii() else legible(value))


def legible(text: str) -> str:
    """The text without half characters, which JSON can hold and no file or terminal takes."""
    return text.encode("utf-8", "replace").decode()


def parse_results(answer: Any) -> tuple[Json, ...]:
    """The rows of a live answer: an array, one in an envelope under `data`, or for some actions a single object."""
    if isinstance(answer, dict) and isinstance(answer.get("data"), list):
        return tuple(answer["data"])
    if answer is None:
        return ()
    return tuple(answer) if isinstance(answer, list) else (answer,)
