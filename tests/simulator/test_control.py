from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cdsync.simulator import RunningSimulator, create_app, running

LIST = "/v4/schedules"


def test_the_state_shows_what_the_api_hides(client: httpx.Client) -> None:
    """Inputs and callbacks of a schedule, firings and faults, in one document."""
    body = {"inputs": [{"secret": 1}], "callback": {"url": "https://example.com", "headers": {"A": "b"}}}
    client.post("/v4/actions/some-action/run/schedule", json=body)
    state = client.get("/_sim/state").json()
    assert state["schedules"][0]["order"]["inputs"] == [{"secret": 1}]
    assert state["schedules"][0]["order"]["callback"]["headers"] == {"A": "b"}
    assert [len(state[part]) for part in ("runs", "firings", "faults", "deliveries")] == [1, 1, 0, 0]


def test_a_foreign_schedule_waits_for_its_tick(simulator: RunningSimulator, client: httpx.Client) -> None:
    """One made by hand belongs to somebody else and does not fire at creation."""
    made = client.post("/_sim/schedules", json={"name": "theirs", "cron": "0 8 * * *", "action": "their-action"}).json()
    row = client.get(f"{LIST}/{made['uid']}").json()
    assert (row["name"], row["action_name"], row["cron"]) == ("theirs", "their-action", "0 8 * * *")
    own = client.post("/v4/actions/a/run/schedule", json={"inputs": [{}]}).json()["schedule_uid"]
    assert row["user_uid"] != client.get(f"{LIST}/{own}").json()["user_uid"]
    assert [firing.schedule_uid for firing in simulator.account.firings] == [own]


def test_a_schedule_can_be_changed_by_hand(simulator: RunningSimulator, client: httpx.Client) -> None:
    """With the effect of the API, without being counted as a call."""
    uid = client.post("/_sim/schedules").json()["uid"]
    for verb, status in (("pause", "PAUSED"), ("resume", "ACTIVE"), ("cancel", "CANCELLED")):
        assert client.post(f"/_sim/schedules/{uid}/{verb}").json()["status"] == status
    assert client.post(f"/_sim/schedules/{uid}/resume").status_code == 422
    assert simulator.account.calls == []


def test_time_can_be_pushed(client: httpx.Client) -> None:
    """What was due in between has happened when the answer comes."""
    client.post("/_sim/schedules", json={"cron": "0 8 * * *"})
    assert client.post("/_sim/advance", json={"seconds": 3600}).json() == {"now": "2026-06-01T08:00:00.000Z"}
    assert len(client.get("/_sim/state").json()["firings"]) == 1
    assert client.post("/_sim/advance", json={"seconds": -1}).status_code == 400


def test_time_that_is_driven_from_elsewhere_cannot_be_pushed() -> None:
    """A virtual clock has one driver."""
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    with running(clock=lambda: moment) as simulator:
        assert httpx.post(f"{simulator.url}/_sim/advance", json={"seconds": 1}, trust_env=False).status_code == 422
        with pytest.raises(TypeError):
            simulator.advance(1)


@pytest.mark.parametrize("method", ["calls", "faults"])
def test_the_records_can_be_cleared(client: httpx.Client, method: str) -> None:
    """Calls and faults are lists that a test can read and empty."""
    client.get(LIST)
    client.post("/_sim/faults", json={"kind": "drop_before"})
    assert len(client.get(f"/_sim/{method}").json()) == 1
    client.delete(f"/_sim/{method}")
    assert client.get(f"/_sim/{method}").json() == []


def test_settings_change_while_it_runs(client: httpx.Client) -> None:
    """A key is rotated, labels are lost, a dialect goes, the workspace becomes another."""
    settings = {"key": "new", "labels": "refuse", "dialects": ["rest"], "workspace_uid": "w", "requests_per_minute": 9}
    assert settings.items() <= client.post("/_sim/settings", json=settings).json().items()
    assert client.get(LIST).status_code == 401
    assert client.get("/v4/workspaces", headers={"X-API-Key": "new"}).json()["uid"] == "w"
    assert client.get("/v4/api/schedules/list").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"speed": 2}),
        ("settings", {"labels": "maybe"}),
        ("settings", {"envelope": 1}),
        ("settings", {"dialects": ["soap"]}),
        ("schedules", {"cron": "never"}),
        ("advance", {}),
        ("runs/unknown", {"status": "LOST"}),
    ],
)
def test_a_control_body_at_fault_is_refused(client: httpx.Client, path: str, body: dict[str, Any]) -> None:
    """The control API is as strict as the API."""
    assert client.post(f"/_sim/{path}", json=body).status_code == 400


def test_the_control_api_answers_only_to_this_machine() -> None:
    """Another host gets 403, whatever it asks."""

    async def ask(host: str) -> int:
        transport = httpx.ASGITransport(create_app(), client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://sim") as client:
            return (await client.get("/_sim/state")).status_code

    assert [asyncio.run(ask(host)) for host in ("127.0.0.1", "::1", "192.0.2.1", "somewhere")] == [200, 200, 403, 403]


def test_an_unknown_control_path_is_not_found(client: httpx.Client) -> None:
    """404, as elsewhere."""
    assert client.get("/_sim/nothing").status_code == 404
