"""Opening the state: as its one writer, or on a snapshot for reading."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from cdsync.errors import StoreBusy
from cdsync.store import lock
from cdsync.store.faults import corrupt, store_errors
from cdsync.store.schema import APPLICATION_ID, migrate, require_current
from cdsync.store.store import Store

HEADER = 100
MAGIC = b"SQLite format 3\0"
APPLICATION_ID_AT = 68
"""Where a database file says whose it is (SQLite, "Database File Format")."""


@contextmanager
def open_writer(
    path: Path, *, holder: str, connect: Callable[..., sqlite3.Connection] = sqlite3.connect
) -> Iterator[Store]:
    """Open the state for writing, made and migrated if need be, as the only writer.

    `connect` takes what `sqlite3.connect` takes; the simulation opens a database that dies in the middle of its work.

    Raises:
        StoreError: it is held by another, damaged, too new, or cannot be written.
    """
    with store_errors(path):
        path = path.resolve()  # one file has one lock, whatever links lead to it
        _refuse_another_file(path)
        _make_home(path)
        beside = path.with_name(path.name + ".lock")
        descriptor = lock.acquire(beside, holder=holder)
    try:
        with store_errors(path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
        with closing(_connect(path, connect=connect)) as connection:
            with store_errors(path):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                _check(connection, path)
                migrate(connection, path)
            store = Store(connection, path, lock=beside)
            try:
                yield store
            finally:
                store.commit()
    finally:
        lock.release(descriptor)


@contextmanager
def open_beside(path: Path, *, holder: str) -> Iterator[Store]:
    """Open the state for one small change, beside whoever holds it; as its writer if nobody does.

    Only for what may be written at any moment of another's work, such as that a resource is to be left alone. Each
    change is one transaction, so that neither sees half of the other's.

    Raises:
        StoreError: it is damaged, of another version, or cannot be written.
    """
    with ExitStack() as stack:
        try:
            store = stack.enter_context(open_writer(path, holder=holder))
        except StoreBusy:
            connection = stack.enter_context(closing(_connect(path.resolve())))
            with store_errors(path):
                connection.execute("PRAGMA synchronous = FULL")
                require_current(connection, path)
            store = Store(connection, path)
        yield store


@contextmanager
def open_reader(path: Path) -> Iterator[Store]:
    """Open a snapshot of the state for reading: it takes no lock and changes no file; no state is an empty one.

    Raises:
        StoreError: it is damaged, too new, or cannot be read.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as snapshot:
        with store_errors(path):
            _refuse_another_file(path)
            if path.exists():
                with closing(_connect(path, mode=_reading_mode(path))) as connection:
                    connection.backup(snapshot)
                _check(snapshot, path)
            migrate(snapshot, path)
        yield Store(snapshot, path)


def state_holder(path: Path) -> str | None:
    """The name of the writer that holds the state now; None when nobody does.

    Raises:
        StoreError: its lock cannot be looked at.
    """
    with store_errors(path):
        path = path.resolve()
        return lock.holder_of(path.with_name(path.name + ".lock"))


def _refuse_another_file(path: Path) -> None:
    """Touch nothing that is not ours: a device, a pipe, a text, another program's database."""
    if not path.exists():
        return
    if not stat.S_ISREG(path.stat().st_mode):
        raise corrupt(path, "it is not a regular file")
    with path.open("rb") as stream:
        head = stream.read(HEADER)
    if head and not head.startswith(MAGIC):
        raise corrupt(path, "it is no SQLite database")
    identity = int.from_bytes(head[APPLICATION_ID_AT : APPLICATION_ID_AT + 4], "big")
    if len(head) == HEADER and identity not in {0, APPLICATION_ID}:
        raise corrupt(path, "it belongs to another program")


def _make_home(path: Path) -> None:
    """Make the folder of the state; one that cdsync makes hides itself from git."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, mode=0o700)
        (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")


def _connect(
    path: Path, *, mode: str = "rw", connect: Callable[..., sqlite3.Connection] = sqlite3.connect
) -> sqlite3.Connection:
    with store_errors(path):
        return connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=10)


def _reading_mode(path: Path) -> str:
    """In a folder that may not be written SQLite opens only what it is told will not change: then nobody writes it."""
    wal = path.with_name(path.name + "-wal")
    return "ro" if os.access(path.parent, os.W_OK, effective_ids=True) or wal.exists() else "ro&immutable=1"


def _check(connection: sqlite3.Connection, path: Path) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise corrupt(path, str(verdict))
