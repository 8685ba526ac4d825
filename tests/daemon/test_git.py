"""The daemon fed from git, as a process, against a simulator on loopback and a repository on disk."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cdsync.simulator import RunningSimulator, running
from tests.cli.process import Shell, schedules_yaml
from tests.daemon.process import daemon
from tests.gitsource.test_signature import signed, ssh_key
from tests.gitsource.upstream import REAL_GIT, Machine, Upstream, settings_for

PLACE = "conf/eu/schedules.yaml"
NINE, TEN = ({PLACE: schedules_yaml(a=f"0 {hour} * * 1")} for hour in (9, 10))
BROKEN = {PLACE: schedules_yaml(a="0 25 * * 1")}


@dataclass(frozen=True, slots=True)
class Team:
    """A repository, the machine that follows it, and the account."""

    upstream: Upstream
    shell: Shell
    simulator: RunningSimulator

    def follow(self, *, interval: str = "1h", **more: str) -> None:
        """Let the machine follow the repository."""
        git = {"url": str(self.upstream.bare), "path": "conf/eu", "poll": "1s", **more}
        self.shell.write(
            "cdsync.yaml",
            f"api: {{requests_per_minute: 6000}}\ndaemon: {{interval: {interval}, git: {json.dumps(git)}}}\n",
        )

    @property
    def crons(self) -> list[str | None]:
        """When the schedules of the account fire."""
        return [schedule.cron for schedule in self.simulator.account.schedules.rows.values()]


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """A team whose repository declares one schedule at nine."""
    with running() as simulator:
        made = Team(Upstream.at(tmp_path / "there"), Shell(tmp_path / "here", simulator.url), simulator)
        made.upstream.push({**NINE, "conf/eu/cdsync.yaml": "owner: somebody-else\nstate: elsewhere.db\n"})
        made.follow()
        yield made


def test_a_pushed_commit_is_live_within_one_poll(team: Team) -> None:
    """A push is all that a team does; the commit is in every log line, history row, plan and status."""
    with daemon(team.shell) as running_daemon:
        running_daemon.wait_for_pass("applied")
        assert [entry["file"] for entry in running_daemon.log if entry["event"] == "settings.ignored"] == [
            "cdsync.yaml"
        ]
        commit = team.upstream.push(TEN)
        entry = running_daemon.wait_for_pass("applied")
        assert (entry["causes"], entry["revision"], team.crons) == (["commit"], commit, ["0 10 * * 1"])
        assert running_daemon.end() == 0
    assert team.shell.ok("history", "--format", "json").json["entries"][-1]["revision"] == commit
    assert team.shell.ok("plan", "--format", "json").json["revision"] == commit
    status = team.shell.ok("status", "--format", "json").json
    assert (status["revision"], [row["health"] for row in status["resources"]]) == (commit, ["ok"])
    assert f"at {commit[:12]};" in team.shell.ok("status").out


def test_an_invalid_commit_changes_nothing_and_healing_goes_on(team: Team) -> None:
    """The last good commit is kept, what is wrong is told once, and drift is healed meanwhile; a fix is taken up."""
    with daemon(team.shell) as running_daemon:
        running_daemon.wait_for_pass("applied")
        good = running_daemon.log[-1]["revision"]
        bad = team.upstream.push(BROKEN)
        refused = running_daemon.wait_for("configuration.refused")
        assert refused["problems"][0].startswith("conf/eu/schedules.yaml:4:11: schedule/a: ")
        assert refused["commit"] == bad
        assert (refused["kept"], refused["keeps_last_good"]) == (good, True)
        running_daemon.wait_for("pass.finished")
        told = team.shell.ok("status", "--format", "json").json["refused"]
        assert (told["commit"], told["problems"]) == (bad, refused["problems"])
        assert f"The daemon refuses commit {bad[:12]} since " in team.shell.ok("status").out
        examined = team.shell.run("doctor")
        assert (examined.code, f"fail: newest commit: {bad[:12]} is refused since " in examined.out) == (1, True)
        (schedule,) = team.simulator.account.schedules.rows.values()
        schedule.status = "PAUSED"
        running_daemon.send(signal.SIGHUP)
        assert running_daemon.wait_for_pass("applied")["revision"] == good
        assert (schedule.status, schedule.cron) == ("ACTIVE", "0 9 * * 1")
        commit = team.upstream.push(TEN)
        assert running_daemon.wait_for_pass("applied")["revision"] == commit
        assert running_daemon.end() == 0
        assert [entry["event"] for entry in running_daemon.log].count("configuration.refused") == 1
    assert team.shell.ok("status", "--format", "json").json["refused"] is None
    assert "newest commit" not in team.shell.run("doctor").out


def test_a_refused_commit_is_known_after_a_restart_without_the_remote(team: Team) -> None:
    """Nobody mended it, so the daemon goes on telling it, and so does who asks from beside it."""
    with daemon(team.shell) as running_daemon:
        running_daemon.wait_for_pass("applied")
        bad = team.upstream.push(BROKEN)
        running_daemon.wait_for("configuration.refused")
        running_daemon.end()
    team.upstream.bare.rename(team.upstream.bare.with_suffix(".away"))
    with daemon(team.shell) as running_daemon:
        running_daemon.wait_for("configuration.refused")
        running_daemon.wait_for("pass.finished")
        assert team.shell.ok("status", "--format", "json").json["refused"]["commit"] == bad
        running_daemon.end()


def test_a_first_commit_that_is_refused_is_told_by_every_command(team: Team) -> None:
    """There is nothing to show a status of, and whoever asks is told why."""
    bad = team.upstream.push(BROKEN)
    assert team.shell.run("daemon", "--once").code == 1
    asked = team.shell.run("status")

    assert asked.code == 1
    assert f"taken up yet: {bad[:12]} is refused since " in asked.err
    assert "conf/eu/schedules.yaml:4:11: schedule/a: " in asked.err


def test_a_setup_that_asks_for_signatures_refuses_an_unsigned_commit(team: Team, tmp_path: Path) -> None:
    """Whoever can push cannot change the account without a key that may sign."""
    ann = ssh_key(tmp_path, "ann")
    team.shell.write("signers", f"ann@example.com {ann.with_suffix('.pub').read_text(encoding='ascii')}")
    team.follow(verify="ssh", allowed_signers="signers")
    good = signed(team.upstream, NINE, ann)
    with daemon(team.shell) as running_daemon:
        assert running_daemon.wait_for_pass("applied")["revision"] == good
        commit = team.upstream.push(TEN)
        refused = running_daemon.wait_for("configuration.refused")
        assert refused["problems"] == [f"commit {commit[:12]} has no ssh signature, which daemon.git.verify asks for"]
        assert running_daemon.wait_for("pass.finished")["revision"] == good
        assert team.crons == ["0 9 * * 1"]
        assert running_daemon.end() == 0


def test_a_restart_without_the_remote_goes_on_with_the_last_good_commit(team: Team) -> None:
    """What was good is kept on disk: drift is healed also while nobody can be asked, and both are told."""
    with daemon(team.shell) as running_daemon:
        good = running_daemon.wait_for_pass("applied")["revision"]
        running_daemon.end()
    away = team.upstream.bare.rename(team.upstream.bare.with_suffix(".away"))
    (schedule,) = team.simulator.account.schedules.rows.values()
    schedule.status = "PAUSED"
    with daemon(team.shell) as running_daemon:
        assert running_daemon.wait_for("configuration.remembered")["revision"] == good
        refused = running_daemon.wait_for("configuration.refused")
        assert refused["problems"][0].startswith("git could not look at the remote: ")
        assert refused["kept"] == good
        assert running_daemon.wait_for_pass("applied")["revision"] == good
        assert schedule.status == "ACTIVE"
        away.rename(team.upstream.bare)
        accepted = running_daemon.wait_for("configuration.accepted")
        assert accepted["revision"] == good
        assert running_daemon.end() == 0


def test_a_restart_at_an_invalid_commit_goes_on_with_the_one_before(team: Team) -> None:
    """A bad commit is no reason to stop, at whatever moment the daemon begins."""
    with daemon(team.shell) as running_daemon:
        good = running_daemon.wait_for_pass("applied")["revision"]
        running_daemon.end()
    team.upstream.push(BROKEN)
    with daemon(team.shell) as running_daemon:
        assert running_daemon.wait_for("configuration.refused")["kept"] == good
        assert running_daemon.wait_for_pass("unchanged")["revision"] == good
        assert running_daemon.end() == 0
    done = team.shell.run("daemon", "--once")
    assert (done.code, "the hour" in done.err or "schedule/a" in done.err) == (1, True)


HANGS_ON_DEMAND = """
import os, sys, time
if os.path.exists({switch!r}) and "ls-remote" in sys.argv:
    with open({hung!r}, "w") as told:
        told.write("x")
    time.sleep(600)
