from __future__ import annotations

import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cdsync.errors import StoreCorrupt, StoreError, StoreUnwritable
from cdsync.store import Store, open_reader, open_writer
from tests.store.values import address_of, entry, intent, ownership

NAMES = [f"resource-{index}" for index in range(60)]
NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act as a user to whom permissions apply; root may do all things."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that a user without rights can reach and owns."""
    folder = Path(tempfile.mkdtemp(prefix="cdsync-test-"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a state of several pages, in one file."""
    path = tmp_path_factory.mktemp("sound") / "state.db"
    with open_writer(path, holder="a test") as store:
        for name in NAMES:
            store.save(ownership(name))
            store.add_history(entry(name, "create"))
            store.begin(intent(name))
    return path.read_bytes()


def read_all(store: Store) -> tuple[object, ...]:
    return store.owned(), store.pending(), store.history(), store.fact("labels")


@pytest.mark.parametrize(
    "content", [b"a letter to somebody\n" * 50, b"\x00" * 4096, b"SQLite format 3\x00" + b"\xff" * 5000, b"xy"]
)
def test_a_file_that_is_no_state_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """Something else at the state's path is not overwritten; the message names it and the way out."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    for opening in (open_reader(path), open_writer(path, holder="a test")):
        with pytest.raises(StoreCorrupt) as caught, opening:
            pass
        assert str(caught.value).startswith(f"{path}: damaged, or not a state file of cdsync: ")
        assert "restore it from a backup" in str(caught.value.remedy)
    assert path.read_bytes() == content


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("cut", ["pages", "bytes"])
def test_a_truncated_state_is_told(tmp_path: Path, sound: bytes, share: float, cut: str) -> None:
    """Wherever a file was cut off, it is damaged: never an empty account, never half of one."""
    path = tmp_path / "state.db"
    length = max(1, int(len(sound) * share))
    path.write_bytes(sound[: max(4096, length // 4096 * 4096) if cut == "pages" else length])
    for opening in (open_reader(path), open_writer(path, holder="a test")):
        with pytest.raises(StoreCorrupt), opening as store:
            read_all(store)


def test_a_state_cut_to_nothing_is_a_new_one(tmp_path: Path) -> None:
    """A file of no bytes is a state that was never written; the rule about lookalikes keeps it from doubling."""
    path = tmp_path / "state.db"
    path.touch()
    with open_reader(path) as store:
        assert store.owned().resources == {}


@pytest.mark.parametrize("seed", range(60))
def test_torn_bytes_are_told_or_harmless(tmp_path: Path, sound: bytes, seed: int) -> None:
    """Whatever bytes are torn: a StoreError, or every row; no other error, and nothing lost in silence."""
    path = tmp_path / "state.db"
    path.write_bytes(sound)
    with open_reader(path) as store:
        right = read_all(store)
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    torn = bytearray(sound)
    start = chance.randrange(len(torn))
    length = chance.choice([1, 8, 512, 4096])
    torn[start : start + length] = chance.randbytes(len(torn[start : start + length]))
    path.write_bytes(torn)
    for opening in (open_reader(path), open_writer(path, holder="a test")):
        try:
            with opening as store:
                found = read_all(store)
        except StoreError:
            continue
        assert len(str(found)) == len(str(right)), "rows were lost in silence"


DEEP = f'{{"a_field_of_tomorrow": {"[" * 5000 + "]" * 5000}}}'


@pytest.mark.parametrize(
    "record", ["", "no json", "[]", "{}", '{"address": "nothing"}', "null", '{"address": 7}', DEEP], ids=range(8)
)
@pytest.mark.parametrize("column", ["ownership.record", "journal.intent"])
def test_a_record_that_cannot_be_read_is_told(tmp_path: Path, record: str, column: str) -> None:
    """A row of ours that holds something else is damage, told with the file's name."""
    path = tmp_path / "state.db"
    with open_writer(path, holder="a test") as store:
        store.save(ownership("a"))
        store.begin(intent("a"))
    table, field = column.split(".")
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {table} SET {field} = ?", (record,))  # noqa: S608 - names of this test
    connection.close()
    with open_reader(path) as store, pytest.raises(StoreCorrupt, match=r"state\.db"):
        store.owned()


def test_a_creation_that_does_not_say_of_what_is_told(tmp_path: Path) -> None:
    """Its effect could not be looked for, and to take it for absent would pay twice."""
    with open_writer(tmp_path / "state.db", holder="a test") as store:
        store.begin(replace(intent("a"), step="create", record=None))
        with pytest.raises(StoreCorrupt, match="the create of schedule/a has no ownership to record"):
            store.pending()


def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    """When no page is left the write fails as StoreUnwritable, and all that was written before is there."""
    path = tmp_path / "state.db"
    with open_writer(path, holder="a test") as store:
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        written = []
        with pytest.raises(StoreUnwritable, match="the disk is full") as caught:  # noqa: PT012 - it fills up slowly
            for name in NAMES:
                store.finish(store.begin(intent(name)), "done", owned=ownership(name), entry=entry(name, "create"))
                written.append(name)
        assert "free space" in str(caught.value.remedy)
        assert caught.value.retryable
        assert set(store.owned().resources) == {address_of(name) for name in written}
        store._connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
        store.save(ownership("after"))
    with open_reader(path) as store:
        assert len(store.owned().resources) == len(written) + 1
        assert len(store.history()) == len(written)


def test_a_folder_that_may_not_be_written_is_told(place: Path) -> None:
    """Where no state can be made, the message names it and says what to look at."""
    place.chmod(0o500)
    for path in (place / "state.db", place / "deeper" / "state.db"):
        with as_nobody(), pytest.raises(StoreUnwritable) as caught, open_writer(path, holder="a test"):
            pass
        assert str(path) in str(caught.value)
        assert "check the folder's owner" in str(caught.value.remedy)


def test_a_read_only_state_is_told_and_can_still_be_read(place: Path) -> None:
    """A state that may not be written serves every reader, and fails a writer as StoreUnwritable."""
    path = place / "state.db"
    with as_nobody():
        with open_writer(path, holder="a test") as store:
            store.save(ownership("a"))
        path.chmod(0o400)
        place.chmod(0o500)
        with open_reader(path) as store:
            assert set(store.owned().resources) == {address_of("a")}
        with pytest.raises(StoreUnwritable), open_writer(path, holder="a test"):
            pass


def test_a_state_that_may_not_be_read_is_told(place: Path) -> None:
    """Another user's state is neither empty nor a traceback."""
    path = place / "state.db"
    with open_writer(path, holder="a test") as store:
        store.save(ownership("a"))
    if os.geteuid() != 0:
        path.chmod(0)
    with as_nobody():
        with pytest.raises(StoreError) as caught, open_reader(path):
            pass
        assert str(path) in str(caught.value)
        with pytest.raises(StoreError), open_writer(path, holder="a test"):
            pass


def test_a_folder_in_the_place_of_the_state_is_told(tmp_path: Path) -> None:
    """A path that is no file is an error of ours, to reader and writer."""
    path = tmp_path / "state.db"
    path.mkdir()
    for opening in (open_reader(path), open_writer(path, holder="a test")):
        with pytest.raises(StoreError, match=r"state\.db"), opening:
            pass


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    """A state below something that is no folder cannot be written, and is told as such."""
    (tmp_path / "file").write_text("a file")
    with pytest.raises(StoreUnwritable), open_writer(tmp_path / "file" / "state.db", holder="a test"):
        pass


def test_a_state_that_vanishes_while_it_is_open_loses_no_error(tmp_path: Path) -> None:
    """A store that is closed under its user fails as a StoreError, not as the library's error."""
    with open_writer(tmp_path / "state.db", holder="a test") as store:
        pass
    with pytest.raises(StoreError):
        store.save(ownership("a"))
    with pytest.raises(StoreError):
        store.owned()
