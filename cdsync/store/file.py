"""The state file itself, open: where it is, its one connection, and whether it is still the file that others find."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from cdsync.errors import StoreError
from cdsync.store.faults import store_errors
from cdsync.store.lock import identity_of

Version: TypeAlias = tuple[int, int, bool]
Write: TypeAlias = Callable[[sqlite3.Connection], None]


class StateFile:
    """An open state file; `lock` is the file that keeps others from writing it, None where none is held."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, lock: Path | None = None) -> None:
        self._connection = connection
        self._held = {file: identity_of(file) for file in (path, lock) if file is not None}
        self._due: list[Write] = []
        self.path = path

    def require_in_place(self) -> None:
        """Make sure that the file that is written, and its lock, are those that the next to open it will find.

        Raises:
            StoreError: one was deleted, moved away or replaced; what is written would be lost, or another writes too.
        """
        for file, identity in self._held.items():
            if identity != identity_of(file):
                what = "what is written now would be lost" if file == self.path else "another may write the state now"
                raise StoreError(
                    f"{file}: deleted, moved away or replaced while it was in use; {what}",
                    remedy="stop every cdsync that works on this state; put the file back where it was, or a backup"
                    if file == self.path
                    else "stop every cdsync that works on this state, and start one again",
                )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A block whose writes, and all that are due, are on disk when it ends, or none of them when it raises."""
        with store_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for write in self._due:
                    write(self._connection)
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk or a broken one has made SQLite roll back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._due.clear()

    def _write_with_next(self, write: Write) -> None:
        """Write something with whatever is written or read next, at the latest by `commit`.

        No transaction is left open for it, so that others may write meanwhile. What cannot be written stays due.
        """
        self._due.append(write)

    def commit(self) -> None:
        """Put on disk what is due.

        Raises:
            StoreError: it cannot be written; it stays due.
        """
        if self._due:
            with self._transaction():
                pass

    def _version(self) -> Version:
        """What is another whenever something was written, by us or by anybody else, and while it may be undone."""
        self.commit()
        with store_errors(self.path):
            (others,) = self._connection.execute("PRAGMA data_version").fetchone()
            return self._connection.total_changes, int(others), self._connection.in_transaction

    def _rows(self, query: str, *values: object) -> list[tuple[str, ...]]:
        self.commit()
        with store_errors(self.path):
            return self._connection.execute(query, values).fetchall()
