"""The store as its users see it: what is ours, what is under way, what was done."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cdsync.core.model import FINAL_RUN_STATUSES, Address, Effort, FollowedRun, Hold, OwnedState, Ownership
from cdsync.core.progress import LiveProgress
from cdsync.core.records import HistoryEntry, HistoryFilter
from cdsync.store.codec import decode_ownership, decode_ownerships, decode_progress, decode_time, encode_time
from cdsync.store.faults import legible
from cdsync.store.file import Version
from cdsync.store.journal import Journal
from cdsync.store.rows import (
    DROP_OLD_RUNS,
    DROP_SHORTER_HOLD,
    HISTORY_COLUMNS,
    SELECT_HISTORY_PAGE,
    SELECT_RUNS,
    entry_of,
    put_history,
    put_live,
    put_ownership,
    put_run,
    run_of,
)


class Store(Journal):
    """An open state. Every method that writes is one transaction; each raises StoreError when it cannot."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, lock: Path | None = None) -> None:
        super().__init__(connection, path, lock=lock)
        self._known: tuple[Version, OwnedState] | None = None
        self._decoded: Mapping[tuple[str, int], Ownership] = {}

    def fact(self, key: str) -> str | None:
        """Something found out once and remembered: the dialect, whether labels work, the workspace."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return rows[0][0] if rows else None

    def remember(self, key: str, value: str | None) -> None:
        """Remember a fact; with None, forget it."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM meta WHERE key = ?", (key,))
            if value is not None:
                connection.execute("INSERT INTO meta VALUES (?, ?)", (key, value))

    @legible
    def fingerprint_key(self) -> bytes:
        """The key of this state's fingerprints (32 bytes), drawn the first time it is asked for."""
        if (known := self.fact("fingerprint_key")) is None:
            known = secrets.token_hex(32)
            self.remember("fingerprint_key", known)
        return bytes.fromhex(known)

    @legible
    def owned(self) -> OwnedState:
        """All that is ours; the same value as before when nothing was written since."""
        version = self._version()
        if self._known is None or self._known[0] != version:
            self._known = version, self._read_owned()
        return self._known[1]

    def _read_owned(self) -> OwnedState:
        return OwnedState(
            resources=self._read_resources(),
            runs={run.uid: run for run in self._followed()},
            unresolved={
                row.intent.address: f"whether its {row.intent.step} of {row.intent.sent_at:%Y-%m-%d %H:%M:%S} UTC "
                "took effect is not known yet"
                for row in self.pending()
            },
            held={
                Address.parse(address): Hold(since=datetime.fromisoformat(since), until=decode_time(until))
                for address, since, until in self._rows("SELECT address, since, until FROM holds ORDER BY address")
            },
            efforts={
                Address.parse(address): Effort(signature, int(count))
                for address, signature, count in self._rows("SELECT address, signature, count FROM efforts")
            },
            live=self.all_live(),
            cancelled=self.just_cancelled(),
        )

    def _read_resources(self) -> Mapping[Address, Ownership]:
        """What every resource owns; only the records that are others than at the last reading are decoded.

        They are told apart by Python's own hash, which has 64 bits and another key in each process.
        """
        rows = self._rows("SELECT address, record FROM ownership ORDER BY 1")
        keys = [(address, hash(record)) for address, record in rows]
        known = self._decoded
        fresh = decode_ownerships([record for key, (_, record) in zip(keys, rows, strict=True) if key not in known])
        self._decoded = {key: known.get(key) or next(fresh) for key in keys}
        return {owned.address: owned for owned in self._decoded.values()}

    @legible
    def owned_by(self, address: Address) -> Ownership | None:
        """What one resource owns."""
        rows = self._rows("SELECT record FROM ownership WHERE address = ?", str(address))
        return decode_ownership(rows[0][0]) if rows else None

    @legible
    def all_live(self) -> Mapping[Address, LiveProgress]:
        """How far every live run has come."""
        rows = self._rows("SELECT address, record FROM live ORDER BY address")
        return {Address.parse(address): decode_progress(record) for address, record in rows}

    @legible
    def live(self, address: Address) -> LiveProgress | None:
        """How far a live run has come."""
        rows = self._rows("SELECT record FROM live WHERE address = ?", str(address))
        return decode_progress(rows[0][0]) if rows else None

    def save_live(
        self,
        address: Address,
        progress: LiveProgress,
        *,
        owned: Ownership | None = None,
        entry: HistoryEntry | None = None,
    ) -> None:
        """Remember how far a live run has come; with its ownership when it begins.

        Raises:
            StoreError: it cannot be written where the next one looks for it, so nothing more may be asked for.
        """
        self.require_in_place()
        with self._transaction() as connection:
            put_live(connection, address, progress)
            if owned is not None:
                put_ownership(connection, owned)
            if entry is not None:
                put_history(connection, entry)

    def _followed(self) -> Iterator[FollowedRun]:
        return map(run_of, self._rows(f"{SELECT_RUNS} ORDER BY uid"))

    @legible
    def followed_run(self, uid: str) -> FollowedRun | None:
        """One run of ours as last seen."""
        rows = self._rows(f"{SELECT_RUNS} WHERE uid = ?", uid)
        return run_of(rows[0]) if rows else None

    def hold(self, address: Address, hold: Hold) -> None:
        """Remember that a person wants a resource left alone."""
        with self._transaction() as connection:
            row = (str(address), encode_time(hold.since), encode_time(hold.until))
            connection.execute("INSERT OR REPLACE INTO holds VALUES (?, ?, ?)", row)

    def release(self, address: Address) -> bool:
        """End a hold; gives whether there was one."""
        with self._transaction() as connection:
            return connection.execute("DELETE FROM holds WHERE address = ?", (str(address),)).rowcount > 0

    def set_efforts(self, efforts: Mapping[Address, Effort | None]) -> None:
        """Remember how often the same change was made in a row; None is a resource that is as declared again."""
        with self._transaction() as connection:
            for address, effort in efforts.items():
                connection.execute("DELETE FROM efforts WHERE address = ?", (str(address),))
                if effort is not None:
                    row = (str(address), effort.signature, effort.count)
                    connection.execute("INSERT INTO efforts VALUES (?, ?, ?)", row)

    def save(self, owned: Ownership) -> None:
        """Remember that an object is ours, and what was applied to it."""
        with self._transaction() as connection:
            put_ownership(connection, owned)

    def rename(self, address: Address, *, was: str) -> None:
        """Move an ownership, and the runs followed for it, from the name it had to another address."""
        old = Address(address.kind, was)
        owned = self.owned_by(old)
        with self._transaction() as connection:
            connection.execute("DELETE FROM ownership WHERE address = ?", (str(old),))
            connection.execute(DROP_SHORTER_HOLD, {"old": str(old), "new": str(address)})
            for table in ("runs", "holds", "history", "live"):
                statement = f"UPDATE OR REPLACE {table} SET address = ? WHERE address = ?"  # noqa: S608 # fixed names
                connection.execute(statement, (str(address), str(old)))
            if owned is not None:
                put_ownership(connection, replace(owned, address=address))

    def forget(self, address: Address) -> None:
        """Drop the ownership of a resource, and stop following its runs."""
        with self._transaction() as connection:
            for table in ("ownership", "runs", "efforts", "live"):
                connection.execute(f"DELETE FROM {table} WHERE address = ?", (str(address),))  # noqa: S608 # fixed names

    def follow(self, runs: tuple[FollowedRun, ...], *, owned: tuple[Ownership, ...]) -> None:
        """Remember what a look at our runs showed, and up to which firing it looked.

        Of the runs that one resource had, the finished ones are dropped but for the newest.
        """
        with self._transaction() as connection:
            for run in runs:
                put_run(connection, run)
            for row in owned:
                put_ownership(connection, row)
            for address in {str(run.address) for run in runs}:
                connection.execute(DROP_OLD_RUNS, {"address": address, "final": json.dumps(sorted(FINAL_RUN_STATUSES))})

    def add_history(self, entry: HistoryEntry) -> None:
        """Add to the record of what was done."""
        with self._transaction() as connection:
            put_history(connection, entry)

    def known_uids(self) -> frozenset[str]:
        """Every UID that history tells of."""
        return frozenset(row[0] for row in self._rows("SELECT DISTINCT uid FROM history WHERE uid IS NOT NULL"))

    @legible
    def history(self, address: Address | None = None) -> tuple[HistoryEntry, ...]:
        """What was done, oldest first; to one resource, or to all."""
        rows = self._rows(
            f"SELECT {HISTORY_COLUMNS} FROM history WHERE ?1 IS NULL OR address = ?1 ORDER BY id",  # noqa: S608 # fixed
            str(address) if address else None,
        )
        return tuple(map(entry_of, rows))

    def history_page(self, wanted: HistoryFilter, *, size: int) -> tuple[tuple[int, HistoryEntry], ...]:
        """The newest lines of history that are wanted, at most so many, newest first, each with its number."""
        about, since = str(wanted.address) if wanted.address else None, encode_time(wanted.since)
        rows = self._rows(SELECT_HISTORY_PAGE, about, wanted.result, since, wanted.before, size)
        return tuple((int(number), entry_of(tuple(row))) for number, *row in rows)
