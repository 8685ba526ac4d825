from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import httpx
import pytest

from cdsync.simulator import RunningSimulator

ASYNC = "/v4/actions/some-action/run/async"
Received = tuple[str | None, dict[str, Any]]


@pytest.fixture
def hook() -> Iterator[tuple[str, Queue[Received]]]:
    """A webhook on loopback: its URL and what it received."""
    received: Queue[Received] = Queue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((self.headers["Authorization"], json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", received
        server.shutdown()
        thread.join()


def settled(simulator: RunningSimulator, client: httpx.Client) -> list[str]:
    """The statuses of all deliveries, as soon as none is pending."""
    for _ in range(2000):
        statuses = [delivery["status"] for delivery in client.get("/_sim/state").json()["deliveries"]]
        if "PENDING" not in statuses:
            return statuses
    raise AssertionError(simulator.account.deliveries)


def test_a_final_callback_is_posted_once(
    simulator: RunningSimulator, client: httpx.Client, hook: tuple[str, Queue[Received]]
) -> None:
    """The payload tells the run, its status and its results, with the declared headers and the label of the input."""
    url, received = hook
    callback = {"url": url, "headers": {"Authorization": "token"}, "on": "final"}
    body = {"inputs": [{"n": 1, "custom_data": {"row": 7}}], "callback": callback}
    uid = client.post(ASYNC, json=body).json()["run_uid"]
    simulator.advance(10)
    authorization, payload = received.get(timeout=10)
    assert authorization == "token"
    assert set(payload) == {"callback_ref_uid", "run", "input", "error", "results", "row"}
    assert (payload["run"]["run_uid"], payload["run"]["status"], payload["row"]) == (uid, "SUCCEEDED", 7)
    assert settled(simulator, client) == ["SUCCESS"]


def test_with_on_all_each_input_has_a_callback(
    simulator: RunningSimulator, client: httpx.Client, hook: tuple[str, Queue[Received]]
) -> None:
    """Partial ones say RUNNING, the last one how it ended; every reference is another."""
    url, received = hook
    client.post(ASYNC, json={"inputs": [{}, {}], "callback": {"url": url, "on": "all"}})
    simulator.advance(10)
    payloads = [received.get(timeout=10)[1] for _ in range(3)]
    assert sorted(payload["run"]["status"] for payload in payloads) == ["RUNNING", "RUNNING", "SUCCEEDED"]
    assert len({payload["callback_ref_uid"] for payload in payloads}) == 3


def test_a_hook_that_does_not_answer_disturbs_nobody(simulator: RunningSimulator, client: httpx.Client) -> None:
    """The delivery has failed and the run has not."""
    uid = client.post(ASYNC, json={"inputs": [{}], "callback": {"url": "http://127.0.0.1:9/x", "on": "final"}}).json()
    simulator.advance(10)
    assert settled(simulator, client) == ["FAILED"]
    assert client.get(f"/v4/runs/{uid['run_uid']}").json()["status"] == "SUCCEEDED"


def test_a_blocked_run_announces_nothing(simulator: RunningSimulator, client: httpx.Client) -> None:
    """BLOCKED is not an end, so only polling finds it."""
    body = {"inputs": [{}], "callback": {"url": "http://127.0.0.1:9/x", "on": "final"}}
    uid = client.post(ASYNC, json=body).json()["run_uid"]
    client.post(f"/_sim/runs/{uid}", json={"status": "BLOCKED"})
    simulator.advance(3600)
    assert client.get(f"/v4/runs/{uid}").json()["status"] == "BLOCKED"
    assert simulator.account.deliveries == []
