"""The daemon as a process, against a simulator on loopback."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from cdsync.assembly import Surroundings
from cdsync.daemon import run_daemon
from cdsync.simulator import Fault, RunningSimulator, running
from cdsync.store import open_reader
from tests.cli.process import KEY, Shell, schedules_yaml, shell
from tests.daemon.process import PATIENCE, daemon
from tests.waiting import until

QUIET = "daemon: {interval: 1h}\n"
LISTENING = "daemon: {interval: 1s, listen: '127.0.0.1:0', token: {env: WORD}, webhook_secret: {env: WORD}}\n"
SETTINGS = "api: {requests_per_minute: 6000, settle: 1s}\ndaemon: {interval: %s}\n"


def root(folder: Path, simulator: RunningSimulator, *, interval: str = "1h", **crons: str) -> Shell:
    """A root that a daemon keeps; by default its interval is longer than any test."""
    user = shell(folder, simulator.url, **crons)
    user.write("cdsync.yaml", SETTINGS % interval)
    return user


def once(user: Shell) -> int:
    """Make one pass more, in this process; gives the exit code."""
    return asyncio.run(run_daemon(Surroundings(root=user.root, environment=user.variables()), once=True))


def test_a_changed_file_is_live_at_once(tmp_path: Path) -> None:
    """Saving a file is all that it takes; an hour's interval is not waited for."""
    with running() as simulator:
        user = root(tmp_path, simulator, a="0 9 * * 1")
        with daemon(user) as keeper:
            keeper.wait_for_pass("applied")
            user.write("schedules.yaml", schedules_yaml(a="0 10 * * 1"))
            assert keeper.wait_for_pass("applied")["causes"] == ["files"]
            (schedule,) = simulator.account.schedules.rows.values()
            assert schedule.cron == "0 10 * * 1"
            assert keeper.end() == 0


def test_a_wrong_change_changes_nothing_and_the_last_good_one_is_kept(tmp_path: Path) -> None:
    """It is told with its place; drift is healed by what was good; a good change is taken up again."""
    with running() as simulator:
        user = root(tmp_path, simulator, a="0 9 * * 1")
        with daemon(user) as keeper:
            keeper.wait_for_pass("applied")
            (schedule,) = simulator.account.schedules.rows.values()
            schedule.status = "PAUSED"
            user.write("schedules.yaml", "schedules: {a: {cron: never}}\n")
            refused = keeper.wait_for("configuration.refused")
            assert "schedules.yaml:1:" in refused["problems"][0]
            assert refused["keeps_last_good"]
            assert keeper.wait_for_pass("applied")["causes"] == ["files"]
            assert schedule.status == "ACTIVE"
            user.write("schedules.yaml", schedules_yaml(a="0 11 * * 1"))
            keeper.wait_for("configuration.accepted")
            keeper.wait_for_pass("applied")
            assert schedule.cron == "0 11 * * 1"


def test_settings_that_cannot_be_read_are_waited_for(tmp_path: Path) -> None:
    """It comes up and says what is wrong; SIGHUP after they are mended goes on."""
    with running() as simulator:
        user = root(tmp_path, simulator, a="0 9 * * 1")
        user.write("cdsync.yaml", "owner: Not A Label\n")
        with daemon(user) as keeper:
            refused = keeper.wait_for("settings.refused")
            assert refused["problems"][0].startswith("cdsync.yaml:1:8: owner is 'Not A Label'")
            user.write("cdsync.yaml", SETTINGS % "1h")
            keeper.send(signal.SIGHUP)
            keeper.wait_for_pass("applied")
            assert keeper.end() == 0


def test_a_sighup_makes_a_pass_at_once(tmp_path: Path) -> None:
    """Drift is healed when a person asks for it, and SIGTERM ends the daemon well."""
    with running() as simulator:
        user = root(tmp_path, simulator, a="0 9 * * 1")
        with daemon(user) as keeper:
            keeper.wait_for_pass("applied")
            (schedule,) = simulator.account.schedules.rows.values()
            schedule.status = "PAUSED"
            keeper.send(signal.SIGHUP)
            second = keeper.wait_for_pass("applied")
            # What the daemon writes itself is no change that it would wake up for.
            assert (second["number"], second["causes"]) == (2, ["signal"])
            assert schedule.status == "ACTIVE"
            assert keeper.end() == 0


