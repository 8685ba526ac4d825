from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdsync.core.model import FINAL_RUN_STATUSES, Hold, Kind, OwnedState
from cdsync.core.records import HistoryFilter
from cdsync.errors import StoreError, StoreUnwritable
from cdsync.store import Store, open_beside, open_reader, open_writer
from tests.store.values import AT_SEVEN, address_of, entry, intent, ownership, run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state lies in a root that was just made."""
    return tmp_path / ".cdsync" / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """An empty state, open for writing."""
    with open_writer(path, holder="a test") as opened:
        yield opened


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_read_the_state(path: Path) -> None:
    """Every file of the state is 0600, and its folder 0700, while it is open and after."""
    with open_writer(path, holder="a test") as store:
        store.save(ownership("a"))
        kept = [file for file in path.parent.iterdir() if file.name != ".gitignore"]
        assert {file.name for file in kept} >= {"state.db", "state.db-wal", "state.db.lock"}
        assert {mode_of(file) for file in kept} == {0o600}
        assert mode_of(path.parent) == 0o700
    assert mode_of(path) == 0o600


def test_a_state_that_others_may_read_is_closed_to_them(path: Path) -> None:
    """A file that a copy or a restore left open is 0600 again after the next writer."""
    with open_writer(path, holder="a test"):
        pass
    path.chmod(0o644)
    with open_writer(path, holder="a test"):
        assert mode_of(path) == 0o600


def test_the_folder_hides_itself_from_git(path: Path, tmp_path: Path) -> None:
    """The folder that cdsync makes ignores itself; a folder that is there already is left as it is."""
    with open_writer(path, holder="a test"):
        assert (path.parent / ".gitignore").read_text() == "*\n"
    there = tmp_path / "there"
    there.mkdir()
    with open_writer(there / "state.db", holder="a test"):
        assert not (there / ".gitignore").exists()


def test_no_state_reads_as_an_empty_one(path: Path) -> None:
    """Before the first apply there is nothing of ours, and reading makes no file."""
    with open_reader(path) as store:
        assert store.owned() == OwnedState()
        assert store.pending() == ()
        assert store.history() == ()
        assert store.fact("labels") is None
    assert not path.parent.exists()


def test_a_fact_is_remembered_until_another_takes_its_place(path: Path) -> None:
    """What was found out once is known at the next start."""
    with open_writer(path, holder="a test") as store:
        store.remember("labels", "no")
        store.remember("labels", "yes")
    with open_reader(path) as store:
        assert store.fact("labels") == "yes"


def test_the_fingerprint_key_is_drawn_once(path: Path, tmp_path: Path) -> None:
    """One state has one key, and two states have two."""
    with open_writer(path, holder="a test") as store:
        key = store.fingerprint_key()
        assert len(key) == 32
        assert store.fingerprint_key() == key
    with open_reader(path) as store:
        assert store.fingerprint_key() == key
    with open_writer(tmp_path / "another.db", holder="a test") as store:
        assert store.fingerprint_key() != key


def test_a_request_is_on_disk_before_it_leaves(path: Path, store: Store) -> None:
    """What `begin` wrote is there for the next process, although nothing was closed."""
    store.begin(intent("a"))
    with open_reader(path) as other:
        (pending,) = other.pending()
        assert pending.intent == intent("a")
        assert pending.missed_at is None
        assert set(other.owned().unresolved) == {address_of("a")}
        assert "create" in other.owned().unresolved[address_of("a")]


@pytest.mark.parametrize("outcome", ["done", "refused", "absent"])
def test_an_answer_closes_its_request_alone(store: Store, outcome: str) -> None:
    """A finished request is pending no more; others are, oldest first."""
    numbers = [store.begin(intent(name)) for name in ("c", "a", "b")]
    store.finish(numbers[1], outcome)
    assert [pending.id for pending in store.pending()] == [numbers[0], numbers[2]]
    assert [pending.intent.address.name for pending in store.pending()] == ["c", "b"]


def test_an_answer_is_recorded_at_once_with_all_that_follows(store: Store) -> None:
    """Outcome, ownership, run and history of one answer are written together, or not at all."""
    store.save(ownership("b", "taken"))
    number = store.begin(intent("a"))
    with pytest.raises(StoreError):
        store.finish(number, "done", owned=ownership("a", "taken"), run=run("r", "CREATED"), entry=entry("a", "create"))
    assert [pending.id for pending in store.pending()] == [number]
    assert store.owned_by(address_of("a")) is None
    assert store.followed_run("r") is None
    assert store.history() == ()
    store.finish(number, "done", owned=ownership("a"), run=run("r", "CREATED"), entry=entry("a", "create"))
    assert store.pending() == ()
    assert store.owned_by(address_of("a")) == ownership("a")
    assert store.followed_run("r") == run("r", "CREATED")
    assert store.history() == (entry("a", "create"),)


def finish_with_next(store: Store, number: int, name: str, uid: str | None = None) -> None:
    """Close a creation so that it is written with whatever is written next."""
    owned = ownership(name, uid) if uid else ownership(name)
    store.finish(number, "done", owned=owned, entry=entry(name, "create"), with_next=True)


def test_an_answer_goes_to_disk_together_with_the_next_request(path: Path, store: Store) -> None:
    """Both cost one wait for the disk; until then the outcome is as unknown to others as before the answer."""
    number = store.begin(intent("a"))
    finish_with_next(store, number, "a")
    with open_reader(path) as other:
        assert [pending.id for pending in other.pending()] == [number]
        assert other.owned_by(address_of("a")) is None
    store.begin(intent("b"))
    with open_reader(path) as other:
        assert [pending.intent.address.name for pending in other.pending()] == ["b"]
        assert other.owned_by(address_of("a")) == ownership("a")
        assert other.history() == (entry("a", "create"),)


@pytest.mark.parametrize("ask", [Store.owned, Store.pending, Store.history, Store.known_uids, Store.commit])
def test_what_is_due_is_written_before_anything_is_read(
    path: Path, store: Store, ask: Callable[[Store], object]
) -> None:
    finish_with_next(store, store.begin(intent("a")), "a")
    ask(store)
    with open_reader(path) as other:
        assert other.owned_by(address_of("a")) == ownership("a")
        assert other.pending() == ()


def test_what_is_due_is_written_when_the_state_is_closed(path: Path) -> None:
    with open_writer(path, holder="a test") as store:
        finish_with_next(store, store.begin(intent("a")), "a")
    with open_reader(path) as store:
        assert store.owned_by(address_of("a")) == ownership("a")


def test_others_may_write_while_something_is_due(path: Path, store: Store) -> None:
    """Whoever is told of the outcome may stand still as long as they like."""
    finish_with_next(store, store.begin(intent("a")), "a")
    with open_beside(path, holder="another") as beside:
        beside.hold(address_of("a"), Hold(since=AT_SEVEN))
    assert set(store.owned().held) == {address_of("a")}


def test_what_is_due_stays_due_when_the_next_cannot_be_kept(path: Path, store: Store) -> None:
    """An outcome is not lost because another one makes no sense, nor is the other one taken up with it."""
    numbers = [store.begin(intent(name)) for name in ("a", "b", "c")]
    finish_with_next(store, numbers[0], "a", "taken")
    with pytest.raises(StoreError):
        store.finish(numbers[1], "done", owned=ownership("b", "taken"))
    with pytest.raises(StoreError, match="schedule/c would own taken, which schedule/a owns already"):
        finish_with_next(store, numbers[2], "c", "taken")
    store.commit()
    with open_reader(path) as other:
        assert [pending.id for pending in other.pending()] == numbers[1:]
        assert other.owned_by(address_of("a")) == ownership("a", "taken")
        assert other.history() == (entry("a", "create"),)


def test_what_is_due_is_written_as_soon_as_there_is_room(path: Path, store: Store) -> None:
    """A disk that is full for a while keeps the next request from being written, and so from leaving."""
    finish_with_next(store, store.begin(intent("a")), "a")
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    large = replace(intent("b"), parameters={"much": "x" * 100_000})
    for _ in range(2):
        with pytest.raises(StoreUnwritable):
            store.begin(large)
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    store.begin(large)
    with open_reader(path) as other:
        assert [pending.intent.address.name for pending in other.pending()] == ["b"]
        assert other.owned_by(address_of("a")) == ownership("a")


@pytest.mark.parametrize("step", ["pause", "resume", "update", "delete", "resume-run"])
def test_only_creations_are_looked_for(store: Store, step: str) -> None:
    """A change that was cut off needs no resolution: the next listing shows what is."""
    store.begin(intent("a", step))
    assert store.pending() == ()
    assert store.owned().unresolved == {}
    store.begin(intent("b", "launch"))
    assert [pending.intent.step for pending in store.pending()] == ["launch"]


def test_a_first_look_in_vain_is_noted(store: Store) -> None:
    """When looking found nothing, the moment is kept for the second look."""
    number = store.begin(intent("a"))
    store.missed(number, AT_SEVEN + timedelta(seconds=3), local=AT_SEVEN + timedelta(seconds=5))
    (pending,) = store.pending()
    assert pending.missed_at == AT_SEVEN + timedelta(seconds=3)
    assert pending.missed_local == AT_SEVEN + timedelta(seconds=5)


def test_a_lost_answer_is_told_from_one_that_nobody_waited_for(store: Store) -> None:
    """Only the sender can say that a request has come to its end; where it died, nobody did."""
    numbers = [store.begin(intent(name)) for name in ("a", "b")]
    store.lost(numbers[1])
    assert [pending.lost for pending in store.pending()] == [False, True]


def test_an_object_has_one_owner(store: Store) -> None:
    """A UID that another resource owns is refused, and that one keeps it."""
    store.save(ownership("a", "u-1"))
    with pytest.raises(StoreError):
        store.save(ownership("b", "u-1"))
    with pytest.raises(StoreError):
        store.follow((), owned=(ownership("b", "u-1"),))
    assert list(store.owned().resources.values()) == [ownership("a", "u-1")]


def test_a_resource_may_take_another_object(store: Store) -> None:
    """Saving again replaces what one resource owns, and frees the UID that it owned."""
    store.save(ownership("a", "u-1"))
    store.save(ownership("a", "u-2"))
    store.save(ownership("b", "u-1"))
    assert [owned.uid for owned in store.owned().resources.values()] == ["u-2", "u-1"]


def test_a_renamed_resource_keeps_everything(store: Store) -> None:
    """Ownership and runs move to the new address, and nothing stays at the old one."""
    store.save(ownership("old"))
    store.follow((run("r-1", "RUNNING", name="old"),), owned=())
    store.rename(address_of("new"), was="old")
    assert store.owned().resources == {address_of("new"): replace(ownership("old"), address=address_of("new"))}
    assert store.owned().runs == {"r-1": run("r-1", "RUNNING", name="new")}


def test_a_forgotten_resource_is_gone_with_its_runs(store: Store) -> None:
    """What is forgotten leaves no row; its neighbours stay."""
    store.save(ownership("a"))
    store.save(ownership("b"))
    store.follow((run("r-1", "RUNNING"), run("r-2", "RUNNING", name="b")), owned=())
    store.forget(address_of("a"))
    assert set(store.owned().resources) == {address_of("b")}
    assert set(store.owned().runs) == {"r-2"}


def test_only_old_finished_runs_are_dropped(store: Store) -> None:
    """Of each resource stay all runs under way, and the newest one even if it is finished."""
    store.follow(
        (
            run("old-success", "SUCCEEDED", minutes=1),
            run("old-stop", "STOPPED", minutes=2),
            run("old-failure", "FAILED", minutes=3),
            run("under-way", "RUNNING", minutes=4),
            run("undated-success", "SUCCEEDED", minutes=None),
            run("newest", "SUCCEEDED", minutes=5),
            run("other", "SUCCEEDED", name="b", minutes=0),
        ),
        owned=(),
    )
    assert set(store.owned().runs) == {"old-stop", "under-way", "newest", "other"}


def test_runs_of_resources_not_looked_at_are_left_alone(store: Store) -> None:
    """A look at one resource drops nothing of another."""
    store.follow((run("r-1", "RUNNING", minutes=1), run("r-2", "RUNNING", minutes=2)), owned=())
    store.finish(store.begin(intent("a", "resume-run")), "done", run=run("r-1", "SUCCEEDED", minutes=1))
    store.follow((run("r-3", "SUCCEEDED", name="b", minutes=9),), owned=())
    assert set(store.owned().runs) == {"r-1", "r-2", "r-3"}


statuses = st.sampled_from([*sorted(FINAL_RUN_STATUSES), "RUNNING", "STOPPED", "BLOCKED", "HIBERNATING"])


@given(seen=st.lists(st.tuples(st.sampled_from("ab"), statuses, st.none() | st.integers(0, 9)), max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_run_under_way_is_ever_dropped(tmp_path: Path, seen: list[tuple[str, str, int | None]]) -> None:
    """Whatever is followed: what is not finished stays, and each resource keeps at least one run."""
    runs = tuple(
        run(f"r-{index}", status, name=name, minutes=minutes) for index, (name, status, minutes) in enumerate(seen)
    )
    with open_writer(tmp_path / f"{len(list(tmp_path.iterdir()))}.db", holder="a test") as store:
        store.follow(runs, owned=())
        kept = store.owned().runs
        assert {followed.uid for followed in runs if not followed.finished} <= set(kept)
        assert {followed.address for followed in kept.values()} == {followed.address for followed in runs}
        for name in "ab":
            assert sum(1 for row in kept.values() if row.address == address_of(name) and row.finished) <= 1


def test_history_stands_in_the_order_of_writing(store: Store) -> None:
    """What was done first is first, whatever time it bears; one resource's history is its own."""
    entries = (entry("b", "create", minutes=5), entry("a", "create", minutes=3), entry("b", "pause", minutes=4))
    for line in entries:
        store.add_history(line)
    assert store.history() == entries
    assert store.history(address_of("b")) == (entries[0], entries[2])
    assert store.history(address_of("c")) == ()
    assert store.history(address_of("b", Kind.RUN)) == ()


