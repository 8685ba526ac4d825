"""Which files a config root consists of, and their text. The only part of the configuration that looks at the disk.

Nothing outside of the root is read, however a link leads there.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cdsync.errors import ConfigError, Problem

MOST_BYTES = 10 * 1024 * 1024
"""Of a file of declarations, which a person has written."""

MOST_BYTES_OF_INPUTS = 100 * 1024 * 1024
"""Of a csv, jsonl or json file of inputs, which may hold 100,000 wide rows."""
SETTINGS_FILE = "cdsync.yaml"
YAML_SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """A file that was read: its path relative to the root, its text without a byte-order mark, its digest."""

    file: str
    text: str
    sha256: str


def find_yaml_files(root: Path) -> tuple[list[str], list[Problem]]:
    """Every YAML file below a root as a sorted relative path, and what of it may not be read.

    Hidden files and folders are left out. A link is followed within the root, and each folder read once.
    """
    search = _Search(os.path.realpath(root))
    search.walk("", search.top)
    # Linked folders come last, so that a folder goes by its own path when it has one in sight.
    while search.links:
        relative, target = search.links.pop(0)
        if _is_below(target, search.top):
            search.walk(relative, target)
        else:
            message = "a link that leads outside the config root; expected a folder below it"
            search.problems.append(_at_start(relative, message))
    return sorted(search.files), search.problems


class _Search:
    def __init__(self, top: str) -> None:
        self.top = top
        self.files: list[str] = []
        self.problems: list[Problem] = []
        self.links: list[tuple[str, str]] = []
        self._seen: set[str] = set()

    def walk(self, prefix: str, folder: str) -> None:
        pending = [(prefix, folder)]
        while pending:
            relative, path = pending.pop()
            if path in self._seen:
                continue
            self._seen.add(path)
            try:
                with os.scandir(path) as found:
                    entries = [(entry.name, entry.is_symlink(), _is_folder(entry)) for entry in found]
            except OSError as error:
                self.problems.append(_at_start(relative or ".", f"the folder cannot be read: {error.strerror}"))
                continue
            for name, is_link, is_folder in sorted(entries):
                inner, target = (f"{relative}/{name}" if relative else name), f"{path}/{name}"
                if name.startswith("."):
                    continue
                if is_folder and is_link:
                    self.links.append((inner, os.path.realpath(target)))
                elif is_folder:
                    pending.append((inner, target))
                elif PurePosixPath(name).suffix.lower() in YAML_SUFFIXES:
                    self.files.append(inner)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link that leads to itself; reading it says so.
        return False


def read_text(root: Path, file: str) -> FileText:
    """The text of a file of the root.

    Raises:
        ConfigError: it is missing, leads outside of the root, is no regular file, too large, or not UTF-8.
    """
    declares = PurePosixPath(file).suffix in YAML_SUFFIXES
    data = _read_bytes(root, file, most=MOST_BYTES if declares else MOST_BYTES_OF_INPUTS)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise ConfigError((Problem(printable(file), before.count(b"\n") + 1, column, None, message),)) from None
    return FileText(file=printable(file), text=text.removeprefix("\ufeff"), sha256=hashlib.sha256(data).hexdigest())


def _read_bytes(root: Path, file: str, *, most: int) -> bytes:
    try:
        path = os.path.realpath(root / file, strict=True)
        if not _is_below(path, os.path.realpath(root)):
            raise _refusal(file, "a link that leads outside the config root; expected a file below it")
        found = Path(path).stat()
        if not stat.S_ISREG(found.st_mode):
            raise _refusal(file, "not a regular file")
        if found.st_size <= most:
            with Path(path).open("rb") as stream:
                data = stream.read(most + 1)
            if len(data) <= most:
                return data
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _refusal(file, f"the file cannot be read: {reason}") from None
    raise _refusal(file, f"the file is larger than {most // 1024 // 1024} MiB; split it")


def printable(file: str) -> str:
    """A path as it may be printed on one line, also when its name is not UTF-8 or holds control characters."""
    if file.isprintable():
        return file
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in file)


def is_below_root(path: str, root: Path) -> bool:
    """Whether a path leads to a place below the root once all links are followed."""
    return _is_below(os.path.realpath(path), os.path.realpath(root))


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")


def _at_start(file: str, message: str) -> Problem:
    return Problem(printable(file), 1, 1, None, message)


def _refusal(file: str, message: str) -> ConfigError:
    return ConfigError((_at_start(file, message),))


def sorted_problems(problems: Iterator[Problem] | list[Problem]) -> tuple[Problem, ...]:
    """Problems in the order of their places, each once."""
    return tuple(sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.address or "", p.message)))
