"""Files of the cache folder, which are only ever shortcuts: without one, what it holds is made anew.

One is written whole, and believed only as this very cdsync has written it for this user: what is missing, damaged,
somebody else's or of another version is as good as none. Where nothing can be written nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cdsync import __version__
from cdsync.shipped import PACKAGE, shipped


@dataclass(frozen=True, slots=True)
class CacheFile:
    """A file of lines; `depends_on` is what its content depends on besides cdsync itself."""

    place: Path
    depends_on: str = ""

    @classmethod
    def of(cls, root: Path, folder: Path, kind: str, *, depends_on: str = "") -> CacheFile:
        """The one of this kind that belongs to a config root."""
        return cls(folder / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.{kind}", depends_on)

    def read(self) -> list[bytes]:
        """Its lines, without their ends; none unless all of it is as it was written."""
        try:
            with self.place.open("rb") as stream:
                if os.fstat(stream.fileno()).st_uid != os.geteuid():
                    return []
                head, content = stream.readline(), stream.read()
        except OSError:
            return []
        return content.split(b"\n")[:-1] if head == self._head(content) else []

    def write(self, lines: Sequence[bytes]) -> None:
        """Write it anew, if that can be done; no line may hold an end of one."""
        content = b"".join(line + b"\n" for line in lines)
        with suppress(OSError):
            self.place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=self.place.parent, prefix=f"{self.place.stem}.", delete=False
            ) as stream:
                try:
                    stream.write(self._head(content) + content)
                    stream.flush()
                    Path(stream.name).replace(self.place)
                except BaseException:
                    Path(stream.name).unlink()
                    raise

    def _head(self, content: bytes) -> bytes:
        """The first line, by all others."""
        writer = hashlib.sha256(f"{_own_digest()} {self.depends_on}".encode()).hexdigest()
        return f"cdsync {writer} {hashlib.sha256(content).hexdigest()}\n".encode("ascii")


@cache
def _own_digest() -> str:
    """What tells this cdsync from every other: a digest of the schemas, and of the code that reads by them."""
    digest = hashlib.sha256(__version__.encode())
    code = (*(PACKAGE / "config").glob("*.py"), *(PACKAGE / "core").glob("*.py"), PACKAGE / "seals.py")
    for file in sorted([*code, *shipped("schema").glob("*.schema.json")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()
