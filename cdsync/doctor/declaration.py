"""Whether what is declared is valid, and which commit it is at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cdsync.assembly import Surroundings, read_configuration
from cdsync.core.findings import Finding, fail, ok, warn
from cdsync.errors import CdsyncError, ConfigError
from cdsync.render.lines import counted
from cdsync.revision import git_version, revision_of, why_no_revision

SHOWN = 5
"""How many problems are shown; `validate` shows them all."""


def look_at_declaration(around: Surroundings) -> Iterator[Finding]:
    """The whole root, by the one loader."""
    try:
        configuration = read_configuration(around)
    except ConfigError as error:
        for problem in error.problems[:SHOWN]:
            yield fail("declaration", str(problem))
        if len(error.problems) > SHOWN:
            yield fail("declaration", f"and {len(error.problems) - SHOWN} more problems", "cdsync validate")
        return
    except CdsyncError as error:
        yield fail("declaration", str(error), error.remedy)
        return
    for warning in configuration.warnings:
        yield warn("declaration", str(warning))
    resources, files = len(configuration.desired.resources), len(configuration.files)
    yield ok("declaration", f"{counted(resources, 'resource')} in {counted(files, 'file')}")


def look_at_git(root: Path) -> Iterator[Finding]:
    """The git program, and the commit of the root; without either all works, but nobody knows by which commit."""
    version = git_version()
    if version is None:
        yield warn("git", "the git program is not there, so history names no commit", "install git")
        return
    yield ok("git", version)
    revision = revision_of(root)
    if revision is None:
        said = why_no_revision(root) or "git names no commit"
        yield warn("git", f"{root} has no commit: {said}", _way_out(said, root))
    elif revision.endswith("-dirty"):
        yield warn("git", f"{root} is at {revision}: it holds changes that no commit has", "commit them")
    else:
        yield ok("git", f"{root} is at {revision}")


def _way_out(said: str, root: Path) -> str | None:
    if "dubious ownership" in said:
        return f"git config --system --add safe.directory {root}"
    return "keep the declaration in git, so that history can name commits" if "not a git" in said else None
