"""Which commit the daemon refuses, as a fact of the state."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cdsync.core.records import RefusedCommit
from cdsync.store import open_reader, open_writer, refused_commit, remember_refused
from cdsync.store.refusal import FACT
from tests.store.values import AT_SEVEN

REFUSED = RefusedCommit(commit="a" * 40, problems=("one", "two"), since=AT_SEVEN, remedy="push another")


def test_a_refused_commit_is_remembered_until_there_is_none(tmp_path: Path) -> None:
    """Who looks from beside it sees the newest, and nothing once a good one is taken up."""
    path = tmp_path / "state.db"
    with open_writer(path, holder="a test") as store:
        assert refused_commit(store) is None
        for refused in (REFUSED, RefusedCommit(commit="b" * 40, problems=("x",), since=AT_SEVEN + timedelta(1)), None):
            remember_refused(store, refused)
            with open_reader(path) as beside:
                assert refused_commit(beside) == refused


def test_what_makes_no_sense_is_no_refusal(tmp_path: Path) -> None:
    """It only tells people, so it keeps nothing from going on; and it can be written anew."""
    with open_writer(tmp_path / "state.db", holder="a test") as store:
        for text in ("", "[]", "{}", '{"commit": "a", "problems": 1, "since": "x", "remedy": null}'):
            store.remember(FACT, text)
            assert refused_commit(store) is None
        remember_refused(store, REFUSED)
        assert refused_commit(store) == REFUSED
