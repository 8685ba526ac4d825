"""The git program: bounded in time and output, cut off, and never handed an option by mistake."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from watchfiles import awatch

from cdsync.errors import GitError, GitTimedOut
from cdsync.gitsource.program import LAST_WORDS, MOST_COMPLAINT, Git
from tests.gitsource.upstream import REAL_GIT, RUN, Machine, Upstream, is_over

ONE = {"a.yaml": RUN.format("one")}

HANGING = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if {verb!r} not in sys.argv:
    os.execv({git!r}, ['git', *sys.argv[1:]])
child = os.fork()
pathlib.Path({folder!r}, str(os.getpid())).touch()
time.sleep(600)
"""


def program(folder: Path, **environment: str) -> Git:
    """A git that runs in a folder, with ten seconds at most."""
    return Git(folder=folder, limit=10.0, transport="file", environment={"PATH": os.environ["PATH"], **environment})


def started(pids: Path) -> list[int]:
    """The processes that hang."""
    return [int(path.name) for path in pids.iterdir()]


@pytest.mark.parametrize("verb", ["ls-remote", "fetch", "ls-tree"])
def test_a_git_that_hangs_is_killed_with_all_that_it_started(upstream: Upstream, machine: Machine, verb: str) -> None:
    """The limit is enforced from outside, on the whole process group, whatever it ignores; and then it is told."""
    upstream.push(ONE)
    pids = machine.folder / "pids"
    pids.mkdir()
    machine.put_on_path("git", HANGING.format(verb=verb, git=REAL_GIT, folder=str(pids)))
    machine.git = replace(machine.git, timeout=timedelta(seconds=1))
    machine.restart()
    began = time.monotonic()
    with pytest.raises(GitTimedOut) as caught:
        asyncio.run(machine.latest())
    assert str(caught.value) == f"git {verb} has not ended within 1 s, and was killed"
    assert time.monotonic() - began < 30
    assert [is_over(pid) for pid in started(pids)] == [True, True]


def test_a_run_that_is_given_up_leaves_nothing_behind(machine: Machine, upstream: Upstream) -> None:
    """Whoever does not want to wait for the limit ends the run at once."""
    upstream.push(ONE)
    pids = machine.folder / "pids"
    pids.mkdir()
    machine.put_on_path("git", HANGING.format(verb="ls-remote", git=REAL_GIT, folder=str(pids)))
    machine.restart()

    async def scenario() -> None:
        task = asyncio.create_task(machine.latest())
        # What was there before the watch began is no change, so it looks now and then as well.
        async for _ in awatch(pids, step=20, rust_timeout=100, yield_on_timeout=True):
            if len(started(pids)) == 2:
                break
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(scenario())
    assert [is_over(pid) for pid in started(pids)] == [True, True]


ENDLESS = """
import fcntl, os
fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1024 * 1024)
{before}
while True:
    os.write(1, b'x' * 1024 * 1024)
"""


def test_an_answer_without_end_is_cut_off(machine: Machine) -> None:
    """A remote cannot fill the memory of the machine, nor leave a pipe open."""
    machine.put_on_path("git", ENDLESS.format(before=""))

    async def scenario() -> None:
        with pytest.raises(GitError, match="git ls-remote answers more than 1 MiB"):
            await machine.latest()

    for _ in range(5):
        asyncio.run(scenario())
    # Whatever was left open is told now, and not in the middle of another test.
    gc.collect()


def test_what_a_killed_program_leaves_in_its_pipe_holds_nobody_up(machine: Machine) -> None:
    """Neither when it is cut off nor when its time is over, and not even if it closed its complaints first."""
    machine.put_on_path("git", ENDLESS.format(before="os.close(2)"))
    began = time.monotonic()
    with pytest.raises(GitError, match="git ls-remote answers more than 1 MiB"):
        asyncio.run(machine.latest())
    assert time.monotonic() - began < LAST_WORDS


