"""The files of a live run: one JSON line per result row, and one per input that failed, on disk before it is said so.

What was written after the last thing that the state knows of belongs to a page that will be read again, so it is cut
off before anything is added.
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
        lines: list[bytes] = []
        for row in rows:
            digest = _digest(row)
            if not (once and digest in self.seen):
                self.seen.add(digest)
                lines.append(json.dumps(row, ensure_ascii=False, separators=(", ", ": ")).encode() + b"\n")
        with _told(self.path):
            if lines:
                _write_all(self.descriptor, b"".join(lines))
                os.fsync(self.descriptor)
            return len(lines), os.fstat(self.descriptor).st_size

    def forget_seen(self) -> None:
        """Begin with another input, which may have rows like those before."""
        self.seen.clear()


@contextmanager
def open_lines(path: Path, *, length: int, since: int) -> Iterator[Lines]:
    """Open a file to go on behind its first `length` bytes; rows behind `since` are those of the present input.

    A file that somebody has shortened or taken away is simply added to.

    Raises:
        ResultsUnwritable: it cannot be made or written.
    """
    with _told(path):
        _make_folder(path.parent)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
    try:
        with _told(path):
            if os.fstat(descriptor).st_size > length:
                os.ftruncate(descriptor, length)
                os.fsync(descriptor)
            with path.open("rb") as stream:
                stream.seek(since)
                seen = {_digest(json.loads(line)) for line in stream if _is_json(line)}
        yield Lines(path, descriptor, seen)
    finally:
        os.close(descriptor)


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
