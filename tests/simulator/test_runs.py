from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cdsync.simulator import Account, RunningSimulator
from cdsync.simulator.account import RUN_STATUSES, Order
from cdsync.simulator.firing import advance, start_run

ASYNC = {"rest": "/v4/actions/some-action/run/async", "manage": "/v4/api/actions/some-action/async"}
LIVE = {"rest": "/v4/actions/some-action/run/live", "manage": "/v4/api/actions/some-action/live"}
LIST = {"rest": "/v4/runs", "manage": "/v4/api/runs/list"}

both_dialects = pytest.mark.parametrize("dialect", ["rest", "manage"])


def launch(client: httpx.Client, dialect: str = "rest", **fields: Any) -> str:
    answer = client.post(ASYNC[dialect], json={"inputs": [{"n": 1}], **fields})
    assert answer.status_code == 200, answer.text
    uid: str = answer.json()["run_uid"]
    return uid


def get(client: httpx.Client, uid: str, dialect: str = "rest") -> dict[str, Any]:
    path = f"/v4/runs/{uid}" if dialect == "rest" else f"/v4/api/runs/get?uid={uid}"
    row: dict[str, Any] = client.get(path).json()
    return row


def resume(client: httpx.Client, uid: str, dialect: str = "rest") -> httpx.Response:
    if dialect == "rest":
        return client.post(f"/v4/runs/{uid}/resume", json={})
    return client.post("/v4/api/runs/manage", json={"uid": uid, "action": "resume"})


@both_dialects
def test_a_launched_run_goes_its_way(simulator: RunningSimulator, client: httpx.Client, dialect: str) -> None:
    """The launch answers `pending`; then the run is created, queued, running and done within seconds."""
    answer = client.post(ASYNC[dialect], json={"inputs": [{"n": 1}], "name": "a label"}).json()
    assert answer["status"] == "pending"
    seen = []
    for _ in range(6):
        seen.append(get(client, answer["run_uid"], dialect)["status"])
        simulator.advance(1)
    assert seen == ["CREATED", "QUEUED", "RUNNING", "RUNNING", "RUNNING", "SUCCEEDED"]


def test_a_run_shows_all_its_fields(simulator: RunningSimulator, client: httpx.Client) -> None:
    """A run of a schedule tells whose it is, by uid and by label, and what it was told."""
    body = {
        "inputs": [{}],
        "name": "weekly",
        "parameters": {"max_results": 2},
        "callback": {"url": "https://example.com/hook", "headers": {"Authorization": "t"}},
        "schedule_at": "2026-06-01T07:00:01Z",
    }
    uid = client.post("/v4/actions/some-action/run/schedule", json=body).json()["schedule_uid"]
    simulator.advance(1)
    run = client.get(LIST["rest"]).json()[0]
    assert {key: run[key] for key in ("scheduled_run_uid", "scheduled_run_name", "name", "parameters", "callback")} == {
        "scheduled_run_uid": uid,
        "scheduled_run_name": "weekly",
        "name": None,
        "parameters": {"max_results": 2},
        "callback": {"url": "https://example.com/hook"},
    }
    assert set(run) == {
        *("id", "uid", "name", "scheduled_run_name", "action_id", "action_name", "retry_count", "user_uid"),
        *("workspace_uid", "execution_mode", "last_error", "parameters", "callback", "status", "output_count"),
        *("scheduled_run_uid", "started_at", "finished_at", "created_at", "updated_at", "postponed_until"),
    }


@both_dialects
def test_runs_are_listed_by_filter(simulator: RunningSimulator, client: httpx.Client, dialect: str) -> None:
    """Status, action, mode and uid narrow the listing."""
    first = launch(client, dialect)
    simulator.advance(60)
    second = launch(client, dialect)
    client.post(LIVE[dialect], json={"input": {}})

    def listed(**query: Any) -> list[str]:
        rows = client.get(LIST[dialect], params={"sort": "created_at", **query}).json()
        return [row["uid"] for row in rows]

    assert listed(execution_mode="ASYNC") == [first, second]
    assert listed(status="CREATED") == [second]
    assert listed(uid=[first, second], action_name="some-action", status=["SUCCEEDED", "RUNNING"]) == [first]
    assert len(listed(execution_mode=["LIVE", "ASYNC"])) == 3


@both_dialects
@pytest.mark.parametrize("status", sorted(RUN_STATUSES))
def test_only_a_stopped_or_blocked_run_resumes(
    simulator: RunningSimulator, client: httpx.Client, dialect: str, status: str
) -> None:
    """Resuming clears the error, the postponement and the retry count, and puts the run back in line; else 422."""
    uid = launch(client, dialect)
    forced = {
        "status": status,
        "last_error": {"label": "PROXY_ERROR", "message": "no proxy", "params": {}},
        "postponed_until": "2026-06-01T08:00:00Z",
        "retry_count": 3,
    }
    client.post(f"/_sim/runs/{uid}", json=forced)
    answer = resume(client, uid, dialect)
    if status not in {"STOPPED", "BLOCKED"}:
        assert answer.status_code == 422
        assert get(client, uid, dialect)["status"] == status
        return
    run = answer.json()
    assert (run["status"], run["last_error"], run["retry_count"], run["postponed_until"]) == (
        "SCHEDULED",
        None,
        0,
        None,
    )
    simulator.advance(10)
    assert get(client, uid, dialect)["status"] == "SUCCEEDED"