def test_sigterm_waits_for_what_was_sent_and_begins_nothing_more(tmp_path: Path) -> None:
    """The answer to a slow creation is written down, the others are left for the next start, and nothing is unknown."""
    with running() as simulator:
        user = root(tmp_path, simulator, a="0 9 * * 1", b="0 9 * * 2", c="0 9 * * 3")
        simulator.inject(Fault(kind="slow", method="POST", path="*/action-a/schedule", seconds=2))
        with daemon(user) as keeper:
            keeper.wait_for("action.started")
            assert keeper.end() == 0
            (stopped,) = [entry for entry in keeper.log if entry["event"] == "pass.finished"]
            assert (stopped["result"], stopped["done"]) == ("stopped", 1)
        with open_reader(tmp_path / ".cdsync" / "state.db") as store:
            assert not store.pending()
            assert [str(address) for address in store.owned().resources] == ["schedule/a"]
        assert once(user) == 0
        assert len(simulator.account.schedules.rows) == 3


def test_a_second_signal_is_obeyed_at_once(tmp_path: Path) -> None:
    """Whoever is in a hurry does not wait for an answer; the next start finds out what became of it."""
    with running() as simulator:
        user = root(tmp_path, simulator, a="0 9 * * 1")
        simulator.inject(Fault(kind="slow", method="POST", path="*/action-a/schedule", seconds=20, after=True))
        with daemon(user) as keeper:
            until(lambda: bool(simulator.account.schedules.rows))
            keeper.send(signal.SIGINT)
            keeper.wait_for("daemon.stopping")
            assert keeper.end(signal.SIGINT) == 0
        with open_reader(tmp_path / ".cdsync" / "state.db") as store:
            assert len(store.pending()) == 1
        assert once(user) == 0
        assert len(simulator.account.schedules.rows) == 1


def test_a_daemon_that_was_killed_is_started_again_and_loses_nothing(tmp_path: Path) -> None:
    """kill -9 in the middle of a creation leaves no lock, doubles nothing, and the next start goes on."""
    with running() as simulator:
        user = root(tmp_path, simulator, interval="1s", a="0 9 * * 1", b="0 9 * * 2")
        user.write("cdsync.yaml", SETTINGS.replace("settle", "timeout: 4s, settle") % "1s")
        simulator.inject(Fault(kind="slow", method="POST", path="*/action-a/schedule", seconds=1, after=True))
        with daemon(user) as keeper:
            keeper.wait_for("action.started")
            assert keeper.end(signal.SIGKILL) == -signal.SIGKILL
        with daemon(user) as keeper:
            keeper.wait_for_pass("unchanged")
            assert keeper.end() == 0
        assert sorted(row.order.action_name for row in simulator.account.schedules.rows.values()) == [
            "action-a",
            "action-b",
        ]


def test_who_comes_second_is_told_who_holds_the_state(tmp_path: Path) -> None:
    """An apply beside a daemon is refused by its name, and told how to have it apply now; a hold is not refused."""
    with running() as simulator:
        user = root(tmp_path, simulator, a="0 9 * * 1")
        with daemon(user) as keeper:
            keeper.wait_for_pass("applied")
            for arguments in (("daemon",), ("apply", "--yes")):
                second = user.run(*arguments)
                assert second.code == 1
                assert f"held by cdsync daemon (process {keeper.process.pid} on " in second.err
                assert "send it SIGHUP (systemctl reload) or POST /reconcile" in second.err
            user.ok("hold", "schedule/a")
            (schedule,) = simulator.account.schedules.rows.values()
            schedule.status = "PAUSED"
            keeper.send(signal.SIGHUP)
            assert keeper.wait_for("pass.finished", lambda entry: "signal" in entry["causes"])["blocked"] == 1
            assert schedule.status == "PAUSED"
            user.ok("release", "schedule/a")
            keeper.send(signal.SIGHUP)
            keeper.wait_for_pass("applied")
            assert schedule.status == "ACTIVE"
            assert keeper.end() == 0


def test_a_full_disk_is_told_and_gone_on_from(tmp_path: Path) -> None:
    """Nothing is sent that cannot be written down first; when there is room again, the daemon goes on by itself."""
    with running() as simulator:
        user = root(tmp_path, simulator, interval="1s", a="0 9 * * 1")
        with daemon(user) as keeper:
            keeper.wait_for_pass("unchanged")
            limits = resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE, (1024, limits[1]))
            user.write("schedules.yaml", schedules_yaml(a="0 9 * * 1", b="0 9 * * 2"))
            failed = keeper.wait_for_pass("failed")
            assert "state.db: " in failed["error"]
            assert "free space" in failed["remedy"]
            assert len(simulator.account.schedules.rows) == 1
            resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE, limits)
            keeper.wait_for_pass("applied")
            assert len(simulator.account.schedules.rows) == 2
            assert keeper.end() == 0


