"""A config root that is held in memory, such as that of a commit: names first, then the contents that are needed.

It behaves as a folder with the same files would, but for two things that a folder does not know: a submodule, whose
files are elsewhere, and a link that leaves the root, which cannot be looked at. Both are refused, never passed over,
because what is passed over counts as declared no more.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from errno import ELOOP, ENOENT, ENOTDIR
from typing import Literal, TypeAlias

from cdsync.config.reading import LeadsTo, most_bytes_of, outside, refusal, too_large, unreadable
from cdsync.config.search import Seen, find_yaml_files
from cdsync.errors import Problem

MOST_LINKS = 40
"""That one path may lead through, as on Linux."""

_OUTSIDE = "a link that leads outside the config root; expected a file or folder below it"
_SUBMODULE = "a submodule, whose files are in another repository; expected the files themselves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What stands at a path: a file and its size in bytes, a link and its target, or a submodule."""

    kind: Literal["file", "link", "submodule"] = "file"
    size: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a path led: below the root with all links followed, nowhere (`error` says why), or outside."""

    path: str | None = None
    error: int = 0


Items: TypeAlias = Mapping[str, Item]


class SnapshotFiles:
    """The files below a place in a tree, as `Files`.

    `items` holds every file, link and submodule by its path relative to the root; `above` the names of the folders
    that the root stands in, through which a link may come back. Contents are brought with `add` before they are read.
    """

    top = ""

    def __init__(self, items: Items, *, above: tuple[str, ...] = ()) -> None:
        self._items = items
        self._above = list(above)
        self._contents: dict[str, bytes] = {}
        self._folders: dict[str, dict[str, str]] = {"": {}}
        for path in items:
            folder, _, name = path.rpartition("/")
            self._children(folder)[name] = path

    def _children(self, folder: str) -> dict[str, str]:
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = {}
            above, _, name = folder.rpartition("/")
            self._children(above)[name] = folder
        return known

    def sources(self, files: Iterable[str]) -> frozenset[str]:
        """The paths whose contents are read for these files: links followed, what is missing or too large left out."""
        found: set[str] = set()
        for file in files:
            path = self._follow(file).path
            item = self._items.get(path) if path is not None else None
            if path is not None and item is not None and item.kind == "file" and item.size <= most_bytes_of(file):
                found.add(path)
        return frozenset(found)

    def add(self, contents: Mapping[str, bytes]) -> None:
        """Bring contents, by the paths that `sources` gave."""
        self._contents.update(contents)

    def yaml_files(self) -> tuple[list[str], list[Problem]]:
        """Every YAML file, and what of the root may not be read."""
        return find_yaml_files(self)

    def seen(self, folder: str) -> list[Seen]:
        """What a folder holds."""
        return [self._seen(name, path) for name, path in self._folders[folder.removeprefix("/")].items()]

    def _seen(self, name: str, path: str) -> Seen:
        item = self._items.get(path)
        if item is None:
            return Seen(name, is_folder=True)
        if item.kind != "link":
            return Seen(name, fault=_SUBMODULE if item.kind == "submodule" else None)
        place = self._follow(path)
        if place.path is None:
            return Seen(name, is_link=True, fault=None if place.error else _OUTSIDE)
        if place.path in self._folders:
            return Seen(name, is_link=True, is_folder=True)
        target = self._items.get(place.path)
        return Seen(name, is_link=True, fault=_SUBMODULE if target and target.kind == "submodule" else None)

    def within(self, place: str) -> str | None:
        """Where a path leads; None if that is not below the root."""
        found = self._follow(place).path
        return None if found is None else f"/{found}" if found else ""

    def leads_to(self, path: str) -> LeadsTo:
        """What stands at a path."""
        place = self._follow(path)
        if place.path is None:
            return "nothing" if place.error else "outside"
        return "folder" if place.path in self._folders else "file"

    def read(self, file: str, *, most: int) -> bytes:
        """The content of a file."""
        place = self._follow(file)
        if place.path is None:
            raise unreadable(file, os.strerror(place.error)) if place.error else outside(file)
        item = self._items.get(place.path)
        if item is None or item.kind != "file":
            raise refusal(file, "not a regular file")
        if item.size > most:
            raise too_large(file, most)
        return self._contents[place.path]

    def _follow(self, path: str) -> _Place:
        """Follow every link of a path, name by name, as an operating system does."""
        at, links = [*self._above], 0
        pending = path.split("/")[::-1]
        while pending:
            name = pending.pop()
            if name == "..":
                if not at:
                    return _Place()
                at.pop()
            elif name not in {"", "."}:
                at.append(name)
                item = self._items.get(self._inner(at) or "")
                if item is None or item.kind != "link":
                    if end := self._end(at, item, last=not pending):
                        return end
                    continue
                links += 1
                if item.target.startswith("/") or links > MOST_LINKS:
                    return _Place(error=ELOOP if links > MOST_LINKS else 0)
                at.pop()
                pending += item.target.split("/")[::-1]
        return _Place(self._inner(at))

    def _end(self, at: list[str], item: Item | None, *, last: bool) -> _Place | None:
        """Why a way ends at a name that is no link; None if it goes on, or has come where it leads."""
        inner = self._inner(at)
        if inner is None:
            return None if at == self._above[: len(at)] else _Place()
        if inner in self._folders or (item is not None and last):
            return None
        return _Place(error=ENOENT if item is None else ENOTDIR)

    def _inner(self, at: list[str]) -> str | None:
        """A path from the top of the tree as one relative to the root; None outside of it."""
        depth = len(self._above)
        return "/".join(at[depth:]) if at[:depth] == self._above else None
