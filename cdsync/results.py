"""The files of a live run: one JSON line per result row, and one per input that failed, on disk before it is said so.

The state knows how long each file is, and what is just being added to it. Anything else that a file holds was put there
by somebody else, or by a cdsync whose state was newer: it is never cut off.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cdsync.core.fingerprint import canonical
from cdsync.core.work import Json
from cdsync.errors import ResultsUnwritable


def results_path(folder: Path, name: str) -> Path:
    """Where the rows of a live run are."""
    return folder / f"{name}.jsonl"


def failed_path(folder: Path, name: str) -> Path:
    """Where the failed inputs of a live run are."""
    return folder / f"{name}.failed.jsonl"


class ResultsAhead(Exception):
    """A file holds what the state knows nothing of; `str` is its path."""


@dataclass(slots=True)
class Lines:
    """One open file of JSON lines; `seen` are digests of the rows of the present input, so that none comes twice."""

    path: Path
    descriptor: int
    seen: set[bytes]

    def append(self, rows: tuple[Json, ...], *, once: bool) -> tuple[int, int]:
        """Add rows and put them on disk, with `once` only those not seen; gives how many, and the length in bytes.

        Raises:
            ResultsUnwritable: the disk is full or broken; nothing of them counts.
        """
        lines = _new_lines(rows, self.seen if once else set())
        with _told(self.path):
            if lines:
                _write_all(self.descriptor, b"".join(lines))
                os.fsync(self.descriptor)
            return len(lines), os.fstat(self.descriptor).st_size

    def forget_seen(self) -> None:
        """Begin with another input, which may have rows like those before."""
        self.seen.clear()


@contextmanager
def open_lines(
    path: Path, *, length: int, since: int = 0, adding: tuple[Json, ...] = (), once: bool = False
) -> Iterator[Lines]:
    """Open a file to go on behind its first `length` bytes; rows behind `since` are those of the present input.

    `adding` are the rows whose addition may have been cut short; what there is of them is taken off again. With `once`,
    rows of the present input do not come twice. A file that somebody has shortened or taken away is simply added to.

    Raises:
        ResultsAhead: there is more in it.
        ResultsUnwritable: it cannot be made or written.
    """
    with _told(path):
        _make_folder(path.parent)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
    try:
        with _told(path):
            known = _lines_of(path, since, length) if once else ()
            seen = {_digest(json.loads(line)) for line in known if _is_json(line)}
            _take_off(path, descriptor, length, b"".join(_new_lines(adding, set(seen))))
        yield Lines(path, descriptor, seen)
    finally:
        os.close(descriptor)


def move_lines(folder: Path, old: str, new: str) -> None:
    """Give the files of a live run the name that it has now; where that was done before, nothing is left to do.

    Raises:
        ResultsUnwritable: other files have that name.
    """
    for place in (results_path, failed_path):
        source, target = place(folder, old), place(folder, new)
        with _told(source):
            if not source.exists():
                continue
            if target.exists():
                raise ResultsUnwritable(
                    f"{target}: the results of {old} cannot be moved there, because there is such a file already",
                    remedy="move it elsewhere, and apply again",
                )
            source.rename(target)


def _lines_of(path: Path, since: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(since)
        yield from stream.read(max(length - since, 0)).splitlines()


def _take_off(path: Path, descriptor: int, length: int, added: bytes) -> None:
    """Let a file end where it is known to, with the end of a line."""
    size = os.fstat(descriptor).st_size
    if size > length:
        if not added.startswith(os.pread(descriptor, size - length, length)):
            raise ResultsAhead(str(path))
        os.ftruncate(descriptor, length)
        os.fsync(descriptor)
    elif size and os.pread(descriptor, 1, size - 1) != b"\n":
        _write_all(descriptor, b"\n")


def _new_lines(rows: tuple[Json, ...], seen: set[bytes]) -> list[bytes]:
    """The lines of the rows that were not seen, which are from then on."""
    lines: list[bytes] = []
    for row in rows:
        digest = _digest(row)
        if digest not in seen:
            seen.add(digest)
            lines.append(_line(row))
    return lines


def _line(row: Json) -> bytes:
    text = json.dumps(row, ensure_ascii=False, separators=(", ", ": ")) + "\n"
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a character, which JSON can hold and UTF-8 cannot
        return (json.dumps(row, separators=(", ", ": ")) + "\n").encode()


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _make_folder(folder: Path) -> None:
    """Make the folder; one that cdsync makes hides itself from git, because results are about people."""
    if not folder.is_dir():
        folder.mkdir(parents=True, mode=0o700)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _digest(row: Json) -> bytes:
    return hashlib.blake2b(canonical(row).encode(), digest_size=12).digest()


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultsUnwritable(
            f"{path}: the results cannot be written: {error.strerror or error}",
            remedy="check the folder's owner, its mode and the free space; the run goes on where it stands",
        ) from error
