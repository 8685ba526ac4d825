"""Runs the git program: with a list of arguments, never a shell, cut off from everything but what it is given.

One time limit holds for each run, and is enforced from outside: the whole process group is killed, so that a transport
that hangs goes with it. No prompt is waited for, no configuration of the user or the system is read, and no protocol is
spoken but the one of the URL.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cdsync.core.gitnames import Transport
from cdsync.errors import GitError, GitTimedOut

MOST_OUTPUT = 64 * 1024 * 1024
"""Bytes that git may answer where nothing else is said."""

LAST_WORDS = 5.0
"""Seconds in which the pipes of a program that has ended must come to their end."""

MOST_COMPLAINT = 16 * 1024
"""Bytes of its error output that are kept, from the start."""

_KEPT = (
    *("PATH", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
)
"""What of this process's environment git may see."""

_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PROTOCOL_FROM_USER": "0",
    "LC_ALL": "C",
}

_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.autoDetach": "false",
    "http.followRedirects": "false",
    "protocol.version": "2",
    "transfer.bundleURI": "false",
}
"""What git is told by its command line; none of it is a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a run of git ended: its exit code, its output, and the start of its complaints."""

    code: int
    out: bytes
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The program, as it is run for one source.

    `folder` is where it runs, a folder of our own without a repository in it; `limit` is how many seconds one run may
    take. `access` holds what it takes to be let in, and is shown nowhere.
    """

    folder: Path
    limit: float
    transport: Transport
    environment: Mapping[str, str] = field(repr=False)
    access: Mapping[str, str] = field(default_factory=dict, repr=False)

    async def run(
        self,
        *arguments: str,
        repository: Path | None = None,
        given: bytes = b"",
        most: int = MOST_OUTPUT,
        settings: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run git to its end, whatever that is.

        `given` is its input, `most` the bytes that it may answer, `settings` its further configuration, `more` what
        else its environment holds.

        Raises:
            GitTimedOut: it has not ended within the limit, and was killed.
            GitError: there is no git, or it answers more than it may.
        """
        command = ["git", *_told({**_SETTINGS, **(settings or {})})]
        command += [f"--git-dir={repository}"] if repository else []
        surroundings = {**self._surroundings(), **(more or {})}
        return await self._run(f"git {arguments[0]}", [*command, *arguments], surroundings, given=given, most=most)

    async def run_gpg(self, *arguments: str) -> Answer:
        """Run gpg, which git runs as well, under the same rules.

        Raises:
            GitTimedOut: it has not ended within the limit, and was killed.
            GitError: there is no gpg.
        """
        return await self._run("gpg", ["gpg", *arguments], self._surroundings(), given=b"", most=MOST_OUTPUT)

    async def _run(
        self, name: str, command: list[str], environment: Mapping[str, str], *, given: bytes, most: int
    ) -> Answer:
        process = await self._start(command, environment, has_input=bool(given))
        try:
            async with asyncio.timeout(self.limit):
                _, out, err = await asyncio.gather(
                    _feed(process.stdin, given), _read(process, most), _read_start(process.stderr)
                )
                code = await process.wait()
        except TimeoutError:
            raise GitTimedOut(
                f"{name} has not ended within {self.limit:g} s, and was killed",
                remedy="see whether the remote can be reached, or raise daemon.git.timeout",
            ) from None
        finally:
            await _end(process)
        if out is None:
            raise GitError(
                f"{name} answers more than {most // 1024 // 1024} MiB",
                remedy="let daemon.git.path name a folder with fewer files",
            )
        return Answer(code=code, out=out, err=err)

    async def _start(
        self, command: list[str], environment: Mapping[str, str], *, has_input: bool
    ) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE if has_input else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self.folder,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise GitError(
                f"the program {command[0]} cannot be started: {error.strerror}",
                remedy=f"install {command[0]}, and have it on PATH",
            ) from None

    def _surroundings(self) -> dict[str, str]:
        kept = {name: self.environment[name] for name in _KEPT if name in self.environment}
        own = {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
            "GIT_CEILING_DIRECTORIES": str(self.folder.parent),
            "GIT_ALLOW_PROTOCOL": self.transport,
        }
        return {**kept, **_ALONE, **own, **self.access}


def _told(settings: Mapping[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


async def _feed(channel: asyncio.StreamWriter | None, given: bytes) -> None:
    if channel is not None:
        with suppress(BrokenPipeError, ConnectionResetError):
            channel.write(given)
            await channel.drain()
        channel.close()


async def _read(process: asyncio.subprocess.Process, most: int) -> bytes | None:
    """All that comes; None if that is more than may come, after which the program is killed."""
    parts: list[bytes] = []
    size = 0
    while process.stdout is not None and (part := await process.stdout.read(1024 * 1024)):
        size += len(part)
        if size > most:
            _kill(process)
            # Asyncio calls a program ended once its pipes are, and stops reading a pipe that nobody empties.
            await _empty(process.stdout)
            return None
        parts.append(part)
    return b"".join(parts)


async def _read_start(stream: asyncio.StreamReader | None) -> str:
    kept = b""
    while stream is not None and (part := await stream.read(64 * 1024)):
        kept = (kept + part)[:MOST_COMPLAINT]
    return kept.decode("utf-8", "replace")


async def _empty(stream: asyncio.StreamReader) -> None:
    while await stream.read(1024 * 1024):
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let nothing of a run outlive it: as long as something is to be read, somebody of its process group lives."""
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    if process.returncode is None or not all(stream.at_eof() for stream in streams):
        _kill(process)
    # What is left in the pipes is read, as they are closed no sooner, and the program is not called ended before that.
    # Whoever has left the process group may hold them for longer than anybody wants to wait.
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_WORDS):
            await asyncio.gather(process.wait(), *map(_empty, streams))


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
