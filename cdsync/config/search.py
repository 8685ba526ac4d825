"""Which YAML files a config root has: the same search in a folder on disk and in a commit.

Hidden files and folders are left out. A link is followed within the root, and each folder is searched once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from cdsync.config.reading import YAML_SUFFIXES, at_start
from cdsync.errors import Problem


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry of a folder; `is_folder` says where a link leads, `fault` why an entry may not be passed over."""

    name: str
    is_link: bool = False
    is_folder: bool = False
    fault: str | None = None


class Folders(Protocol):
    """Folders that can be searched; each goes by whatever text the implementation takes for its own place."""

    @property
    def top(self) -> str:
        """The place of the root."""

    def seen(self, folder: str) -> list[Seen]:
        """What a folder holds.

        Raises:
            OSError: it cannot be read.
        """

    def within(self, place: str) -> str | None:
        """The place that links lead to; None if it is outside of the root."""


def find_yaml_files(folders: Folders) -> tuple[list[str], list[Problem]]:
    """Every YAML file as a sorted path relative to the root, and what of the root may not be read."""
    search = _Search(folders)
    search.walk("", folders.top)
    # Linked folders come last, so that a folder goes by its own path when it has one in sight.
    while search.links:
        relative, target = search.links.pop(0)
        if target is not None:
            search.walk(relative, target)
        else:
            message = "a link that leads outside the config root; expected a folder below it"
            search.problems.append(at_start(relative, message))
    return sorted(search.files), search.problems


class _Search:
    def __init__(self, folders: Folders) -> None:
        self.files: list[str] = []
        self.problems: list[Problem] = []
        self.links: list[tuple[str, str | None]] = []
        self._folders = folders
        self._searched: set[str] = set()

    def walk(self, prefix: str, folder: str) -> None:
        pending = [(prefix, folder)]
        while pending:
            relative, place = pending.pop()
            if place in self._searched:
                continue
            self._searched.add(place)
            try:
                entries = sorted(self._folders.seen(place), key=lambda entry: entry.name)
            except OSError as error:
                self.problems.append(at_start(relative or ".", f"the folder cannot be read: {error.strerror}"))
                continue
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                inner = f"{relative}/{entry.name}" if relative else entry.name
                if entry.is_folder and not entry.is_link:
                    pending.append((inner, f"{place}/{entry.name}"))
                else:
                    self._note(inner, f"{place}/{entry.name}", entry)

    def _note(self, inner: str, place: str, entry: Seen) -> None:
        if entry.is_folder:
            self.links.append((inner, self._folders.within(place)))
        elif PurePosixPath(entry.name).suffix.lower() in YAML_SUFFIXES:
            self.files.append(inner)
        elif entry.fault is not None:
            self.problems.append(at_start(inner, entry.fault))
