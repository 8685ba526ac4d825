"""Whether the repository of the declaration can be reached, and which commit of it is in force; nothing is fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from cdsync.assembly import Surroundings, git_source
from cdsync.core.findings import Finding, fail, ok, warn
from cdsync.core.revisions import short_revision
from cdsync.errors import CdsyncError, StoreError
from cdsync.gitsource import GitSource
from cdsync.render.refused import refused_sentence
from cdsync.revision import git_version
from cdsync.settings import Settings
from cdsync.store import open_reader, refused_commit


async def look_at_repository(settings: Settings, around: Surroundings) -> AsyncIterator[Finding]:
    """The git program, the remote, and what the daemon has taken from it; nothing where it takes nothing from git."""
    git = settings.daemon.git
    if git is None:
        return
    version = git_version()
    if version is None:
        yield fail("git", "the git program is not there", "install git")
        return
    yield ok("git", version)
    source = git_source(git, settings, around)
    yield await _remote(source)
    yield await _last_good(source, settings, around)
    # A state that cannot be read is told where the state is looked at.
    with suppress(StoreError), open_reader(settings.state) as store:
        if (refused := refused_commit(store)) is not None:
            yield fail("newest commit", refused_sentence(refused), refused.remedy)


async def _remote(source: GitSource) -> Finding:
    try:
        await source.moved()
    except CdsyncError as error:
        return fail("repository", str(error), error.remedy)
    return ok("repository", f"{source.git.url} can be read, and has {source.git.ref}")


async def _last_good(source: GitSource, settings: Settings, around: Surroundings) -> Finding:
    try:
        found = await source.good(settings, now=around.now())
    except CdsyncError as error:
        return fail("last good commit", str(error), error.remedy)
    if found is None:
        return warn("last good commit", "the daemon has taken up none yet", "cdsync daemon --once")
    return ok("last good commit", short_revision(found.commit))
