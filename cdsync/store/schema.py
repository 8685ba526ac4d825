"""The tables, as a list of migrations: version N of the file has had the first N of them.

A migration that has been released is never edited; a change is another one at the end.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cdsync.errors import StoreError, StoreTooNew
from cdsync.store.faults import corrupt

APPLICATION_ID = 0x63647379
"""Written into the file's header, so that a file of another program is recognised."""

MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE ownership (
        address TEXT PRIMARY KEY,
        uid TEXT NOT NULL UNIQUE,
        record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE runs (
        uid TEXT PRIMARY KEY,
        address TEXT NOT NULL,
        status TEXT NOT NULL,
        resumes INTEGER NOT NULL,
        resumed_at TEXT,
        created_at TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY,
        address TEXT NOT NULL,
        step TEXT NOT NULL,
        intent TEXT NOT NULL,
        outcome TEXT,
        missed_at TEXT
    ) STRICT;
    CREATE INDEX journal_open ON journal (id) WHERE outcome IS NULL;
    CREATE TABLE history (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        address TEXT NOT NULL,
        action TEXT NOT NULL,
        result TEXT NOT NULL,
        uid TEXT,
        why TEXT,
        detail TEXT,
        revision TEXT
    ) STRICT;
    CREATE INDEX history_address ON history (address, id);
    """,
    """
    CREATE TABLE holds (address TEXT PRIMARY KEY, since TEXT NOT NULL, until TEXT) STRICT, WITHOUT ROWID;
    CREATE TABLE efforts (
        address TEXT PRIMARY KEY,
        signature TEXT NOT NULL,
        count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    """
    ALTER TABLE runs ADD COLUMN seen_at TEXT;
    ALTER TABLE runs ADD COLUMN refusal TEXT;
    ALTER TABLE runs ADD COLUMN outputs INTEGER;
    ALTER TABLE runs ADD COLUMN error TEXT;
    ALTER TABLE runs ADD COLUMN postponed_until TEXT;
    CREATE TABLE live (address TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
    """,
    """
    ALTER TABLE journal ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
    """,
    """
    ALTER TABLE journal ADD COLUMN missed_local TEXT;
    """,
)


def require_current(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that the file has this version's tables, without changing any.

    Raises:
        StoreError: its holder is of another version.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != len(MIGRATIONS):
        raise StoreError(
            f"{path}: its holder is of another version of cdsync (version {version} of the file, this one knows "
            f"{len(MIGRATIONS)})",
            remedy="use the cdsync of the same version, or stop its holder first",
        )


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to this version's tables, each step in a transaction of its own.

    Raises:
        StoreTooNew: a newer cdsync has migrated it.
        StoreCorrupt: it belongs to another program.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application != APPLICATION_ID and (application or version or tables):
        raise corrupt(path, "it belongs to another program")
    if version > len(MIGRATIONS):
        raise StoreTooNew(
            f"{path}: written by a newer cdsync (version {version} of the file, this one knows {len(MIGRATIONS)})",
            remedy="upgrade cdsync; nothing was changed",
        )
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {statements}; "
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        )