def test_a_run_given_up_while_its_pipe_is_full_ends_at_once(tmp_path: Path, machine: Machine) -> None:
    """Nobody reads any more when a task is cancelled; what is left in the pipe is read all the same."""
    sign = tmp_path / "started"
    os.mkfifo(sign)
    machine.put_on_path("git", ENDLESS.format(before=f"os.close(2); open({str(sign)!r}, 'w').close()"))
    git = program(tmp_path, **machine.environment)

    async def scenario() -> float:
        task = asyncio.create_task(git.run("ls-remote", most=1024 * 1024 * 1024))
        await asyncio.to_thread(sign.read_bytes)
        task.cancel()
        began = time.monotonic()
        await asyncio.wait({task})
        assert task.cancelled()
        return time.monotonic() - began

    assert asyncio.run(scenario()) < LAST_WORDS


def test_a_complaint_without_end_is_shortened(tmp_path: Path, machine: Machine) -> None:
    """Only the start of what git complains of is kept, and less of it is shown."""
    machine.put_on_path("git", "import sys\nsys.stderr.write('fatal: no\\n' * 100_000)\nsys.exit(128)\n")
    answer = asyncio.run(program(tmp_path, **machine.environment).run("version"))
    assert len(answer.err) == MOST_COMPLAINT
    with pytest.raises(GitError) as caught:
        asyncio.run(machine.latest())
    assert len(str(caught.value)) < 400


def test_a_machine_without_git_is_told_so(tmp_path: Path) -> None:
    """It says what is missing."""
    with pytest.raises(GitError) as caught:
        asyncio.run(program(tmp_path, PATH=str(tmp_path)).run("version"))
    assert str(caught.value) == "the program git cannot be started: No such file or directory"
    assert caught.value.remedy == "install git, and have it on PATH"


def test_no_configuration_of_anybody_has_a_say(tmp_path: Path, upstream: Upstream, machine: Machine) -> None:
    """Neither the user's files and variables nor a repository around the state can send git elsewhere."""
    upstream.push(ONE)
    trap = f'[url "ext::touch {tmp_path}/trapped "]\n\tinsteadOf = {tmp_path}\n[core]\n\tsshCommand = touch trapped\n'
    for name in (".gitconfig", ".config/git/config", ".git/config"):
        for folder in (machine.folder, machine.settings.state.parent):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(trap, encoding="utf-8")
    for path in (machine.folder / ".git", machine.settings.state.parent / ".git"):
        (path / "objects").mkdir()
        (path / "refs").mkdir()
        (path / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    machine.environment |= {
        "HOME": str(machine.folder),
        "GIT_CONFIG_GLOBAL": str(machine.folder / ".gitconfig"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "protocol.ext.allow",
        "GIT_CONFIG_VALUE_0": "always",
        "GIT_DIR": str(machine.folder / ".git"),
        "GIT_ALLOW_PROTOCOL": "ext",
        "GIT_SSH_COMMAND": "touch trapped",
        "GIT_TRACE": str(tmp_path / "trapped"),
    }
    machine.restart()
    assert asyncio.run(machine.names()) == ["one"]
    assert list(tmp_path.rglob("trapped")) == []


@pytest.mark.parametrize("url", ["ext::sh -c 'touch trapped'", "fd::1", "--upload-pack=touch trapped"])
def test_a_url_that_slipped_through_is_still_no_command(tmp_path: Path, url: str) -> None:
    """Also where nothing has checked it, git takes it for no option, and speaks no protocol that runs a program."""
    answer = asyncio.run(program(tmp_path).run("ls-remote", "--end-of-options", url, "HEAD"))
    assert answer.code != 0
    assert list(tmp_path.rglob("trapped")) == []


def test_hooks_and_filters_are_not_run(tmp_path: Path, upstream: Upstream, machine: Machine) -> None:
    """What a tree says about attributes is content, and a hook that lies in the copy is never called."""
    upstream.push(ONE)
    asyncio.run(machine.latest())
    hooks = machine.copy / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-update", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/trapped\n", encoding="ascii")
        (hooks / name).chmod(0o755)
    later = {"a.yaml": RUN.format("two").replace("\n", "\r\n")}
    upstream.push({**later, ".gitattributes": "*.yaml filter=lfs eol=crlf\n"})
    assert asyncio.run(machine.names()) == ["two"]
    assert list(tmp_path.rglob("trapped")) == []