def test_a_failed_transaction_leaves_no_trace(store: Store) -> None:
    """When the second of two writes is refused, the first has not happened, and the store goes on."""
    store.save(ownership("a", "u-1"))
    with pytest.raises(StoreError):
        store.follow((run("r-1", "RUNNING"),), owned=(ownership("b", "u-1"),))
    assert store.owned().runs == {}
    store.save(ownership("b", "u-2"))
    assert len(store.owned().resources) == 2


def test_a_reader_keeps_its_snapshot(path: Path, store: Store) -> None:
    """What is written after a reader has opened does not move under it, and the reader hinders no writer."""
    store.save(ownership("a"))
    with open_reader(path) as reader:
        store.save(ownership("b"))
        store.forget(address_of("a"))
        assert set(reader.owned().resources) == {address_of("a")}
    with open_reader(path) as reader:
        assert set(reader.owned().resources) == {address_of("b")}


def test_what_a_reader_writes_is_never_kept(path: Path, store: Store) -> None:
    """A reader works on a copy: not even a mistake can change the state through it."""
    store.save(ownership("a"))
    with open_reader(path) as reader:
        reader.forget(address_of("a"))
        reader.fingerprint_key()
    assert set(store.owned().resources) == {address_of("a")}
    assert store.fact("fingerprint_key") is None


