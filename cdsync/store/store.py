"""The store as its users see it: what is ours, what is under way, what was done."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cdsync.core.model import (
    FINAL_RUN_STATUSES,
    Address,
    FollowedRun,
    HistoryEntry,
    Intent,
    OwnedState,
    Ownership,
    PendingIntent,
)
from cdsync.store import lock
from cdsync.store.codec import (
    decode_intent,
    decode_ownership,
    decode_time,
    encode_intent,
    encode_ownership,
    encode_time,
)
from cdsync.store.faults import corrupt, store_errors
from cdsync.store.schema import migrate

CREATIONS = ("create", "launch")
"""The steps whose repetition would be paid for: only these must be resolved by looking."""

_RUNS = "SELECT uid, address, status, resumes, resumed_at, created_at FROM runs"

_DROP_OLD_RUNS = """
    DELETE FROM runs
    WHERE address = :address AND status IN (SELECT value FROM json_each(:final)) AND uid <> (
        SELECT uid FROM runs WHERE address = :address ORDER BY created_at DESC, uid DESC LIMIT 1
    )
"""


@contextmanager
def open_writer(path: Path, *, holder: str) -> Iterator[Store]:
    """Open the state for writing, made and migrated if need be, as the only writer.

    Raises:
        StoreError: it is held by another, damaged, too new, or cannot be written.
    """
    with store_errors(path):
        _make_home(path)
        descriptor = lock.acquire(path.with_name(path.name + ".lock"), holder=holder)
    try:
        with store_errors(path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
        with closing(_connect(path)) as connection:
            with store_errors(path):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                _check(connection, path)
                migrate(connection, path)
            yield Store(connection, path)
    finally:
        lock.release(descriptor)


@contextmanager
def open_reader(path: Path) -> Iterator[Store]:
    """Open a snapshot of the state for reading: it takes no lock and changes no file; no state is an empty one.

    Raises:
        StoreError: it is damaged, too new, or cannot be read.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as snapshot:
        with store_errors(path):
            if path.exists():
                with closing(_connect(path, mode="ro")) as connection:
                    _check(connection, path)
                    connection.backup(snapshot)
            migrate(snapshot, path)
        yield Store(snapshot, path)


