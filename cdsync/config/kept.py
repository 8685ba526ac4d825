"""Documents that were read before, so that a file that has not changed costs its digest.

One file in the cache folder holds the documents of one config root, by the digests of their files; it is written anew
whenever they change. Of a document in which nothing was found wrong it also holds what it declares, so that it is not
gone through again on the same day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from cdsync.cachefile import CacheFile
from cdsync.config.checked import Checked, decode_checked, encode_checked
from cdsync.config.places import KIND_OF_SECTION
from cdsync.config.places import Path as Place
from cdsync.config.reading import FileText
from cdsync.config.schemas import is_resource_file
from cdsync.config.yaml_nodes import Tree, checked_tree, known_tree, read_tree

_MOST_GROWTH = 20
"""What is so many times larger than its text, by aliases or by defaults, is not worth keeping."""

COLUMNS = 3
"""Of a line: the digest of the file, its value, and what it declares."""

_VALUE = msgspec.json.Decoder(tuple[Any, bool, list[tuple[tuple[str | int, ...], bool, int, int]]])
"""As `_written` writes it."""


@dataclass(slots=True)
class Documents:
    """The documents of one root; `file` is what they are kept in, None to keep none.

    `day` is the one from which warnings look ahead: on another day they are looked for anew.
    """

    file: CacheFile | None = None
    day: str = ""
    _kept: Mapping[str, _Kept] = field(default_factory=dict)
    _read: dict[str, tuple[FileText, Tree]] = field(default_factory=dict)
    _checked: Mapping[str, Checked] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path, folder: Path | None, *, day: date) -> Documents:
        """Those of a config root that are kept in a cache folder."""
        if folder is None:
            return cls()
        file = CacheFile.of(root, folder, "documents", depends_on=f"{yaml.__version__} {msgspec.__version__}")
        # No JSON holds a tab but as an escape.
        rows = [line.split(b"\t") for line in file.read()]
        kept = {row[0].decode("ascii", "replace"): _Kept(*row[1:]) for row in rows if len(row) == COLUMNS}
        return cls(file, day.isoformat(), kept)

    def read(self, text: FileText) -> Tree:
        """The document of a file, whatever is wrong with it."""
        tree = self._known(text)
        if tree is None:
            tree = read_tree(text.file, text.text)
            if tree.problems:
                return tree
            if is_resource_file(tree.value):
                # Its nodes are many times larger than its text, and asked for only to tell of what is wrong.
                tree = known_tree(text.file, text.text, tree.value, sound=True, places=dict(_asked_for(tree)))
        if self.file is not None:
            self._read[text.sha256] = text, tree
        return tree

    def _known(self, text: FileText) -> Tree | None:
        kept = self._kept.get(text.sha256)
        if kept is None:
            return None
        checked = decode_checked(kept.checked, file=text.file, day=self.day)
        return _restored(text, kept.value) if checked is None else checked_tree(text.file, text.text, checked)

    def learn(self, checked: Mapping[str, Checked]) -> None:
        """Take note of what the files declare in which, by themselves, nothing is wrong."""
        self._checked = checked

    def keep(self) -> None:
        """Write down what was read and learnt, unless just that is kept already."""
        found = {digest: kept for digest, (text, tree) in self._read.items() if (kept := self._to_keep(text, tree))}
        if self.file is not None and found != self._kept:
            self.file.write([b"\t".join((digest.encode(), *kept)) for digest, kept in found.items()])

    def _to_keep(self, text: FileText, tree: Tree) -> _Kept | None:
        """What is kept of a document; None of one that is not worth it."""
        kept = self._kept.get(text.sha256)
        value, most = kept.value if kept is not None else _written(tree), _MOST_GROWTH * len(text.text)
        if len(value) > most:
            return None
        learnt = self._checked.get(tree.file)
        if learnt is not None:
            return _Kept(value, encode_checked(learnt, file=tree.file, day=self.day, most=most))
        return kept or _Kept(value)


class _Kept(NamedTuple):
    """A document as it is kept: its value, and what it declares if nothing was wrong with it."""

    value: bytes
    checked: bytes = b""


def _written(tree: Tree) -> bytes:
    """A document as one line: its value, whether it is sound, and the places that every pass asks for."""
    places = [[path, at_key, line, column] for (path, at_key), (line, column) in tree.places.items()]
    return json.dumps([tree.value, tree.sound, places], separators=(",", ":")).encode("ascii")


def _restored(text: FileText, line: bytes) -> Tree | None:
    """The document of a line; None if it makes no sense."""
    try:
        value, sound, listed = _VALUE.decode(line)
    except (ValueError, RecursionError):
        return None
    places = {(path, at_key): (row, column) for path, at_key, row, column in listed}
    return known_tree(text.file, text.text, value, sound=sound, places=places)


def _asked_for(tree: Tree) -> Iterator[tuple[tuple[Place, bool], tuple[int, int]]]:
    """The places of every name, and of every cron expression, in a resource file; see `Tree.places`."""
    asked: list[tuple[Place, bool]] = [(("defaults", "cron"), False)]
    document = tree.value if isinstance(tree.value, Mapping) else {}
    for section in KIND_OF_SECTION:
        named = document.get(section)
        for name in named if isinstance(named, Mapping) else ():
            asked += [((section, name), True), ((section, name, "cron"), False)]
    for path, at_key in asked:
        yield (path, at_key), tree.place(path, at_key=at_key)
