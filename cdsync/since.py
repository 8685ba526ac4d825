"""What changed in a config root since a commit, so that a reviewer sees which rows of a plan come from it.

The commit is compared from where the histories part, with what lies in the folder now, uncommitted changes included.
Only git is asked, and nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from cdsync.config import Configuration, declared_addresses, declares_anything
from cdsync.core.origin import Since
from cdsync.errors import CdsyncError
from cdsync.revision import ask_git

PATIENCE = 30.0
"""Seconds that git may take to answer."""

YAML_SUFFIXES = frozenset({".yaml", ".yml"})


def since(ref: str, configuration: Configuration) -> Since:
    """Compare a config root with a commit, named as git takes it: a branch, a tag, an id, `HEAD~3`.

    A resource counts as changed when a file that declares it or holds its inputs has changed, and also when such a file
    declared it then and nothing does now.

    Raises:
        CdsyncError: it names no commit, the root is in no git work tree, or git cannot be asked.
    """
    root = configuration.settings.root
    if configuration.sources and not declares_anything(root):
        raise CdsyncError(
            "the declaration is that of the repository which the daemon follows, and not of this folder",
            remedy="run plan --since in a checkout of that repository",
        )
    base = _base(root, ref)
    changed = _changed(root, base)
    files = {file for file in configuration.files if _touched(root, file, changed)}
    now = {address for address, sources in configuration.sources.items() if not files.isdisjoint(sources)}
    before = {
        address
        for file in changed
        if PurePosixPath(file).suffix in YAML_SUFFIXES
        for address in declared_addresses(_text_at(root, base, file))
    }
    gone = {file for file in changed if PurePosixPath(file).suffix in YAML_SUFFIXES and not (root / file).exists()}
    return Since(
        ref=ref,
        base=base[:12],
        files=tuple(sorted(files | gone)),
        addresses=frozenset(now | (before - configuration.sources.keys())),
    )


def _base(root: Path, ref: str) -> str:
    """The commit where the history of the root and that of a ref part."""
    if _git(root, "rev-parse", "--is-inside-work-tree") is None:
        raise CdsyncError(f"{root} is in no git work tree, so that nothing can be compared", remedy="leave out --since")
    unusable = ref.startswith("-") or "\0" in ref
    commit = None if unusable else _git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if commit is None:
        raise CdsyncError(
            f"--since {ref!r} names no commit",
            remedy="name a branch, a tag or a commit that is here; a shallow clone may lack it: git fetch",
        )
    base = _git(root, "merge-base", commit.strip(), "HEAD")
    if base is None:
        raise CdsyncError(
            f"--since {ref!r} has no history in common with what is checked out",
            remedy="fetch more of it: git fetch --unshallow (in CI: fetch-depth: 0)",
        )
    return base.strip()


def _changed(root: Path, base: str) -> frozenset[str]:
    """The files below the root that differ from a commit or are not known to git, relative to the root."""
    differing = _git(root, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--relative", base, "--", ".")
    unknown = _git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", ".")
    if differing is None or unknown is None:
        raise CdsyncError(f"git cannot compare {root} with {base}", remedy="look at: git status")
    return frozenset(name for text in (differing, unknown) for name in text.split("\0") if name)


def _touched(root: Path, file: str, changed: frozenset[str]) -> bool:
    """Whether a file has changed: itself, a link on the way to it, or what it leads to."""
    paths = (PurePosixPath(name) for name in _names(root, file))
    return any(str(part) in changed for path in paths for part in (path, *path.parents))


def _names(root: Path, file: str) -> Iterable[str]:
    yield file
    real = os.path.relpath(os.path.realpath(root / file), os.path.realpath(root))
    if real != file:
        yield real


def _text_at(root: Path, commit: str, file: str) -> str:
    """The text of a file at a commit; empty where it was not there yet."""
    return _git(root, "show", "--no-textconv", f"{commit}:./{file}") or ""


def _git(root: Path, *arguments: str) -> str | None:
    return ask_git(root, *arguments, patience=PATIENCE)
