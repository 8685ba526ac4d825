from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cdsync.errors import StoreCorrupt, StoreTooNew
from cdsync.store import open_reader, open_writer
from cdsync.store.codec import encode_intent, encode_time
from cdsync.store.schema import APPLICATION_ID, MIGRATIONS
from tests.store.values import AT_SEVEN, intent, ownership


def pragma(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def statements(path: Path, *texts: str) -> None:
    """Let another program write into a file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for text in texts:
            connection.execute(text)


def test_a_new_state_has_had_all_migrations(tmp_path: Path) -> None:
    """The file says of itself whose it is and how far it was migrated."""
    path = tmp_path / "state.db"
    with open_writer(path, holder="a test"):
        pass
    assert pragma(path, "user_version") == len(MIGRATIONS)
    assert pragma(path, "application_id") == APPLICATION_ID


@pytest.mark.parametrize("beginning", [[], [f"PRAGMA application_id = {APPLICATION_ID}"]])
def test_a_state_at_version_zero_is_upgraded(tmp_path: Path, beginning: list[str]) -> None:
    """A file that a crash left before its first table, or an empty one, becomes a state."""
    path = tmp_path / "state.db"
    path.touch()
    statements(path, *beginning)
    assert pragma(path, "user_version") == 0
    with open_reader(path) as store:
        assert store.owned().resources == {}
    assert pragma(path, "user_version") == 0
    with open_writer(path, holder="a test") as store:
        store.save(ownership("a"))
    assert pragma(path, "user_version") == len(MIGRATIONS)


def test_opening_again_migrates_nothing(tmp_path: Path) -> None:
    """A state that is up to date keeps its rows."""
    path = tmp_path / "state.db"
    with open_writer(path, holder="a test") as store:
        store.save(ownership("a"))
    with open_writer(path, holder="a test") as store:
        assert list(store.owned().resources.values()) == [ownership("a")]


def test_a_creation_of_an_older_version_may_still_be_under_way(tmp_path: Path) -> None:
    """Neither the loss of its answer nor our time of the first look was written down then: the longer is waited."""
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(";".join(MIGRATIONS[:3]))
        row = ("schedule/a", "create", encode_intent(intent("a")), encode_time(AT_SEVEN))
        connection.execute("INSERT INTO journal (address, step, intent, missed_at) VALUES (?, ?, ?, ?)", row)
    statements(path, f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 3")
    with open_writer(path, holder="a test") as store:
        (pending,) = store.pending()
        assert pending.intent == intent("a")
        assert (pending.missed_at, pending.missed_local, pending.lost) == (AT_SEVEN, None, False)


@pytest.mark.parametrize("version", [len(MIGRATIONS) + 1, 999, 2**31 - 1])
def test_a_state_of_a_newer_version_is_left_alone(tmp_path: Path, version: int) -> None:
    """An older cdsync refuses what a newer one wrote, and changes not one byte of it."""
    path = tmp_path / "state.db"
    with open_writer(path, holder="a test") as store:
        store.save(ownership("a"))
    statements(path, f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with (
        pytest.raises(StoreTooNew, match=f"version {version} of the file") as caught,
        open_writer(path, holder="a test"),
    ):
        pass
    assert caught.value.remedy == "upgrade cdsync; nothing was changed"
    with pytest.raises(StoreTooNew), open_reader(path):
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "theirs",
    [
        ["CREATE TABLE t (a)"],
        ["CREATE TABLE meta (key, value)"],
        ["PRAGMA user_version = 1"],
        ["PRAGMA application_id = 77"],
        ["PRAGMA application_id = 77", "PRAGMA user_version = 1", "CREATE TABLE ownership (uid)"],
    ],
)
def test_the_file_of_another_program_is_left_alone(tmp_path: Path, theirs: list[str]) -> None:
    """A database that is not ours is told as such, and keeps its tables."""
    path = tmp_path / "state.db"
    statements(path, *theirs)
    with closing(sqlite3.connect(path)) as connection:
        dump = list(connection.iterdump())
    with (
        pytest.raises(StoreCorrupt, match="it belongs to another program") as caught,
        open_writer(path, holder="a test"),
    ):
        pass
    assert "move it away" in str(caught.value.remedy)
    with pytest.raises(StoreCorrupt), open_reader(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == dump
