"""What needs a terminal: a view that refreshes in place, and completion. Real pseudo-terminals and real shells."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.shell_completion import BashComplete, get_completion_class

from cdsync.cli.root import cli
from cdsync.core.model import Address, Hold, Kind
from cdsync.simulator import Fault, running
from cdsync.store import open_writer
from tests.cli.process import PATIENCE, Shell, shell

NOWHERE = "http://127.0.0.1:9"


class Terminal:
    """A command on a pseudo-terminal of 80 by 24, and all that it has written there."""

    def __init__(self, user: Shell, *arguments: str) -> None:
        self._leader, follower = pty.openpty()
        self.process = subprocess.Popen(
            user.command(*arguments),
            env=user.variables(COLUMNS="80", LINES="24", TERM="xterm-256color"),
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)
        self.text = ""

    def until(self, pattern: str) -> str:
        """Read until a pattern shows up after what was matched before; gives what was read until then."""
        end = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.text, re.DOTALL)) is None:
            assert time.monotonic() < end, self.text
            if select.select([self._leader], [], [], 1)[0]:
                try:
                    self.text += os.read(self._leader, 65536).decode("utf-8", "replace")
                except OSError:  # The other side is closed.
                    raise AssertionError(self.text) from None
        before, self.text = self.text[: found.end()], self.text[found.end() :]
        return before

    def interrupt(self) -> int:
        """Press Ctrl-C; gives the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=PATIENCE)
        finally:
            self.close()

    def close(self) -> None:
        """Give the terminal back."""
        os.close(self._leader)


def test_a_watch_refreshes_in_place_until_it_is_interrupted(tmp_path: Path) -> None:
    """What changes on the account shows up by itself, and Ctrl-C gives the old screen back and ends with 0."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.ok("apply", "--yes")
        terminal = Terminal(user, "status", "--watch", "--interval", "2s")
        shown = terminal.until("1 resource: 1 ok")
        assert "\x1b[?1049h" in shown
        assert "every 2s; Ctrl-C ends" in shown
        (row,) = simulator.account.schedules.rows.values()
        row.status = "PAUSED"
        terminal.until("1 resource: 1 pending")
        assert terminal.interrupt() == 0


def test_a_slow_account_is_waited_for_visibly(tmp_path: Path) -> None:
    """After a second a terminal is told what is being waited for; elsewhere nothing is written but the result."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        simulator.inject(Fault(kind="slow", seconds=2.5))
        terminal = Terminal(user, "plan")
        terminal.until(r"reading the account \(\d s\)")
        terminal.until("Plan: 1 to create")
        assert terminal.process.wait(timeout=PATIENCE) == 0
        terminal.close()
        simulator.inject(Fault(kind="slow", seconds=1.5))
        assert user.ok("plan").err == ""


def test_a_watch_needs_a_terminal(tmp_path: Path) -> None:
    """A program gets an error instead of a stream without end."""
    done = shell(tmp_path, NOWHERE, a="0 9 * * 1").run("status", "--watch")
    assert (done.code, done.out) == (1, "")
    assert "--watch needs a terminal" in done.err


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        (["--format", "json"], "leave out --format"),
        (["--interval", "1s"], "at least 2s"),
        (["--interval", "soon"], "no duration"),
    ],
)
def test_a_watch_that_cannot_be_meant_is_refused(tmp_path: Path, flags: list[str], fault: str) -> None:
    """It is said before anything is asked of the account."""
    done = Shell(tmp_path).run("status", "--watch", *flags)

    assert (done.code, done.out) == (1, "")
    assert fault in done.err


def completed(root: Path, *words: str) -> list[str]:
    """What a shell would be offered for the last of some words."""
    *given, typed = words
    shell_completion = BashComplete(cli, {}, "cdsync", "_CDSYNC_COMPLETE")
    return [item.value for item in shell_completion.get_completions(["-C", str(root), *given], typed)]


@pytest.mark.parametrize("command", ["hold", "release", "resume", "forget", "adopt", "history", "next"])
def test_addresses_are_completed_offline(tmp_path: Path, command: str) -> None:
    """A shell offers the declared addresses that begin so, without a key or the network."""
    shell(tmp_path, NOWHERE, leads="0 9 * * 1", later="0 9 * * 2", other="0 9 * * 3")
    assert completed(tmp_path, command, "schedule/l") == ["schedule/later", "schedule/leads"]


def test_what_is_owned_is_completed_also_when_the_declaration_is_broken(tmp_path: Path) -> None:
    """In the middle of an edit, and for what is no longer declared, a shell still knows what the state remembers."""
    user = shell(tmp_path, NOWHERE, leads="0 9 * * 1")
    with open_writer(tmp_path / ".cdsync" / "state.db", holder="the test") as store:
        store.hold(Address(Kind.SCHEDULE, "held"), Hold(since=datetime(2026, 6, 1, tzinfo=UTC)))
    assert completed(tmp_path, "release", "") == ["schedule/held", "schedule/leads"]
    user.write("schedules.yaml", "schedules: [\n")
    assert completed(tmp_path, "release", "") == ["schedule/held"]


def test_commands_flags_and_targets_are_completed(tmp_path: Path) -> None:
    """Also what is misspelt, or in a folder that holds no root, ends in no error."""
    shell(tmp_path, NOWHERE, leads="0 9 * * 1")
    assert completed(tmp_path, "re") == ["release", "resume"]
    assert completed(tmp_path, "plan", "--si") == ["--since"]
    assert completed(tmp_path, "apply", "--target", "sch") == ["schedule/leads"]
    assert completed(tmp_path, "aply", "x") == []
    assert completed(tmp_path / "gone", "hold", "") == []


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(name: str) -> None:
    """What the documentation tells to load is written for each of the three."""
    made = get_completion_class(name)
    assert made is not None
    assert "_CDSYNC_COMPLETE" in made(cli, {}, "cdsync", "_CDSYNC_COMPLETE").source()


def test_bash_is_answered_by_the_program(tmp_path: Path) -> None:
    """The real command, asked as the script asks it, prints what may follow and nothing else."""
    user = shell(tmp_path, NOWHERE, leads="0 9 * * 1")
    done = user.ok(
        "ignored", _CDSYNC_COMPLETE="bash_complete", COMP_WORDS=f"cdsync -C {tmp_path} hold sch", COMP_CWORD="4"
    )
    assert (done.out, done.err) == ("plain,schedule/leads\n", "")


def test_a_misspelt_address_is_answered_with_the_nearest(tmp_path: Path) -> None:
    """By every command that takes one, and by --target."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, leads="0 9 * * 1")
        for command in (("hold", "schedule/laeds"), ("history", "leads"), ("plan", "--target", "leads")):
            done = user.run(*command)
            assert done.code == 1
            assert "did you mean 'schedule/leads'?" in done.err, command
