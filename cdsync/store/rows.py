"""Single rows of the tables, in and out, and the statements that more than one place needs."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from cdsync.core.model import Address, FollowedRun, Ownership
from cdsync.core.progress import LiveProgress
from cdsync.core.records import HistoryEntry
from cdsync.store.codec import decode_time, encode_ownership, encode_progress, encode_time

HISTORY_COLUMNS = "at, address, action, result, uid, why, detail, revision"

SELECT_HISTORY_PAGE = f"""
    SELECT id, {HISTORY_COLUMNS} FROM history
    WHERE (?1 IS NULL OR address = ?1) AND (?2 IS NULL OR result = ?2)
        AND (?3 IS NULL OR at >= ?3) AND (?4 IS NULL OR id < ?4)
    ORDER BY id DESC LIMIT ?5
"""  # noqa: S608 # fixed names
"""Times are all written alike, in UTC, so that they sort as text."""

RUN_COLUMNS = "uid, address, status, resumes, resumed_at, created_at, seen_at, refusal, outputs, error, postponed_until"

SELECT_RUNS = f"SELECT {RUN_COLUMNS} FROM runs"  # noqa: S608 # fixed names

DROP_SHORTER_HOLD = """
    DELETE FROM holds WHERE address = :old AND EXISTS (
        SELECT 1 FROM holds AS other WHERE other.address = :new AND (other.until IS NULL OR other.until >= holds.until)
    )
"""
"""Of the holds on two names that become one, the one that lasts longer stays; times sort as text."""

DROP_OLD_RUNS = """
    DELETE FROM runs
    WHERE address = :address AND status IN (SELECT value FROM json_each(:final)) AND uid <> (
        SELECT uid FROM runs WHERE address = :address ORDER BY created_at DESC, uid DESC LIMIT 1
    )
"""


def put_ownership(connection: sqlite3.Connection, owned: Ownership) -> None:
    """Insert or change what a resource owns; a UID that another one owns is refused."""
    row = (str(owned.address), owned.uid, encode_ownership(owned))
    # No REPLACE: it would silently drop another resource that owns the same UID.
    connection.execute(
        "INSERT INTO ownership VALUES (?, ?, ?) "
        "ON CONFLICT (address) DO UPDATE SET uid = excluded.uid, record = excluded.record",
        row,
    )


def put_run(connection: sqlite3.Connection, run: FollowedRun) -> None:
    """Insert or change a run of ours."""
    row = (
        run.uid,
        str(run.address),
        run.status,
        run.resumes,
        encode_time(run.resumed_at),
        encode_time(run.created_at),
        encode_time(run.seen_at),
        run.refusal,
        run.outputs,
        run.error,
        encode_time(run.postponed_until),
    )
    connection.execute(
        f"INSERT OR REPLACE INTO runs ({RUN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 # fixed
        row,
    )


def put_history(connection: sqlite3.Connection, entry: HistoryEntry) -> None:
    """Add a line of history."""
    row = (
        encode_time(entry.at),
        str(entry.address),
        entry.action,
        entry.result,
        entry.uid,
        entry.why,
        entry.detail,
        entry.revision,
    )
    connection.execute(
        f"INSERT INTO history ({HISTORY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 # fixed names
        row,
    )


def put_live(connection: sqlite3.Connection, address: Address, progress: LiveProgress) -> None:
    """Insert or change how far a live run has come."""
    row = (str(address), encode_progress(progress))
    connection.execute("INSERT OR REPLACE INTO live VALUES (?, ?)", row)


def run_of(row: tuple[Any, ...]) -> FollowedRun:
    """The run of a row of SELECT_RUNS."""
    uid, address, status, resumes, resumed_at, created_at, seen_at, refusal, outputs, error, postponed_until = row
    return FollowedRun(
        uid=uid,
        address=Address.parse(address),
        status=status,
        resumes=int(resumes),
        resumed_at=decode_time(resumed_at),
        created_at=decode_time(created_at),
        seen_at=decode_time(seen_at),
        refusal=refusal,
        outputs=None if outputs is None else int(outputs),
        error=error,
        postponed_until=decode_time(postponed_until),
    )


def entry_of(row: tuple[str, ...]) -> HistoryEntry:
    """The line of history of a row of HISTORY_COLUMNS."""
    at, address, action, result, uid, why, detail, revision = row
    return HistoryEntry(
        at=datetime.fromisoformat(at),
        address=Address.parse(address),
        action=action,
        result=result,
        uid=uid,
        why=why,
        detail=detail,
        revision=revision,
    )
