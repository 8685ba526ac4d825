"""Documents that were read before, so that a file that has not changed costs its digest.

One file in the cache folder holds the documents of one config root, by the digests of their files; it is written anew,
whole, whenever they change. It is only ever a shortcut: what is missing, damaged, somebody else's, or of another reader
is read from the YAML, and where nothing can be written nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import yaml

from cdsync import __version__
from cdsync.config.places import KIND_OF_SECTION
from cdsync.config.places import Path as Place
from cdsync.config.reading import FileText
from cdsync.config.schemas import is_resource_file, schema_names, schema_text
from cdsync.config.yaml_nodes import Tree, known_tree, read_tree

_MOST_GROWTH = 20
"""A document that is so many times larger than its text, by aliases, is not worth keeping."""


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one root; `place` is the file that they are kept in, None to keep none."""

    place: Path | None = None
    _kept: Mapping[str, str] = field(default_factory=dict)
    _read: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path, folder: Path | None) -> Documents:
        """Those of a config root that are kept in a cache folder."""
        if folder is None:
            return cls()
        place = folder / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.documents"
        return cls(place, _kept_in(place))

    def read(self, text: FileText) -> Tree:
        """The document of a file, whatever is wrong with it."""
        kept = self._kept.get(text.sha256)
        if kept is not None:
            self._read[text.sha256] = kept
            return _restored(text, kept)
        tree = read_tree(text.file, text.text)
        if tree.problems:
            return tree
        tree = replace(tree, sound=is_resource_file(tree.value))
        if self.place is not None and len(written := _written(tree)) <= _MOST_GROWTH * len(text.text):
            self._read[text.sha256] = written
        return tree

    def keep(self) -> None:
        """Write down what was read, unless just that is kept already."""
        if self.place is not None and self._read.keys() != self._kept.keys():
            with suppress(OSError):
                _write(self.place, self._read)


def _written(tree: Tree) -> str:
    """A document as one line: its value, whether it is sound, and the places that every pass asks for."""
    places = [[path, at_key, *tree.place(path, at_key=at_key)] for path, at_key in _asked_for(tree)]
    return json.dumps([tree.value, tree.sound, places], separators=(",", ":"))


def _restored(text: FileText, line: str) -> Tree:
    value, sound, listed = json.loads(line)
    places = {(tuple(path), at_key): (row, column) for path, at_key, row, column in listed}
    return known_tree(text.file, text.text, value, sound=sound, places=places)


def _asked_for(tree: Tree) -> Iterator[tuple[Place, bool]]:
    """The paths, and whether of their keys, of every name and cron expression in a document."""
    if not tree.sound or not isinstance(tree.value, Mapping):
        return
    yield ("defaults", "cron"), False
    for section in KIND_OF_SECTION:
        named = tree.value.get(section)
        for name in named if isinstance(named, Mapping) else ():
            yield (section, name), True
            yield (section, name, "cron"), False


def _kept_in(place: Path) -> Mapping[str, str]:
    """The lines of a file of documents by their digests; none unless all of it is as this reader wrote it."""
    try:
        with place.open("rb") as stream:
            if os.fstat(stream.fileno()).st_uid != os.geteuid():
                return {}
            head, _, content = stream.read().partition(b"\n")
    except OSError:
        return {}
    if head != _head(content):
        return {}
    lines = content.decode("ascii").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def _write(place: Path, documents: Mapping[str, str]) -> None:
    content = "".join(f"{digest} {line}\n" for digest, line in documents.items()).encode("ascii")
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=f"{place.stem}.", delete=False) as stream:
        try:
            stream.write(_head(content) + b"\n" + content)
            stream.flush()
            Path(stream.name).replace(place)
        except BaseException:
            Path(stream.name).unlink()
            raise


def _head(content: bytes) -> bytes:
    return f"cdsync {_reader()} {hashlib.sha256(content).hexdigest()}".encode("ascii")


@cache
def _reader() -> str:
    """What tells this reader from every other: a digest of its source, of the schemas and of versions."""
    digest = hashlib.sha256(f"{__version__} {yaml.__version__}".encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    for name in schema_names():
        digest.update(schema_text(name).encode())
    return digest.hexdigest()
