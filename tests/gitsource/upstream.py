"""Real repositories made with the real git: a bare one to fetch from, and somebody who pushes to it."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cdsync.gitsource import Declared, GitSource
from cdsync.references import References
from cdsync.settings import GitSettings, Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN = "runs:\n  {}: {{action: a, inputs: [{{}}]}}\n"
REAL_GIT = shutil.which("git") or "git"

_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


def git(folder: Path, *arguments: str, given: bytes | None = None, **environment: str) -> str:
    """Run git in a folder; gives what it says."""
    done = subprocess.run(
        [REAL_GIT, "-C", str(folder), *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **_ALONE, **environment},
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


@dataclass(frozen=True, slots=True)
class Upstream:
    """A bare repository at `bare`, and a work tree from which commits are pushed to it."""

    bare: Path
    work: Path

    @classmethod
    def at(cls, folder: Path) -> Upstream:
        """An empty one, whose first branch is main."""
        made = cls(folder / "upstream.git", folder / "work")
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q", "--bare", "-b", "main", str(made.bare))
        git(folder, "init", "-q", "-b", "main", str(made.work))
        git(made.work, "remote", "add", "origin", str(made.bare))
        return made

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files into the work tree; None removes one."""
        for name, content in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes | None] | None = None, *options: str) -> str:
        """Commit files; gives the commit."""
        self.write(files or {})
        git(self.work, "add", "-A")
        git(self.work, *options, "commit", "-q", "--allow-empty", "-m", "change")
        return git(self.work, "rev-parse", "HEAD")

    def push(self, files: Mapping[str, str | bytes | None] | None = None, *, to: str = "main") -> str:
        """Commit files and push them to a branch; gives the commit."""
        commit = self.commit(files)
        self.send(to)
        return commit

    def send(self, to: str = "main") -> None:
        """Push what is committed to a branch, also over another history."""
        git(self.work, "push", "-q", "--force", "origin", f"HEAD:refs/heads/{to}")


@dataclass(slots=True)
class Machine:
    """A machine with a config root and a state, that takes its declaration from a repository."""

    folder: Path
    git: GitSettings
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"]})
    settings: Settings = field(init=False)
    source: GitSource = field(init=False)

    def __post_init__(self) -> None:
        root = self.folder / "root"
        root.mkdir(parents=True, exist_ok=True)
        self.settings = Settings(root=root, state=self.folder / "state" / "state.db", results=root / "results")
        self.restart()

    def restart(self) -> None:
        """Forget everything that is only in memory."""
        references = References(root=self.settings.root, environment=self.environment)
        self.source = GitSource(
            self.git, state=self.settings.state, references=references, environment=self.environment
        )

    @property
    def copy(self) -> Path:
        """The bare copy that is kept."""
        return self.settings.state.parent / "git" / "repository"

    async def latest(self) -> Declared:
        """Look at the remote and take what is there."""
        return await self.source.latest(self.settings, now=NOW)

    async def good(self) -> Declared | None:
        """The last good commit."""
        return await self.source.good(self.settings, now=NOW)

    async def names(self) -> list[str]:
        """The names of what the remote declares now."""
        return [address.name for address in (await self.latest()).configuration.desired.resources]

    def put_on_path(self, program: str, script: str) -> None:
        """Let a script stand in the way of a program."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / program
        path.write_text(f"#!{sys.executable} -IS\n{script}", encoding="utf-8")
        path.chmod(0o755)
        if not self.environment["PATH"].startswith(f"{folder}:"):
            self.environment["PATH"] = f"{folder}:{self.environment['PATH']}"

    def record(self) -> Callable[[], list[list[str]]]:
        """Write down every run of git from here on; gives what reads the arguments of those since the last reading."""
        log = self.folder / "runs"
        log.write_text("", encoding="utf-8")
        self.put_on_path(
            "git",
            f"import os, sys\nwith open({str(log)!r}, 'a') as log:\n    print(repr(sys.argv[1:]), file=log)\n"
            f"os.execv({REAL_GIT!r}, ['git', *sys.argv[1:]])\n",
        )

        def runs() -> list[list[str]]:
            lines = log.read_text(encoding="utf-8").splitlines()
            log.write_text("", encoding="utf-8")
            return [_without_settings([str(word) for word in _words(line)]) for line in lines]

        return runs


def _words(line: str) -> list[str]:
    return [word for word in line.strip("[]").replace("', '", "\0").strip("'").split("\0") if word]


def _without_settings(words: list[str]) -> list[str]:
    rest = iter(words)
    kept: list[str] = []
    for word in rest:
        if word == "-c":
            next(rest)
        elif not word.startswith("--git-dir="):
            kept.append(word)
    return kept


def settings_for(upstream: Upstream, **more: object) -> GitSettings:
    """Settings that follow an upstream, with a limit that no healthy run comes near."""
    values: dict[str, object] = {"url": str(upstream.bare), "timeout": timedelta(seconds=60), **more}
    return GitSettings(**values)  # type: ignore[arg-type]


def is_over(pid: int, *, within: float = 30.0) -> bool:
    """Whether a process has come to its end, or does so soon."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(within * 1000))
    finally:
        os.close(handle)
