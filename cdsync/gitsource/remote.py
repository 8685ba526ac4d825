"""What a remote shows: where its refs are, without fetching anything."""

from __future__ import annotations

from dataclasses import dataclass

from cdsync.core.gitnames import HEAD, is_commit
from cdsync.errors import GitError
from cdsync.gitsource.access import Access
from cdsync.gitsource.complaints import unreachable
from cdsync.gitsource.program import Git

MOST_REFS = 1024 * 1024
"""Bytes that the few refs that are asked for may take."""

_PEELED = "^{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a ref is: its full name, the object it names, and the commit that comes of it."""

    name: str
    object: str
    commit: str


async def look(git: Git, url: str, ref: str, *, access: Access) -> Target:
    """Ask the remote where a ref is; a full commit id is where it is, and needs no asking.

    Raises:
        GitUnreachable: the remote cannot be asked.
        GitError: it has no such ref, or two.
    """
    if is_commit(ref):
        return Target(name=ref, object=ref, commit=ref)
    names = _names(ref)
    answer = await git.run("ls-remote", "--quiet", "--end-of-options", url, *names, most=MOST_REFS)
    if answer.code != 0:
        raise unreachable("look at the remote", answer.err, access)
    rows = [line.split("\t", 1) for line in answer.out.decode("utf-8", "replace").splitlines()]
    # What is asked for is matched like the end of a path, so more may be shown than was meant.
    shown = {row[1]: row[0] for row in rows if len(row) == 2 and row[1] in names and is_commit(row[0])}
    found = [name for name in names if name in shown and not name.endswith(_PEELED)]
    if not found:
        raise _missing(ref)
    if len(found) > 1:
        raise GitError(f"{ref!r} is a branch and a tag", remedy=f"let daemon.git.ref be {' or '.join(found)}")
    name = found[0]
    return Target(name=name, object=shown[name], commit=shown.get(name + _PEELED, shown[name]))


def _names(ref: str) -> tuple[str, ...]:
    if ref == HEAD:
        return (HEAD,)
    full = (ref,) if ref.startswith("refs/") else (f"refs/heads/{ref}", f"refs/tags/{ref}")
    return (*full, *(name + _PEELED for name in full if not name.startswith("refs/heads/")))


def _missing(ref: str) -> GitError:
    if ref == HEAD:
        return GitError(
            "the repository is empty, or the branch that it shows first does not exist",
            remedy="push a commit, or let daemon.git.ref name a branch",
        )
    return GitError(
        f"the repository has no branch or tag {ref!r}",
        remedy="push it again, or let daemon.git.ref name one that is there; the last good commit is kept until then",
    )
