from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cdsync.core.progress import LiveProgress
from cdsync.errors import StoreBusy, StoreCorrupt, StoreError
from cdsync.store import lock, open_beside, open_reader, open_writer, state_holder
from tests.store.values import AT_SEVEN, address_of, intent, ownership

HOLDER = """
import sys
from pathlib import Path
from cdsync.store import open_writer
from tests.store.values import intent, ownership

with open_writer(Path(sys.argv[1]), holder="the other one") as store:
    store.save(ownership("a"))
    store.begin(intent("b"))
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that holds the state until its input ends; it holds it already."""
    holder = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_writer_is_refused_with_the_name_of_the_first(tmp_path: Path) -> None:
    """There is one writer; whoever comes second learns who holds the state."""
    path = tmp_path / "state.db"
    with open_writer(path, holder="cdsync apply (process 7)"):
        for _ in range(2):
            with pytest.raises(StoreBusy) as caught, open_writer(path, holder="second"):
                pass
            assert caught.value.holder == "cdsync apply (process 7)"
            assert str(caught.value) == f"{path}: held by cdsync apply (process 7)"
            assert caught.value.retryable
    with open_writer(path, holder="second"):
        pass


def test_a_holder_that_is_killed_leaves_no_lock(tmp_path: Path) -> None:
    """After kill -9 the next writer gets the state at once, with all that the dead one had written."""
    path = tmp_path / "state.db"
    with hold(path) as holder:
        with pytest.raises(StoreBusy) as caught, open_writer(path, holder="second"):
            pass
        assert caught.value.holder == "the other one"
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with open_writer(path, holder="second") as store:
        assert list(store.owned().resources.values()) == [ownership("a")]
        assert [pending.intent for pending in store.pending()] == [intent("b")]
        with pytest.raises(StoreBusy) as caught, open_writer(path, holder="third"):
            pass
        assert caught.value.holder == "second"


def test_a_shorter_name_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    """The name in the lock file is that of the present holder alone."""
    path = tmp_path / "state.db.lock"
    lock.release(lock.acquire(path, holder="a very long name of a holder"))
    held = lock.acquire(path, holder="short")
    with pytest.raises(StoreBusy, match=r"^.*/state\.db: held by short$"):
        lock.acquire(path, holder="another")
    lock.release(held)


def test_the_lock_is_given_back_when_opening_fails(tmp_path: Path) -> None:
    """A writer that could not open the state does not keep others from it."""
    path = tmp_path / "state.db"
    path.write_text("this is no state file, but a letter to somebody\n" * 20)
    for _ in range(2):
        with pytest.raises(StoreCorrupt), open_writer(path, holder="first"):
            pass


def test_a_holder_of_any_name_is_shown(tmp_path: Path) -> None:
    """A name that is no text, or none at all, does not hide that the state is held."""
    path = tmp_path / "state.db.lock"
    held = lock.acquire(path, holder="")
    with pytest.raises(StoreBusy) as caught:
        lock.acquire(path, holder="second")
    assert caught.value.holder == "another process"
    os.pwrite(held, b"\xff\xfe\x00", 0)
    with pytest.raises(StoreBusy):
        lock.acquire(path, holder="second")
    lock.release(held)


def test_readers_need_no_lock(tmp_path: Path) -> None:
    """While another process writes, a reader sees all that is committed, and makes no file."""
    path = tmp_path / "state.db"
    with hold(path) as holder:
        before = sorted(tmp_path.iterdir())
        with open_reader(path) as store:
            assert list(store.owned().resources.values()) == [ownership("a")]
            assert len(store.pending()) == 1
        assert sorted(tmp_path.iterdir()) == before
        assert holder.stdin is not None
        holder.stdin.close()
        assert holder.wait() == 0


def test_a_small_change_is_made_beside_a_writer(tmp_path: Path) -> None:
    """The writer sees it at its next look, and stays the writer; without one it is made as by one."""
    path = tmp_path / "state.db"
    with open_beside(path, holder="first") as store:
        store.remember("fact", "one")
    with open_writer(path, holder="cdsync daemon (process 7)") as writer:
        with open_beside(path, holder="beside") as store:
            assert store.fact("fact") == "one"
            store.remember("fact", "two")
        assert writer.fact("fact") == "two"
        assert state_holder(path) == "cdsync daemon (process 7)"
    assert state_holder(path) is None


def test_a_writer_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """What it has made of the file is its business."""
    path = tmp_path / "state.db"
    with open_writer(path, holder="newer") as writer:
        writer._connection.execute("PRAGMA user_version = 999")
        with pytest.raises(StoreError, match="its holder is of another version"), open_beside(path, holder="beside"):
            pass


def test_a_daemon_that_holds_the_state_is_no_obstacle_to_wait_for(tmp_path: Path) -> None:
    """It never ends by itself, so another way is shown."""
    path = tmp_path / "state.db"
    with (
        open_writer(path, holder="cdsync daemon (process 7)"),
        pytest.raises(StoreBusy) as caught,
        open_writer(path, holder="second"),
    ):
        pass
    assert "send it SIGHUP (systemctl reload) or POST /reconcile" in str(caught.value.remedy)


@pytest.mark.parametrize("taken", ["state.db.lock", "state.db", "."])
def test_a_writer_whose_files_were_taken_away_writes_down_no_request(tmp_path: Path, taken: str) -> None:
    """Whoever opens the state next is kept out by no lock, so what is not written where that one looks is not sent."""
    path = tmp_path / "home" / "state.db"
    progress = LiveProgress(action="an-action", total=1, begun_at=AT_SEVEN, active_at=AT_SEVEN)
    with open_writer(path, holder="first") as store:
        store.begin(intent("a"))
        (path.parent / taken).rename(tmp_path / "away")
        if taken != "state.db":
            path.parent.mkdir(exist_ok=True)
            path.with_name("state.db.lock").touch()
        with pytest.raises(StoreError, match="deleted, moved away or replaced while it was in use"):
            store.begin(intent("b"))
        with pytest.raises(StoreError, match="deleted, moved away or replaced while it was in use"):
            store.save_live(address_of("c"), progress)
        assert [pending.intent for pending in store.pending()] == [intent("a")]


def test_a_lock_that_is_put_back_is_the_lock_again(tmp_path: Path) -> None:
    """It is the file that counts, and the holder goes on with it."""
    path = tmp_path / "state.db"
    lock_file = tmp_path / "state.db.lock"
    with open_writer(path, holder="first") as store:
        lock_file.rename(tmp_path / "away")
        with pytest.raises(StoreError, match=r"state\.db\.lock: deleted, .*; another may write the state now"):
            store.begin(intent("a"))
        (tmp_path / "away").rename(lock_file)
        store.begin(intent("a"))
        with pytest.raises(StoreBusy), open_writer(path, holder="second"):
            pass