def test_a_page_of_history_is_the_newest_that_is_wanted(store: Store) -> None:
    """Newest first, each with its number, from which the next page goes on; filters hold together."""
    for name in ("a", "b", "a", "b", "a"):
        store.add_history(entry(name, "create"))
    first = store.history_page(HistoryFilter(address=address_of("a")), size=2)
    numbers = [number for number, _ in first]

    assert [str(line.address) for _, line in first] == ["schedule/a", "schedule/a"]
    assert numbers == sorted(numbers, reverse=True)
    rest = store.history_page(HistoryFilter(address=address_of("a"), before=numbers[-1]), size=2)
    assert len(rest) == 1
    assert store.history_page(HistoryFilter(result="failed"), size=9) == ()
    assert store.history_page(HistoryFilter(since=first[0][1].at + timedelta(seconds=1)), size=9) == ()
    assert len(store.history_page(HistoryFilter(since=first[0][1].at), size=9)) == 5


def test_what_is_owned_is_read_anew_only_when_something_was_written(path: Path) -> None:
    """By this connection or by another; what is undone was never there."""
    with open_writer(path, holder="test") as store:
        store.save(ownership("a"))
        before = store.owned()
        assert store.owned() is before
        with open_beside(path, holder="other") as other:
            other.hold(address_of("a"), Hold(since=AT_SEVEN))
        assert store.owned().held == {address_of("a"): Hold(since=AT_SEVEN)}
        assert store.owned().resources[address_of("a")] is before.resources[address_of("a")]
        store.save(replace(ownership("a"), cron="0 1 * * *"))
        assert store.owned().resources[address_of("a")].cron == "0 1 * * *"
        now = store.owned()
        with suppress(KeyError), store._transaction() as connection:
            connection.execute("DELETE FROM ownership")
            assert store.owned().resources == {}
            raise KeyError
        assert store.owned() == now
