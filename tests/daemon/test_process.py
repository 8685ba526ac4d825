"""The daemon as a process, against a simulator on loopback."""

from __future__ import annotations

import signal
from pathlib import Path

from cdsync.simulator import running
from tests.cli.process import schedules_yaml, shell
from tests.daemon.process import daemon


def test_a_changed_file_is_live_at_once(tmp_path: Path) -> None:
    """Saving a file is all that it takes; an hour's interval is not waited for."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.write("cdsync.yaml", "api: {requests_per_minute: 6000}\ndaemon: {interval: 1h}\n")
        with daemon(user) as running_daemon:
            running_daemon.wait_for_pass("applied")
            user.write("schedules.yaml", schedules_yaml(a="0 10 * * 1"))
            entry = running_daemon.wait_for_pass("applied")
            assert entry["causes"] == ["files"]
            (schedule,) = simulator.account.schedules.rows.values()
            assert schedule.cron == "0 10 * * 1"
            assert running_daemon.end() == 0


def test_a_sighup_makes_a_pass_at_once(tmp_path: Path) -> None:
    """Drift is healed when a person asks for it, and SIGTERM ends the daemon well."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.write("cdsync.yaml", "api: {requests_per_minute: 6000}\ndaemon: {interval: 1h}\n")
        with daemon(user) as running_daemon:
            running_daemon.wait_for_pass("applied")
            (schedule,) = simulator.account.schedules.rows.values()
            schedule.status = "PAUSED"
            running_daemon.send(signal.SIGHUP)
            assert running_daemon.wait_for_pass("applied")["causes"] == ["signal"]
            assert schedule.status == "ACTIVE"
            assert running_daemon.end() == 0
