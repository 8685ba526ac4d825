"""The files of a live run."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from cdsync.errors import ResultsUnwritable
from cdsync.results import open_lines

FULL = Path("/dev/full")


def lines(path: Path) -> list[Any]:
    """The rows of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_are_added_once_and_the_length_is_told(tmp_path: Path) -> None:
    """A row that came before for the same input is not added again, whatever the order of its keys."""
    path = tmp_path / "rows" / "a.jsonl"
    with open_lines(path, length=0, since=0) as opened:
        assert opened.append(({"a": 1, "b": "é"}, {"a": 2}), once=True)[0] == 2
        added, length = opened.append(({"b": "é", "a": 1}, {"a": 3}), once=True)
        assert (added, length) == (1, path.stat().st_size)
        opened.forget_seen()
        assert opened.append(({"a": 3},), once=True)[0] == 1
    assert lines(path) == [{"a": 1, "b": "é"}, {"a": 2}, {"a": 3}, {"a": 3}]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (path.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_what_does_not_count_is_cut_off_and_what_counts_is_known(tmp_path: Path) -> None:
    """After a crash the file ends where the state says, and the rows of the present input are known again."""
    path = tmp_path / "a.jsonl"
    with open_lines(path, length=0, since=0) as opened:
        _, since = opened.append(({"n": 0},), once=True)
        _, length = opened.append(({"n": 1},), once=True)
        opened.append(({"n": 2},), once=True)
    with open_lines(path, length=length, since=since) as opened:
        assert opened.append(({"n": 1}, {"n": 0}), once=True)[0] == 1
    assert lines(path) == [{"n": 0}, {"n": 1}, {"n": 0}]


def test_a_file_that_somebody_took_away_is_begun_anew(tmp_path: Path) -> None:
    """Rows that a person has moved are not missed; those that come are added."""
    path = tmp_path / "a.jsonl"
    with open_lines(path, length=5000, since=4000) as opened:
        assert opened.append(({"n": 1},), once=True) == (1, path.stat().st_size)
    assert lines(path) == [{"n": 1}]


def test_a_folder_that_was_there_is_left_as_it_is(tmp_path: Path) -> None:
    """Only what cdsync makes hides itself from git."""
    with open_lines(tmp_path / "a.jsonl", length=0, since=0):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.skipif(not FULL.exists(), reason="only where there is a device that is always full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """Nothing of the page counts, and the message says what to do."""
    descriptor = os.open(FULL, os.O_RDWR)
    with open_lines(tmp_path / "a.jsonl", length=0, since=0) as opened:
        os.dup2(descriptor, opened.descriptor)
        with pytest.raises(ResultsUnwritable, match="No space left"):
            opened.append(({"n": 1},), once=True)
    os.close(descriptor)


@pytest.mark.parametrize("made", ["a folder", "a link"])
def test_a_place_that_is_taken_is_told(tmp_path: Path, made: str) -> None:
    """Another thing of that name is neither followed nor replaced."""
    path = tmp_path / "a.jsonl"
    if made == "a folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(ResultsUnwritable, match=r"a\.jsonl: the results cannot be written"),
        open_lines(path, length=0, since=0),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()
