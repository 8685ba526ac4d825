"""The bare copy of a repository that cdsync keeps: no work tree that could be half written, no index to be locked.

Whatever git cannot do here is a damage of the copy, because nobody else writes it; the copy is then made anew beside it
and put in its place. Only a fetch may also fail for reasons of the remote.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from cdsync.core.gitnames import is_commit
from cdsync.errors import GitDamaged, GitError
from cdsync.gitsource.access import Access
from cdsync.gitsource.complaints import essence, unreachable
from cdsync.gitsource.program import MOST_OUTPUT, Answer, Git

_INCOMING = "refs/cdsync/incoming"
_GOOD = "refs/cdsync/good"
_SHORT = 1024 * 1024

_COLLECTION = {"gc.auto": "3000", "gc.autoPackLimit": "50"}
"""After how many loose objects and packs they are put into one pack."""


class Copy:
    """One bare repository, of which `place` is the folder; `key` tells apart what it is a copy of."""

    def __init__(self, place: Path, *, key: str, git: Git, access: Access) -> None:
        self.place = place
        self._good = f"{_GOOD}/{key}"
        self.git = git
        self._access = access

    async def prepare(self, *, like: str) -> None:
        """Make it if it is not there; `like` is an object id of the kind that it will hold.

        Raises:
            GitError: it cannot be made.
        """
        former = _beside(self.place, "old")
        if former.exists() and not self.place.exists():
            former.rename(self.place)
        if (self.place / "HEAD").exists():
            return
        kind = "sha256" if len(like) == 64 else "sha1"
        command = ("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", "--end-of-options")
        answer = await self.git.run(*command, str(self.place))
        if answer.code != 0:
            raise GitError(
                f"{self.place} cannot be made: {essence(answer.err, self._access)}",
                remedy="see whether the folder of the state can be written, and git is 2.34 or newer",
            )

    async def has(self, commit: str) -> bool:
        """Whether a commit is here; a copy that cannot say so has it not."""
        answer = await self._run("cat-file", "-e", f"{commit}^{{commit}}")
        return answer.code == 0

    async def fetch(self, url: str, name: str, *, shallow: bool) -> str:
        """Bring what a ref of the remote names, with all that led to it unless `shallow`; gives the commit.

        Raises:
            GitUnreachable: the remote does not give it, or not in time.
            GitDamaged: it came, and is not here.
        """
        options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--update-shallow"]
        options += ["--depth=1"] if shallow else []
        answer = await self._run("fetch", *options, "--end-of-options", url, f"+{name}:{_INCOMING}")
        if answer.code != 0:
            raise unreachable("fetch", answer.err, self._access)
        found = await self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{_INCOMING}^{{commit}}")
        commit = found.out.decode("ascii", "replace").strip()
        if found.code != 0 or not is_commit(commit):
            raise GitDamaged(f"what {name!r} names is no commit", remedy="let daemon.git.ref name a branch or a tag")
        return commit

    async def good(self) -> str | None:
        """The last good commit, if one is remembered and still here."""
        if not (self.place / "HEAD").exists():
            return None
        found = await self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{self._good}^{{commit}}")
        commit = found.out.decode("ascii", "replace").strip()
        return commit if found.code == 0 and is_commit(commit) else None

    def remembered(self) -> str | None:
        """The last good commit as it is written down, also when the copy around it is damaged."""
        with suppress(OSError, ValueError):
            text = (self.place / self._good).read_text(encoding="ascii").strip()
            return text if is_commit(text) else None
        return None

    async def set_good(self, commit: str) -> None:
        """Remember a commit as the last good one, durably.

        Raises:
            GitDamaged: it cannot be written down.
        """
        answer = await self._run("update-ref", "--end-of-options", self._good, commit)
        if answer.code != 0:
            raise self._damaged(answer)

    async def descends(self, commit: str, *, of: str) -> bool:
        """Whether a commit has another one among its ancestors, or is the same.

        Raises:
            GitDamaged: the copy cannot say.
        """
        if commit == of:
            return True
        if not await self.has(of):
            return False
        answer = await self._run("merge-base", "--is-ancestor", of, commit)
        if answer.code not in {0, 1}:
            raise self._damaged(answer)
        return answer.code == 0

    async def read(self, *arguments: str, given: bytes = b"", most: int = MOST_OUTPUT) -> bytes:
        """The output of a git command that only reads the copy.

        Raises:
            GitDamaged: it fails.
        """
        answer = await self._run(*arguments, given=given, most=most)
        if answer.code != 0:
            raise self._damaged(answer)
        return answer.out

    async def ask(self, *arguments: str, settings: dict[str, str], more: dict[str, str] | None = None) -> Answer:
        """The answer of a git command that reads the copy and may say no."""
        return await self.git.run(*arguments, repository=self.place, settings=settings, more=more, most=_SHORT)

    async def tidy(self) -> None:
        """Pack what fetches have brought, when it has become much; that it cannot be done now does no harm."""
        with suppress(GitError):
            await self.git.run("gc", "--auto", "--quiet", repository=self.place, settings=_COLLECTION, most=_SHORT)

    def fresh(self) -> Copy:
        """An empty one beside this, which may take its place; whatever was left there by another try is removed."""
        fresh = Copy(_beside(self.place, "new"), key=self._good.rsplit("/", 1)[1], git=self.git, access=self._access)
        fresh.discard()
        return fresh

    def discard(self) -> None:
        """Remove it."""
        shutil.rmtree(self.place, ignore_errors=True)

    def replace_with(self, fresh: Copy) -> None:
        """Let another one take this one's place; at no time is there none."""
        former = _beside(self.place, "old")
        shutil.rmtree(former, ignore_errors=True)
        if self.place.exists():
            self.place.rename(former)
        fresh.place.rename(self.place)
        shutil.rmtree(former, ignore_errors=True)

    async def _run(self, *arguments: str, given: bytes = b"", most: int = _SHORT) -> Answer:
        return await self.git.run(*arguments, repository=self.place, given=given, most=most)

    def _damaged(self, answer: Answer) -> GitDamaged:
        return GitDamaged(
            f"the copy of the repository in {self.place} is damaged: {essence(answer.err, self._access)}",
            remedy="nothing: it is fetched anew as soon as the remote can be reached",
        )


def _beside(place: Path, suffix: str) -> Path:
    return place.with_name(f"{place.name}.{suffix}")
