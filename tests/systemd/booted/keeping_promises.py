"""What the unit keeps, where, and what it tells: the key, the state, the results, the journal."""

from __future__ import annotations

import json

from cdsync.simulator import SimulatorOptions, running
from tests.systemd.service import Serve, Service

ERROR, INFO = "3", "6"
"""Priorities of the journal (syslog(3))."""

LIVE = "runs: {hot-leads: {action: linkedin-search-people, mode: live, inputs: [{keywords: cto}]}}\n"


def holds(service: Service, where: str) -> bool:
    """Whether the key is in what a shell command inside prints."""
    return service.key in service.machine.run("sh", "-c", where)


def test_the_key_comes_as_a_credential_and_is_nowhere_else(serve: Serve) -> None:
    """Not in an environment, a command line, the journal, the state, a property of the unit or a temporary file."""
    key = serve("").key
    with running(SimulatorOptions(key=key)) as simulator:
        service = serve(simulator.url, key=key)
        service.declare(a="0 9 * * 1")
        with service.started() as journal:
            assert journal.event("pass.finished").said["result"] == "applied"
            service.write("schedules.yaml", "schedules: {a: {}}\n")
            journal.event("configuration.refused")
            assert holds(service, "cat /run/credentials/cdsync.service/api-key")
            assert not holds(service, "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'")
            assert not holds(service, "journalctl -o export; cat /var/log/journal/*/*")
            assert not holds(service, "cat /var/lib/private/cdsync/*")
            assert not holds(service, f"systemctl show {service.unit}; systemctl status {service.unit}")
            assert not holds(service, "find /tmp /var/tmp /run/systemd /dev/shm -type f -exec cat {} +")
            stranger = ["setpriv", "--reuid=nobody", "--clear-groups"]
            for path in ("/etc/cdsync/api-key", "/run/credentials/cdsync.service/api-key"):
                service.machine.run(*stranger, "cat", path, code=1)


def test_the_journal_tells_in_fields_and_by_priority(serve: Serve) -> None:
    """Each entry is one JSON object; `journalctl -p err` shows what needs a person, and nothing else."""
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1")
        with service.started() as journal:
            good = journal.event("pass.finished")
            service.write("schedules.yaml", "schedules: {a: {}}\n")
            bad = journal.event("configuration.refused")
        assert (good.fields["PRIORITY"], good.fields["SYSLOG_IDENTIFIER"]) == (INFO, "cdsync")
        assert bad.fields["PRIORITY"] == ERROR
        assert {"timestamp", "level", "problems", "keeps_last_good"} <= bad.said.keys()
        errors = service.machine.run("journalctl", "-q", "-b", "-p", "err", "-u", service.unit, "-o", "cat")
        assert [json.loads(line)["event"] for line in errors.splitlines()[-1:]] == ["configuration.refused"]
        ours = [entry for entry in journal.seen if entry.fields.get("_COMM") == "cdsync"]
        assert ours
        assert all(entry.said for entry in ours)


def test_the_daemon_writes_nowhere_but_into_its_state(serve: Serve) -> None:
    """Even as root, in the place that the unit gives it, it could change neither the declaration nor the program."""
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1")
        with service.started() as journal:
            journal.event("pass.finished")
            inside = ["nsenter", f"--target={service.show('MainPID')['MainPID']}", "--mount"]
            for path in ("/etc/cdsync/x", "/opt/cdsync/x", "/usr/x", "/var/x", "/root/x", "/sys/kernel/x"):
                service.machine.run(*inside, "touch", path, code=1)
            service.machine.run(*inside, "touch", "/var/lib/cdsync/x")
            # Outside that place, newer versions of systemd show them as nobody's.
            modes = service.machine.run(*inside, "stat", "-c", "%U %a", "/var/lib/cdsync/", "/var/lib/cdsync/state.db")
            assert modes.splitlines() == ["cdsync 700", "cdsync 600"]


def test_rows_of_a_live_run_lie_beside_the_state(serve: Serve) -> None:
    """Where the declaration may not be written, results have a place that nobody has to set up."""
    with running() as simulator:
        service = serve(simulator.url)
        service.declare()
        service.write("runs.yaml", LIVE)
        with service.started() as journal:
            journal.event("pass.finished", lambda said: said["result"] == "applied")
            results = service.state / "results/hot-leads.jsonl"
            assert results.read_text(encoding="utf-8")
            assert results.stat().st_mode & 0o777 == 0o600
