"""What a config root consists of, wherever its files are kept, and the text of one of them.

Every file is read, bounded and digested here. Nothing outside of the root is read, however a link leads there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, Protocol, TypeAlias

from cdsync.errors import ConfigError, Problem

MOST_BYTES = 10 * 1024 * 1024
"""Of a file of declarations, which a person has written."""

MOST_BYTES_OF_INPUTS = 100 * 1024 * 1024
"""Of a csv, jsonl or json file of inputs, which may hold 100,000 wide rows."""
SETTINGS_FILE = "cdsync.yaml"
YAML_SUFFIXES = frozenset({".yaml", ".yml"})

LeadsTo: TypeAlias = Literal["file", "folder", "nothing", "outside"]

_POINTER = b"version https://git-lfs.github.com/spec/"


class Files(Protocol):
    """The files of a config root. Every path is relative to the root, with slashes; links are followed within it."""

    def yaml_files(self) -> tuple[list[str], list[Problem]]:
        """Every YAML file as a sorted path, and what of the root may not be read; hidden files and folders left out."""

    def leads_to(self, path: str) -> LeadsTo:
        """What stands at a path once all links are followed; `outside` if they leave the root."""

    def read(self, file: str, *, most: int) -> bytes:
        """The content of a file.

        Raises:
            ConfigError: it is missing, leads outside of the root, is no regular file, or larger than `most` bytes.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """A file that was read: its path relative to the root, its text without a byte-order mark, its digest."""

    file: str
    text: str
    sha256: str


def read_text(files: Files, file: str) -> FileText:
    """The text of a file of the root.

    Raises:
        ConfigError: it cannot be read, is too large, not UTF-8, or only says where Git LFS keeps it.
    """
    data = files.read(file, most=most_bytes_of(file))
    if data.startswith(_POINTER):
        message = "a Git LFS pointer instead of the file; expected the file itself, kept by git"
        raise refusal(file, message)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise ConfigError((Problem(printable(file), before.count(b"\n") + 1, column, None, message),)) from None
    return FileText(file=printable(file), text=text.removeprefix("\ufeff"), sha256=hashlib.sha256(data).hexdigest())


def most_bytes_of(file: str) -> int:
    """How large a file may be, by what its name says that it holds."""
    return MOST_BYTES if PurePosixPath(file).suffix in YAML_SUFFIXES else MOST_BYTES_OF_INPUTS


def printable(file: str) -> str:
    """A path as it may be printed on one line, also when its name is not UTF-8 or holds control characters."""
    if file.isprintable():
        return file
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in file)


def at_start(file: str, message: str) -> Problem:
    """A problem of a file or folder as a whole."""
    return Problem(printable(file), 1, 1, None, message)


def refusal(file: str, message: str) -> ConfigError:
    """The error for a file or folder as a whole."""
    return ConfigError((at_start(file, message),))


def unreadable(file: str, reason: str) -> ConfigError:
    """The error for a file that the disk, or a commit, does not give."""
    return refusal(file, f"the file cannot be read: {reason}")


def outside(file: str) -> ConfigError:
    """The error for a file that is linked from elsewhere."""
    return refusal(file, "a link that leads outside the config root; expected a file below it")


def too_large(file: str, most: int) -> ConfigError:
    """The error for a file over its limit."""
    return refusal(file, f"the file is larger than {most // 1024 // 1024} MiB; split it")


def sorted_problems(problems: Iterator[Problem] | list[Problem]) -> tuple[Problem, ...]:
    """Problems in the order of their places, each once."""
    return tuple(sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.address or "", p.message)))