@both_dialects
def test_a_live_run_answers_in_pages(simulator: RunningSimulator, client: httpx.Client, dialect: str) -> None:
    """The next page is a full URL; the same body with it reads on, without another run."""
    body = {"input": {"url": "https://example.com"}}
    first = client.post(LIVE[dialect], json=body)
    following = first.headers["X-Pagination-Next"]
    assert following.startswith(f"{simulator.url}{LIVE[dialect]}?cursor=")
    second = client.post(following, json=body)
    assert "X-Pagination-Next" not in second.headers
    assert [row["row"] for row in first.json() + second.json()] == list(range(15))
    assert [run.execution_mode for run in simulator.account.runs.rows.values()] == ["LIVE"]


def test_a_cursor_that_was_not_given_out_is_refused(client: httpx.Client) -> None:
    """A made-up cursor, or a whole URL as one, is 400."""
    for cursor in ("2", "http://127.0.0.1/v4/x?cursor=abc", "cm93OnR3bw=="):
        assert client.post(LIVE["rest"], params={"cursor": cursor}, json={"input": {}}).status_code == 400


def test_inputs_and_outputs_are_read_by_cursor(simulator: RunningSimulator, client: httpx.Client) -> None:
    """Pages follow each other to the end, where the header is absent; each input shows its own label."""
    uid = launch(client, inputs=[{"n": number, "custom_data": {"row": number}} for number in range(60)])
    simulator.advance(10)
    assert client.get(f"/v4/runs/{uid}/status").json()["status"] == "SUCCEEDED"
    answer = client.get(f"/v4/runs/{uid}/outputs")
    rows = answer.json()
    while "X-Pagination-Next" in answer.headers:
        answer = client.get(answer.headers["X-Pagination-Next"])
        rows += answer.json()
    assert len({row["row_id"] for row in rows}) == len(rows) == 180 == get(client, uid)["output_count"]
    inputs = client.get(f"/v4/runs/{uid}/inputs", params={"limit": 2}).json()
    assert [(row["input_data"], row["custom_data"]) for row in inputs] == [
        ({"n": 0}, {"row": 0}),
        ({"n": 1}, {"row": 1}),
    ]
    assert client.get(f"/v4/runs/{uid}/outputs", params={"limit": 501}).status_code == 400
    assert client.get(f"/v4/runs/{uid}/outputs", params={"offset": 1}).status_code == 400


def test_a_cancelled_run_stops_and_stays_silent(simulator: RunningSimulator, client: httpx.Client) -> None:
    """It is STOPPED, posts nothing more, and cannot be cancelled twice."""
    uid = launch(client, callback={"url": "https://example.com/hook"})
    assert client.post(f"/v4/runs/{uid}/cancel").json()["status"] == "STOPPED"
    assert client.post(f"/v4/runs/{uid}/cancel").status_code == 422
    simulator.advance(60)
    assert get(client, uid)["status"] == "STOPPED"
    assert simulator.account.deliveries == []


def test_an_unknown_run_is_not_found(client: httpx.Client) -> None:
    """404 for every way to name a run."""
    uid = "11111111-1111-4111-8111-111111111111"
    for path in (f"/v4/runs/{uid}", f"/v4/runs/{uid}/status", f"/v4/api/runs/get?uid={uid}"):
        assert client.get(path).status_code == 404
    assert resume(client, uid, "rest").status_code == resume(client, uid, "manage").status_code == 404


def test_a_limit_that_was_reached_is_retried_by_the_platform() -> None:
    """A postponed run goes on by itself at its time."""
    now = datetime(2026, 6, 1, tzinfo=UTC)
    account = Account(started_at=now, seed=3)
    for _ in range(50):
        start_run(account, Order(action_name="a", inputs=({},)), now)
    advance(account, now + timedelta(minutes=1))
    postponed = [run for run in account.runs.rows.values() if run.postponed_until]
    assert {run.status for run in postponed} == {"BLOCKED"}
    advance(account, now + timedelta(days=1))
    assert all(run.retry_count > 0 for run in postponed)


def test_the_workspace_counts_what_was_spent(client: httpx.Client) -> None:
    """Each input costs a credit, and half as much again with a managed identity."""
    launch(client, inputs=[{}, {}], identity_mode="managed")
    for prefix in ("/v4", "/v4/api"):
        workspace = client.get(f"{prefix}/workspaces").json()
        assert (workspace["credits_used"], workspace["credits_left"]) == (3.0, 99_997.0)
