"""The timer that tells of drift and leaves it: beside the daemon, without its lock, by the state's own user."""

from __future__ import annotations

from cdsync.simulator import running
from tests.systemd.journal import following
from tests.systemd.service import Serve

SOON = "[Timer]\nOnCalendar=\nOnActiveSec=100ms\nAccuracySec=1us\nRandomizedDelaySec=0\n"
WARNING = "4"


def test_the_timer_reports_drift_beside_the_daemon_and_changes_nothing(serve: Serve) -> None:
    """What differs is a warning in the journal and the exit status 2 of a unit that did not fail."""
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1", b="0 9 * * 2")
        machine = service.machine
        machine.write("/etc/systemd/system/cdsync-plan.timer.d/test.conf", SOON)
        machine.run("systemctl", "daemon-reload")
        with service.started() as journal, following(machine, "cdsync-plan.service") as report:
            journal.event("pass.finished", lambda said: said["result"] == "applied")
            first, _ = simulator.account.schedules.rows.values()
            first.status = "PAUSED"
            writes = sum(call.method != "GET" for call in simulator.account.calls)
            machine.run("systemctl", "start", "cdsync-plan.timer")
            report.wait_for(lambda entry: "schedule/a" in str(entry.fields["MESSAGE"]))
            report.wait_for(lambda entry: "1 to resume" in str(entry.fields["MESSAGE"]))
            told = report.wait_for(lambda entry: "differs from /etc/cdsync" in str(entry.fields["MESSAGE"]))
            assert told.fields["PRIORITY"] == WARNING
            report.wait_for(lambda entry: "Deactivated successfully" in str(entry.fields["MESSAGE"]))
            properties = "--property=ActiveState,Result,ExecMainStatus"
            shown = machine.run("systemctl", "show", "cdsync-plan.service", properties)
            assert set(shown.splitlines()) == {"ActiveState=inactive", "Result=success", "ExecMainStatus=2"}
            assert first.status == "PAUSED"
            assert sum(call.method != "GET" for call in simulator.account.calls) == writes
            assert service.show("ActiveState", "NRestarts") == {"ActiveState": "active", "NRestarts": "0"}
            # The daemon is none the worse for having been looked at: it heals the drift when it is asked to.
            service.systemctl("reload")
            journal.event("pass.finished", lambda said: said["result"] == "applied")
            assert first.status == "ACTIVE"
            machine.run("systemctl", "start", "cdsync-plan.service")
            report.wait_for(lambda entry: "No changes" in str(entry.fields["MESSAGE"]))


def test_a_report_that_cannot_be_made_is_a_failed_unit(serve: Serve) -> None:
    """Silence would look like an account that is as declared."""
    service = serve("http://127.0.0.1:9")
    service.declare(a="0 9 * * 1")
    service.write("schedules.yaml", "schedules: {a: {}}\n")
    service.machine.run("systemctl", "start", "cdsync-plan.service", code=1)
    shown = service.machine.run("systemctl", "show", "cdsync-plan.service", "--property=ActiveState,ExecMainStatus")
    assert set(shown.splitlines()) == {"ActiveState=failed", "ExecMainStatus=1"}
