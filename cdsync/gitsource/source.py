"""The declaration as a repository has it: look, fetch when it moved, hold it to the rules, read it, remember it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cdsync.config import Configuration
from cdsync.core.gitnames import is_commit, transport_of
from cdsync.errors import CommitRefused, ConfigError, GitDamaged, GitError, GitTimedOut
from cdsync.gitsource.access import Access, access_to
from cdsync.gitsource.copy import Copy
from cdsync.gitsource.declaration import read_declaration
from cdsync.gitsource.program import Git
from cdsync.gitsource.remote import Target, look
from cdsync.gitsource.signature import verify
from cdsync.logs import logger
from cdsync.references import References
from cdsync.settings import GitSettings, Settings

FOLDER = "git"
"""Beside the state: where the copy is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a commit declares; `commit` is its full id."""

    commit: str
    configuration: Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What came of an object that the remote's ref was at, under these settings: it need not be looked at twice.

    `signers` tells the file of those who may sign from another one in its place.
    """

    object: str
    settings: Settings
    signers: tuple[int, int] | None
    result: Declared | ConfigError | CommitRefused


class GitSource:
    """One ref of one repository. Calls are made one at a time.

    `environment` is that of this process, of which git sees little; `references` is where the secrets are looked up,
    anew for each look, so that a rotated token is taken up.
    """

    def __init__(
        self, git: GitSettings, *, state: Path, references: References, environment: Mapping[str, str]
    ) -> None:
        self.git = git
        self._folder = state.parent / FOLDER
        self._references = references
        self._environment = environment
        self._outcome: _Outcome | None = None

    async def moved(self) -> bool:
        """Ask the remote whether its ref is elsewhere than when `latest` looked; nothing is fetched or written.

        Raises:
            GitUnreachable: the remote cannot be asked.
            GitError: it has no such ref.
            UnresolvedReference: a secret is not there.
        """
        access = access_to(self.git, self._references)
        with _own_folder(), tempfile.TemporaryDirectory(prefix="cdsync-git-") as elsewhere:
            folder = self._folder if self._folder.is_dir() else Path(elsewhere)
            target = await look(self._program(access, folder), self.git.url, self.git.ref, access=access)
        return self._outcome is None or self._outcome.object != target.object

    async def latest(self, settings: Settings, *, now: datetime) -> Declared:
        """What the remote's ref declares now; it is the last good commit from then on.

        Raises:
            ConfigError: something in it is wrong.
            CommitRefused: it is not signed as it must be, or is no descendant of the last good one.
            GitError: it cannot be had.
            UnresolvedReference: a secret is not there.
        """
        access = access_to(self.git, self._references)
        with _own_folder():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return await self._latest(settings, now, access)

    async def _latest(self, settings: Settings, now: datetime, access: Access) -> Declared:
        program = self._program(access, self._folder)
        target = await look(program, self.git.url, self.git.ref, access=access)
        signers = _stamp(self.git.allowed_signers or self.git.keyring)
        known = self._outcome
        if known is None or (known.object, known.settings, known.signers) != (target.object, settings, signers):
            result = await self._judged(target, settings, now, copy=self._copy(program, access))
            known = self._outcome = _Outcome(object=target.object, settings=settings, signers=signers, result=result)
        if isinstance(known.result, Declared):
            return known.result
        raise known.result.with_traceback(None)

    async def good(self, settings: Settings, *, now: datetime) -> Declared | None:
        """What the last good commit declares, without asking the remote; None if none is remembered.

        Raises:
            CommitRefused: it is not signed as it must be by now.
            ConfigError: something in it is wrong by now.
            GitError: it cannot be read.
        """
        if not self._folder.is_dir():
            return None
        program = self._program(Access(), self._folder)
        copy = self._copy(program, Access())
        with _own_folder():
            commit = await copy.good()
            if commit is None and copy.remembered() is None:
                return None
            if commit is None:
                raise _lost(copy)
            await verify(copy, commit, git=self.git, program=program)
            return await self._read(copy, commit, settings, now)

    def _program(self, access: Access, folder: Path) -> Git:
        return Git(
            folder=folder,
            limit=self.git.timeout.total_seconds(),
            transport=transport_of(self.git.url),
            environment=self._environment,
            access=access.environment,
        )

    def _copy(self, program: Git, access: Access) -> Copy:
        key = hashlib.sha256(f"{self.git.url}\n{self.git.ref}".encode()).hexdigest()[:16]
        return Copy(self._folder / "repository", key=key, git=program, access=access)

    async def _judged(
        self, target: Target, settings: Settings, now: datetime, *, copy: Copy
    ) -> Declared | ConfigError | CommitRefused:
        """What comes of a commit as long as the ref is there; what may be over by the next look is raised instead."""
        try:
            try:
                commit = await self._bring(copy, target)
                return await self._taken(copy, commit, settings, now)
            except GitDamaged as damage:
                commit = await self._bring_anew(copy, target, because=damage)
                return await self._taken(copy, commit, settings, now)
        except (ConfigError, CommitRefused) as refusal:
            refusal.commit = target.commit
            return refusal

    async def _taken(self, copy: Copy, commit: str, settings: Settings, now: datetime) -> Declared:
        await self._hold_to_history(copy, commit, good=await copy.good())
        await verify(copy, commit, git=self.git, program=copy.git)
        declared = await self._read(copy, commit, settings, now)
        await copy.set_good(commit)
        await copy.tidy()
        return declared

    async def _read(self, copy: Copy, commit: str, settings: Settings, now: datetime) -> Declared:
        found = await read_declaration(copy, commit, path=self.git.path, settings=settings, now=now)
        return Declared(commit=commit, configuration=found)

    async def _bring(self, copy: Copy, target: Target) -> str:
        await copy.prepare(like=target.object)
        good = await copy.good()
        if good is None and copy.remembered() is not None:
            raise _lost(copy)
        if await copy.has(target.commit):
            return target.commit
        try:
            return await copy.fetch(self.git.url, target.name, shallow=self._is_shallow(good))
        except GitTimedOut:
            raise
        except GitError as failure:
            # The remote has just answered, so it may well be the copy that does not take what it gives.
            return await self._bring_anew(copy, target, because=failure)

    async def _bring_anew(self, copy: Copy, target: Target, *, because: GitError) -> str:
        """Fetch into an empty copy, which takes the place of this one if all goes well."""
        good = copy.remembered()
        fresh = copy.fresh()
        try:
            await fresh.prepare(like=target.object)
            shallow = self._is_shallow(good) or good == target.commit
            commit = await fresh.fetch(self.git.url, target.name, shallow=shallow)
            await self._hold_to_history(fresh, commit, good=good)
            if good is not None and await fresh.has(good):
                await fresh.set_good(good)
            copy.replace_with(fresh)
        finally:
            fresh.discard()
        logger().warning("git.fetched_anew", reason=str(because), last_good=good, commit=commit)
        return commit

    def _is_shallow(self, good: str | None) -> bool:
        """Whether the history is of no interest: nothing is to be compared with it."""
        return good is None or self.git.allow_rewind or is_commit(self.git.ref)

    async def _hold_to_history(self, copy: Copy, commit: str, *, good: str | None) -> None:
        if self.git.allow_rewind or good is None or await copy.descends(commit, of=good):
            return
        raise CommitRefused(
            f"commit {commit[:12]} is no descendant of {good[:12]}, the last good one: its history was rewritten",
            remedy="push a commit that descends from the last good one, or set daemon.git.allow_rewind",
        )


@contextmanager
def _own_folder() -> Iterator[None]:
    """Whatever the disk refuses is told as an error of ours."""
    try:
        yield
    except OSError as error:
        raise GitError(
            f"{error.filename}: the copy of the repository cannot be kept: {error.strerror}",
            remedy="see whether the folder of the state can be written, and the disk has room",
        ) from error


def _lost(copy: Copy) -> GitDamaged:
    return GitDamaged(
        f"the last good commit is missing from the copy of the repository in {copy.place}",
        remedy="nothing: it is fetched anew as soon as the remote can be reached",
    )


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found is not None else None