def test_it_is_asked_over_http(tmp_path: Path) -> None:
    """Health follows progress and comes back with it; hooks and requests make passes; nothing secret is told."""
    with running() as simulator:
        user = root(tmp_path, simulator, a="0 9 * * 1")
        user.write("cdsync.yaml", f"api: {{requests_per_minute: 6000}}\n{LISTENING}")
        with daemon(user, WORD="t0k3n") as keeper:
            url = keeper.wait_for("listener.started")["url"]
            keeper.wait_for_pass("applied")
            assert (ask("GET", f"{url}/healthz").status_code, ask("GET", f"{url}/readyz").status_code) == (200, 200)

            assert ask("POST", f"{url}/hooks/git", headers={"X-Gitlab-Token": "t0k3n"}).status_code == 202
            keeper.wait_for("pass.finished", lambda entry: "hook" in entry["causes"])
            assert ask("POST", f"{url}/reconcile", headers={"Authorization": "Bearer t0k3n"}).status_code == 202
            keeper.wait_for("pass.finished", lambda entry: "request" in entry["causes"])

            simulator.inject(Fault(kind="status", code=503, method="GET", times=10**6))
            keeper.wait_for_pass("failed")
            ill = answer_of(f"{url}/healthz", 503)
            assert "HTTP 503" in ill.text
            samples = read(ask("GET", f"{url}/metrics").text)
            assert samples["cdsync_healthy"] == 0
            assert samples["cdsync_consecutive_failures"] > 0
            assert samples["cdsync_api_requests_total"] > 4

            simulator.simulation.faults.active.clear()
            answer_of(f"{url}/healthz", 200)
            assert read(ask("GET", f"{url}/metrics").text)["cdsync_healthy"] == 1
            assert keeper.end() == 0
        assert "t0k3n" not in str(keeper.log)
        assert KEY not in str(keeper.log)


def test_the_service_manager_is_told_of_each_turn(tmp_path: Path) -> None:
    """Ready when it is, reloading until it has read everything again, how things stand, alive, and stopping."""
    with running() as simulator, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        user = root(tmp_path, simulator, a="0 9 * * 1")
        manned = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
        with daemon(user, **manned) as keeper:
            keeper.wait_for_pass("applied")
            assert hear(manager, "STATUS=1 declared; pass 1 applied: 1 done") == ["READY=1"]
            keeper.send(signal.SIGHUP)
            assert hear(manager, "READY=1") == ["RELOADING=1"]
            hear(manager, "WATCHDOG=1")
            assert keeper.end() == 0
        hear(manager, "STOPPING=1")


def hear(manager: socket.socket, wanted: str) -> list[str]:
    """What is told until this is, but for signs of life and other words about how things stand."""
    told = []
    while not (message := manager.recv(4096).decode()).startswith(wanted):
        told.append(message.split("\n")[0])
    return [line for line in told if not line.startswith(("WATCHDOG=", "STATUS="))]


def test_a_target_is_told(tmp_path: Path) -> None:
    """What was done and what needs a person arrives as JSON, before the daemon ends."""
    with running() as simulator, receiving() as (url, got):
        user = root(tmp_path, simulator, a="0 9 * * 1")
        user.write("cdsync.yaml", f"notify: [{{url: {{env: HOOK}}, on: [applied, attention]}}]\n{QUIET}")
        with daemon(user, HOOK=url) as keeper:
            keeper.wait_for_pass("applied")
            user.write("schedules.yaml", "schedules: {a: {}}\n")
            keeper.wait_for("configuration.refused")
            keeper.wait_for_pass("unchanged")
            assert keeper.end() == 0
    assert [(body["event"], body["facts"][0]["subject"]) for body in got] == [
        ("applied", "schedule/a"),
        ("attention", "configuration"),
    ]


def ask(method: str, url: str, **request: Any) -> httpx.Response:
    """One request to the daemon."""
    return httpx.request(method, url, timeout=PATIENCE, **request)


def answer_of(url: str, status: int) -> httpx.Response:
    """Ask until the answer has this status."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (answer := ask("GET", url)).status_code == status:
            return answer
    raise AssertionError(f"{url} never answered {status}")


def read(text: str) -> dict[str, float]:
    """The samples of a metrics page, summed over their labels."""
    samples: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name] += sample.value  # type: ignore[assignment] # a counter of floats
    return dict(samples)


@contextmanager
def receiving() -> Iterator[tuple[str, list[Any]]]:
    """A target for notifications: its URL, and what it has got."""
    got: list[Any] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Take) as server:
        thread = threading.Thread(target=server.serve_forever, name="target")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", got
        finally:
            server.shutdown()
            thread.join()
