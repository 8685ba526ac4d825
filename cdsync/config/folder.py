"""A config root that is a folder on disk. The only part of the configuration that looks at the disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cdsync.config.reading import LeadsTo, outside, refusal, too_large, unreadable
from cdsync.config.search import Seen, find_yaml_files
from cdsync.errors import Problem


class FolderFiles:
    """The files below a folder, as `Files`; a link that leads outside of it is never followed."""

    def __init__(self, root: Path) -> None:
        self.top = os.path.realpath(root)

    def yaml_files(self) -> tuple[list[str], list[Problem]]:
        """Every YAML file, and what of the folder may not be read."""
        return find_yaml_files(self)

    def seen(self, folder: str) -> list[Seen]:
        """What a folder holds."""
        with os.scandir(folder) as found:
            return [Seen(entry.name, entry.is_symlink(), _is_folder(entry)) for entry in found]

    def within(self, place: str) -> str | None:
        """Where a path of the disk leads; None if that is not below the root."""
        target = os.path.realpath(place)
        return target if self._holds(target) else None

    def leads_to(self, path: str) -> LeadsTo:
        """What stands at a path."""
        found = Path(self.top, path)
        if self.within(str(found)) is None:
            return "outside"
        # Asked of the system, by the path as it is: to resolve a way through what is not there makes up another.
        return "folder" if found.is_dir() else "file" if found.exists() else "nothing"

    def read(self, file: str, *, most: int) -> bytes:
        """The content of a file; a pipe or a device is not waited for."""
        try:
            place = os.path.realpath(Path(self.top, file), strict=True)
            if not self._holds(place):
                raise outside(file)
            found = Path(place).stat()
            if not stat.S_ISREG(found.st_mode):
                raise refusal(file, "not a regular file")
            if found.st_size <= most:
                with Path(place).open("rb") as stream:
                    data = stream.read(most + 1)
                if len(data) <= most:
                    return data
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise unreadable(file, reason or str(error)) from None
        raise too_large(file, most)

    def _holds(self, place: str) -> bool:
        return place == self.top or place.startswith(self.top.rstrip("/") + "/")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link that leads to itself; reading it says so.
        return False
