"""The state file itself, open: where it is, its one connection, and whether it is still the file that others find."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cdsync.errors import StoreError
from cdsync.store.faults import store_errors
from cdsync.store.lock import identity_of


class StateFile:
    """An open state file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._file = identity_of(path)
        self.path = path

    def require_in_place(self) -> None:
        """Make sure that the file that is written is still the one that the next to open it will find.

        Raises:
            StoreError: it was deleted, moved away or replaced; what is written would be lost.
        """
        if self._file != identity_of(self.path):
            raise StoreError(
                f"{self.path}: deleted, moved away or replaced while it was in use; what is written now would be lost",
                remedy="put it back where it was, or stop cdsync and put back a backup",
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with store_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk or a broken one has made SQLite roll back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *values: object) -> list[tuple[str, ...]]:
        with store_errors(self.path):
            return self._connection.execute(query, values).fetchall()
