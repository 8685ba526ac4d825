"""A folder of a commit: its names first, with sizes, then the contents that are needed, all read by one process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cdsync.config import Item
from cdsync.errors import CommitRefused, GitDamaged
from cdsync.gitsource.copy import Copy

LONGEST_TARGET = 4096
"""Bytes of a link; a longer one leads nowhere on any system."""

MOST_CONTENTS = 512 * 1024 * 1024
"""Bytes that are read at once, so that no commit can take all memory."""

_LINK_MODE = "120000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What stands below a folder of a commit, by path relative to it, with the id of each blob."""

    items: Mapping[str, Item]
    blobs: Mapping[str, str]
    above: tuple[str, ...]


async def read_folder(copy: Copy, commit: str, path: str) -> Folder:
    """List a folder of a commit, with all that is below it.

    Raises:
        GitDamaged: the copy does not hold it whole.
        CommitRefused: the commit has no such folder.
    """
    above = tuple(name for name in path.split("/") if name not in {"", "."})
    top = "/".join(above)
    command = ("ls-tree", "-r", "-t", "-z", "-l", "--full-tree", "--end-of-options", commit)
    listing = await copy.read(*command, *([top] if top else []))
    rows = [_Row.of(line) for line in listing.split(b"\0") if line]
    if top and not any(row.path == top and row.kind == "tree" for row in rows):
        raise CommitRefused(
            f"commit {commit[:12]} has no folder {top!r}", remedy="let daemon.git.path name one that it has"
        )
    prefix = f"{top}/" if top else ""
    below = [row for row in rows if row.kind != "tree" and row.path.startswith(prefix)]
    blobs = {row.path.removeprefix(prefix): row.id for row in below if row.kind == "blob"}
    links = {row.path.removeprefix(prefix): row.size for row in below if row.mode == _LINK_MODE}
    targets = await read_blobs(copy, blobs, {path: size for path, size in links.items() if size <= LONGEST_TARGET})
    items = {}
    for row in below:
        inner = row.path.removeprefix(prefix)
        if row.mode == _LINK_MODE:
            # A target that is too long leads outside, as far as anybody can tell.
            items[inner] = Item(kind="link", target=os.fsdecode(targets.get(inner, b"/")))
        else:
            items[inner] = Item(kind="file" if row.kind == "blob" else "submodule", size=row.size)
    return Folder(items=items, blobs=blobs, above=above)


async def read_blobs(copy: Copy, blobs: Mapping[str, str], sizes: Mapping[str, int]) -> dict[str, bytes]:
    """The contents of some of these blobs, by path; `sizes` says of which, and how many bytes each has.

    Raises:
        GitDamaged: the copy does not hold one, or not as it was listed.
        CommitRefused: they are too many bytes.
    """
    if not sizes:
        return {}
    wanted = sorted({blobs[path]: size for path, size in sizes.items()}.items())
    if sum(sizes.values()) > MOST_CONTENTS:
        raise CommitRefused(
            f"the declaration has more than {MOST_CONTENTS // 1024 // 1024} MiB",
            remedy="let daemon.git.path name a folder with fewer files",
        )
    # Each content comes with a line of its own before it and a line break after it.
    most = sum(size for _, size in wanted) + 128 * len(wanted)
    given = "".join(f"{blob}\n" for blob, _ in wanted).encode()
    contents = _split(await copy.read("cat-file", "--batch", given=given, most=most), wanted)
    return {path: contents[blobs[path]] for path in sizes}


def _split(out: bytes, wanted: Iterable[tuple[str, int]]) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    at = 0
    for blob, size in wanted:
        head = f"{blob} blob {size}\n".encode()
        if not out.startswith(head, at) or len(out) < at + len(head) + size + 1:
            raise _lacks(blob)
        at += len(head)
        contents[blob] = out[at : at + size]
        at += size + 1
    return contents


def _lacks(blob: str) -> GitDamaged:
    return GitDamaged(
        f"the copy of the repository does not hold the blob {blob[:12]} as it was listed",
        remedy="nothing: it is fetched anew as soon as the remote can be reached",
    )


@dataclass(frozen=True, slots=True)
class _Row:
    mode: str
    kind: str
    id: str
    size: int
    path: str

    @classmethod
    def of(cls, line: bytes) -> _Row:
        head, _, path = line.partition(b"\t")
        mode, kind, identity, size = head.decode("ascii").split()
        if kind == "blob" and not size.isdigit():
            raise _lacks(identity)
        return cls(mode, kind, identity, int(size) if kind == "blob" else 0, os.fsdecode(path))