def _make_home(path: Path) -> None:
    """Make the folder of the state; one that cdsync makes hides itself from git."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, mode=0o700)
        (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")


def _connect(path: Path, *, mode: str = "rw") -> sqlite3.Connection:
    with store_errors(path):
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=10)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise corrupt(path, str(verdict))


class Store:
    """An open state. Every method that writes is one transaction; each raises StoreError when it cannot."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with store_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[tuple[str, ...]]:
        with store_errors(self.path):
            return self._connection.execute(query, values).fetchall()

    def fact(self, key: str) -> str | None:
        """Something found out once and remembered: the dialect, whether labels work, the workspace."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return rows[0][0] if rows else None

    def remember(self, key: str, value: str) -> None:
        """Remember a fact."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def fingerprint_key(self) -> bytes:
        """The key of this state's fingerprints (32 bytes), drawn the first time it is asked for."""
        if (known := self.fact("fingerprint_key")) is None:
            known = secrets.token_hex(32)
            self.remember("fingerprint_key", known)
        return bytes.fromhex(known)

    def owned(self) -> OwnedState:
        """All that is ours."""
        resources = (decode_ownership(row[0]) for row in self._rows("SELECT record FROM ownership ORDER BY address"))
        return OwnedState(
            resources={owned.address: owned for owned in resources},
            runs={run.uid: run for run in self._followed()},
            unresolved={
                row.intent.address: f"whether its {row.intent.step} of {row.intent.sent_at:%Y-%m-%d %H:%M:%S} UTC "
                "took effect is not known yet"
                for row in self.pending()
            },
        )

    def owned_by(self, address: Address) -> Ownership | None:
        """What one resource owns."""
        rows = self._rows("SELECT record FROM ownership WHERE address = ?", str(address))
        return decode_ownership(rows[0][0]) if rows else None

    def _followed(self) -> Iterator[FollowedRun]:
        return map(_run_of, self._rows(f"{_RUNS} ORDER BY uid"))

    def followed_run(self, uid: str) -> FollowedRun | None:
        """One run of ours as last seen."""
        rows = self._rows(f"{_RUNS} WHERE uid = ?", uid)
        return _run_of(rows[0]) if rows else None

    def pending(self) -> tuple[PendingIntent, ...]:
        """The creations whose outcome is not known, oldest first."""
        rows = self._rows("SELECT id, intent, missed_at, step FROM journal WHERE outcome IS NULL ORDER BY id")
        return tuple(
            PendingIntent(id=int(row[0]), intent=decode_intent(row[1]), missed_at=decode_time(row[2]))
            for row in rows
            if row[3] in CREATIONS
        )

    def begin(self, intent: Intent) -> int:
        """Write down a request before it leaves; gives the number under which `finish` closes it."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO journal (address, step, intent) VALUES (?, ?, ?)",
                (str(intent.address), intent.step, encode_intent(intent)),
            )
            return cursor.lastrowid or 0

    def finish(
        self,
        number: int,
        outcome: str,
        *,
        owned: Ownership | None = None,
        run: FollowedRun | None = None,
        entry: HistoryEntry | None = None,
    ) -> None:
        """Close a request as `done`, `refused` or `absent`, with what is ours and on record because of it."""
        with self._transaction() as connection:
            connection.execute("UPDATE journal SET outcome = ? WHERE id = ?", (outcome, number))
            if owned is not None:
                _put_ownership(connection, owned)
            if run is not None:
                _put_run(connection, run)
            if entry is not None:
                _put_history(connection, entry)

    def missed(self, number: int, at: datetime) -> None:
        """Note that looking for a creation found nothing, the first time."""
        with self._transaction() as connection:
            connection.execute("UPDATE journal SET missed_at = ? WHERE id = ?", (encode_time(at), number))

    def save(self, owned: Ownership) -> None:
        """Remember that an object is ours, and what was applied to it."""
        with self._transaction() as connection:
            _put_ownership(connection, owned)

    def rename(self, address: Address, *, was: str) -> None:
        """Move an ownership, and the runs followed for it, from the name it had to another address."""
        old = Address(address.kind, was)
        owned = self.owned_by(old)
        with self._transaction() as connection:
            connection.execute("DELETE FROM ownership WHERE address = ?", (str(old),))
            connection.execute("UPDATE runs SET address = ? WHERE address = ?", (str(address), str(old)))
            if owned is not None:
                _put_ownership(connection, replace(owned, address=address))

    def forget(self, address: Address) -> None:
        """Drop the ownership of a resource, and stop following its runs."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM ownership WHERE address = ?", (str(address),))
            connection.execute("DELETE FROM runs WHERE address = ?", (str(address),))

    def follow(self, runs: tuple[FollowedRun, ...], *, owned: tuple[Ownership, ...]) -> None:
        """Remember what a look at our runs showed, and up to which firing it looked.

        Of the runs that one resource had, the finished ones are dropped but for the newest.
        """
        with self._transaction() as connection:
            for run in runs:
                _put_run(connection, run)
            for row in owned:
                _put_ownership(connection, row)
            for address in {str(run.address) for run in runs}:
                connection.execute(
                    _DROP_OLD_RUNS, {"address": address, "final": json.dumps(sorted(FINAL_RUN_STATUSES))}
                )

    def add_history(self, entry: HistoryEntry) -> None:
        """Add to the record of what was done."""
        with self._transaction() as connection:
            _put_history(connection, entry)

    def history(self, address: Address | None = None) -> tuple[HistoryEntry, ...]:
        """What was done, oldest first; to one resource, or to all."""
        rows = self._rows(
            "SELECT at, address, action, result, uid, why, detail, revision FROM history "
            "WHERE ?1 IS NULL OR address = ?1 ORDER BY id",
            str(address) if address else None,
        )
        return tuple(
            HistoryEntry(
                at=datetime.fromisoformat(row[0]),
                address=Address.parse(row[1]),
                action=row[2],
                result=row[3],
                uid=row[4],
                why=row[5],
                detail=row[6],
                revision=row[7],
            )
            for row in rows
        )


def _put_ownership(connection: sqlite3.Connection, owned: Ownership) -> None:
    row = (str(owned.address), owned.uid, encode_ownership(owned))
    # No REPLACE: it would silently drop another resource that owns the same UID.
    connection.execute(
        "INSERT INTO ownership VALUES (?, ?, ?) "
        "ON CONFLICT (address) DO UPDATE SET uid = excluded.uid, record = excluded.record",
        row,
    )


def _put_run(connection: sqlite3.Connection, run: FollowedRun) -> None:
    row = (
        run.uid,
        str(run.address),
        run.status,
        run.resumes,
        encode_time(run.resumed_at),
        encode_time(run.created_at),
    )
    connection.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)", row)


def _put_history(connection: sqlite3.Connection, entry: HistoryEntry) -> None:
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
        "INSERT INTO history (at, address, action, result, uid, why, detail, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )


def _run_of(row: tuple[str, ...]) -> FollowedRun:
    uid, address, status, resumes, resumed_at, created_at = row
    return FollowedRun(
        uid=uid,
        address=Address.parse(address),
        status=status,
        resumes=int(resumes),
        resumed_at=decode_time(resumed_at),
        created_at=decode_time(created_at),
    )
