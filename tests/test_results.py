"""The files of a live run."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from cdsync.core.work import Json
from cdsync.errors import ResultsUnwritable
from cdsync.results import ResultsAhead, move_lines, open_lines

FULL = Path("/dev/full")


def lines(path: Path) -> list[Any]:
    """The rows of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_are_added_once_and_the_length_is_told(tmp_path: Path) -> None:
    """A row that came before for the same input is not added again, whatever the order of its keys."""
    path = tmp_path / "rows" / "a.jsonl"
    with open_lines(path, length=0) as opened:
        assert opened.append(({"a": 1, "b": "é"}, {"a": 2}), once=True)[0] == 2
        added, length = opened.append(({"b": "é", "a": 1}, {"a": 3}), once=True)
        assert (added, length) == (1, path.stat().st_size)
        opened.forget_seen()
        assert opened.append(({"a": 3},), once=True)[0] == 1
    assert lines(path) == [{"a": 1, "b": "é"}, {"a": 2}, {"a": 3}, {"a": 3}]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (path.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.parametrize("written", range(20))
def test_what_was_being_added_is_added_again_and_what_counts_is_known(tmp_path: Path, written: int) -> None:
    """Wherever a crash has cut the page short, it is there once; the rows of the present input are known again."""
    path = tmp_path / "a.jsonl"
    with open_lines(path, length=0, once=True) as opened:
        _, since = opened.append(({"n": 0},), once=True)
        _, length = opened.append(({"n": 1},), once=True)
        opened.append(({"n": 2}, {"n": 3}), once=True)
    os.truncate(path, min(length + written, path.stat().st_size))
    page: tuple[Json, ...] = ({"n": 1}, {"n": 2}, {"n": 0}, {"n": 3})
    if written > 9:
        page = ({"n": 2}, {"n": 3}, {"n": 0})
    with open_lines(path, length=length, since=since, adding=page, once=True) as opened:
        assert path.stat().st_size == length
        opened.append(page, once=True)
    assert sorted(row["n"] for row in lines(path)) == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("more", [b"[", b'{"n": 9}\n', b'{"n": 2}\n{"n": 3}\n'])
def test_what_nobody_knows_of_is_not_cut_off(tmp_path: Path, more: bytes) -> None:
    """Rows behind those that the state knows of were paid for by somebody; they stay, and it is told."""
    path = tmp_path / "a.jsonl"
    with open_lines(path, length=0, once=True) as opened:
        _, length = opened.append(({"n": 1},), once=True)
    known = path.read_bytes()
    path.write_bytes(known + more)
    with pytest.raises(ResultsAhead), open_lines(path, length=length, adding=({"n": 2},), once=True):
        pass
    assert path.read_bytes() == known + more


def test_a_line_that_was_not_ended_is_ended(tmp_path: Path) -> None:
    """Some editors take the last line break away; the next row begins a line of its own all the same."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}')
    with open_lines(path, length=9, once=True) as opened:
        opened.append(({"n": 2},), once=True)
    assert lines(path) == [{"n": 1}, {"n": 2}]


def test_half_a_character_is_no_reason_to_fail(tmp_path: Path) -> None:
    """JSON can hold what UTF-8 cannot; then it is written as JSON writes it."""
    with open_lines(tmp_path / "a.jsonl", length=0) as opened:
        assert opened.append(({"a": "cut \ud83d"}, {"a": "é"}), once=True)[0] == 2
    assert lines(tmp_path / "a.jsonl") == [{"a": "cut \ud83d"}, {"a": "é"}]


def test_files_go_with_the_name(tmp_path: Path) -> None:
    """Both files are moved, once; what has the name already is never written over."""
    for name in ("a.jsonl", "a.failed.jsonl"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    move_lines(tmp_path, "a", "b")
    move_lines(tmp_path, "a", "b")
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {
        "b.jsonl": "a.jsonl",
        "b.failed.jsonl": "a.failed.jsonl",
    }
    (tmp_path / "a.jsonl").write_text("others", encoding="utf-8")
    with pytest.raises(ResultsUnwritable, match="there is such a file already"):
        move_lines(tmp_path, "a", "b")
    assert (tmp_path / "b.jsonl").read_text(encoding="utf-8") == "a.jsonl"


def test_a_file_that_somebody_took_away_is_begun_anew(tmp_path: Path) -> None:
    """Rows that a person has moved are not missed; those that come are added."""
    path = tmp_path / "a.jsonl"
    with open_lines(path, length=5000, since=4000, once=True) as opened:
        assert opened.append(({"n": 1},), once=True) == (1, path.stat().st_size)
    assert lines(path) == [{"n": 1}]


def test_a_folder_that_was_there_is_left_as_it_is(tmp_path: Path) -> None:
    """Only what cdsync makes hides itself from git."""
    with open_lines(tmp_path / "a.jsonl", length=0):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.skipif(not FULL.exists(), reason="only where there is a device that is always full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """Nothing of the page counts, and the message says what to do."""
    descriptor = os.open(FULL, os.O_RDWR)
    with open_lines(tmp_path / "a.jsonl", length=0) as opened:
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
        open_lines(path, length=0),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()