os.execv({git!r}, ["git", *sys.argv[1:]])
"""


def test_a_remote_that_hangs_holds_up_neither_healing_nor_the_end(team: Team, tmp_path: Path) -> None:
    """Passes go on with the last good commit while git is killed again and again, and SIGTERM waits for no git."""
    machine = Machine(tmp_path / "fake", settings_for(team.upstream))
    switch, hung = tmp_path / "hang", tmp_path / "hung"
    machine.put_on_path("git", HANGS_ON_DEMAND.format(switch=str(switch), hung=str(hung), git=REAL_GIT))
    team.follow(interval="1s", timeout="2s")
    with daemon(team.shell, PATH=machine.environment["PATH"]) as running_daemon:
        running_daemon.wait_for_pass("applied")
        switch.touch()
        refused = running_daemon.wait_for("configuration.refused")
        assert refused["problems"] == ["git ls-remote has not ended within 2 s, and was killed"]
        (schedule,) = team.simulator.account.schedules.rows.values()
        schedule.status = "PAUSED"
        running_daemon.wait_for_pass("applied")
        assert schedule.status == "ACTIVE"
        switch.unlink()
        assert running_daemon.wait_for("configuration.accepted")
        team.follow(interval="1s", timeout="10m")
        hung.unlink()
        os.mkfifo(hung)
        with reading(hung) as told:
            switch.touch()
            assert told.poll(60_000)
        assert running_daemon.end() == 0


@contextmanager
def reading(fifo: Path) -> Iterator[select.poll]:
    """What tells that somebody has written into a pipe with a name."""
    handle = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        yield poll
    finally:
        os.close(handle)


def test_a_machine_that_has_taken_up_nothing_yet_says_so(team: Team) -> None:
    """A plan of an empty folder would remove everything; a folder that declares something is planned as it is."""
    done = team.shell.run("plan")
    assert done.code == 1
    assert "no commit of its repository was taken up yet" in done.err
    assert "plan in a checkout of the repository: cdsync -C CHECKOUT plan; then" in done.err
    assert "which applies it: cdsync daemon --once" in done.err
    team.shell.write("schedules.yaml", NINE[PLACE])
    assert team.shell.ok("plan", "--format", "json").json["summary"]["create"] == 1
