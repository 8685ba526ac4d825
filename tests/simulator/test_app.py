from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from cdsync.simulator import ConnectionDropped, Fault, RunningSimulator, SimulatorOptions, create_app

KEYED = SimulatorOptions(key="the-key")


@pytest.mark.parametrize("path", ["/v4/schedules", "/v4/api/schedules/list"])
def test_a_request_without_a_key_is_refused(client: httpx.Client, path: str) -> None:
    """401 with the six fields of an error."""
    answer = client.get(path, headers={"X-API-Key": ""})
    assert (answer.status_code, answer.json()["error_scope"]) == (401, "auth")
    assert set(answer.json()) == {"error_label", "error_scope", "error_ref", "message", "status_code", "params"}


@pytest.mark.parametrize("options", [KEYED])
def test_a_wrong_key_is_refused(client: httpx.Client) -> None:
    """Where a key is set, only that one opens."""
    assert client.get("/v4/schedules").status_code == 401
    assert client.get("/v4/schedules", headers={"X-API-Key": "the-key"}).status_code == 200


@pytest.mark.parametrize("options", [SimulatorOptions(dialects=("rest",), key="other", prefix="/v1")])
def test_a_dialect_that_is_not_served_is_not_found(client: httpx.Client) -> None:
    """404 even with a wrong key, so that a client can tell the dialects apart."""
    assert client.get("/v1/api/schedules/list").status_code == 404
    assert client.get("/v4/schedules").status_code == 404
    assert client.get("/v1/schedules").status_code == 401


def test_a_known_path_with_another_method_is_not_allowed(client: httpx.Client) -> None:
    """405, and the call is logged like any other."""
    assert client.delete("/v4/schedules").status_code == 405


@pytest.mark.parametrize("path", ["/v4/schedules", "/v4/nothing", "/_sim/state"])
def test_every_answer_tells_the_simulated_time(client: httpx.Client, path: str) -> None:
    """The Date header is the clock of the simulator, and there is only one."""
    answer = client.get(path)
    assert answer.headers.get_list("date") == ["Mon, 01 Jun 2026 07:00:00 GMT"]


def test_every_call_is_logged(simulator: RunningSimulator, client: httpx.Client) -> None:
    """Method, path, status and time, for tests to count; the control API does not count."""
    client.get("/v4/schedules?limit=5")
    client.get("/v4/nothing")
    client.get("/_sim/state")
    assert [(call.method, call.path, call.status) for call in simulator.account.calls] == [
        ("GET", "/v4/schedules", 200),
        ("GET", "/v4/nothing", 404),
    ]


@pytest.mark.parametrize("options", [SimulatorOptions(requests_per_minute=2)])
def test_more_requests_than_the_limit_are_refused_until_the_window_moves(
    simulator: RunningSimulator, client: httpx.Client
) -> None:
    """The window slides in simulated time; refused requests do not prolong it."""
    assert client.get("/v4/schedules").status_code == 200
    simulator.advance(20)
    assert client.get("/v4/runs").status_code == 200
    refused = client.get("/v4/runs")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "40")
    simulator.advance(40)
    assert [client.get("/v4/runs").status_code for _ in range(2)] == [200, 429]


def test_a_drop_in_process_is_an_exception() -> None:
    """Without a TCP connection to close, a test transport gets ConnectionDropped to map."""
    virtual_now = datetime(2026, 6, 1, tzinfo=UTC)
    app = create_app(time=lambda: virtual_now)
    app.state.simulation.faults.active.append(Fault(kind="drop_after"))

    async def launch() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sim") as client:
            await client.post("/v4/actions/a/run/async", json={"inputs": [{}]}, headers={"X-API-Key": "k"})

    with pytest.raises(ConnectionDropped):
        asyncio.run(launch())
    assert len(app.state.simulation.account.runs.rows) == 1
