from __future__ import annotations

from typing import Any

import httpx
import pytest

from cdsync.simulator import RunningSimulator

SCHEDULE = "/v4/actions/some-action/run/schedule"
ASYNC = "/v4/actions/some-action/run/async"
LIVE = "/v4/actions/some-action/run/live"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"colour": "red"}, "'colour'"),
        ({"input": {}}, "'input'"),
        ({"inputs": []}, "inputs"),
        ({"inputs": [{}] * 101}, "inputs"),
        ({"inputs": ["text"]}, "inputs"),
        ({"inputs": {}}, "inputs"),
        ({"cron": ""}, "cron"),
        ({"cron": "@daily"}, "cron"),
        ({"cron": "* * * * * *"}, "cron"),
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"cron": "0 0 L * *"}, "cron"),
        ({"cron": "H * * * *"}, "cron"),
        ({"cron": "1," * 200 + "1 * * * *"}, "cron"),
        ({"cron": None}, "cron"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"schedule_at": "2026-06-02T00:00:00"}, "schedule_at"),
        ({"schedule_at": "soon"}, "schedule_at"),
        ({"schedule_at": "2026-06-01T06:58:59Z"}, "schedule_at"),
        ({"callback": {"url": "http://example.com"}}, "callback.url"),
        ({"callback": {"on": "all"}}, "'url'"),
        ({"callback": {"url": "https://example.com", "on": "never"}}, "on"),
        ({"callback": {"url": "https://example.com", "headers": {"A": 1}}}, "callback.headers"),
        ({"callback": {"url": "https://example.com", "secret": "s"}}, "'secret'"),
        ({"name": "x" * 256}, "name"),
        ({"identity_mode": "some"}, "identity_mode"),
        ({"identity_ids": "one"}, "identity_ids"),
        ({"parameters": []}, "parameters"),
    ],
)
def test_a_field_at_fault_is_named_and_nothing_is_created(
    simulator: RunningSimulator, client: httpx.Client, fields: dict[str, Any], named: str
) -> None:
    """400 says which field is wrong, and the account stays as it was."""
    answer = client.post(SCHEDULE, json={"inputs": [{}], **fields})
    assert (answer.status_code, answer.json()["error_label"]) == (400, "BAD_INPUT")
    assert named in answer.json()["message"]
    assert not simulator.account.schedules.rows


def test_every_documented_field_is_taken(simulator: RunningSimulator, client: httpx.Client) -> None:
    """The whole body of the reference is valid, nulls where they are allowed included."""
    body = {
        "inputs": [{"url": "https://example.com", "custom_data": {"row": 1}}] * 100,
        "cron": "*/15 8-18/2 1,15 jan-jun MON-fri",
        "timezone": "America/New_York",
        "schedule_at": "2026-06-01T06:59:01Z",
        "callback": {"url": "http://127.0.0.1:9/hook", "headers": {"Authorization": "t"}, "on": "final"},
        "name": None,
        "parameters": {"max_results": 10},
        "identity_mode": "direct",
        "identity_ids": None,
    }
    assert client.post(SCHEDULE, json=body).status_code == 200
    assert len(simulator.account.firings) == 1


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (SCHEDULE, {"cron": "* * * * *"}, "'inputs'"),
        (ASYNC, {"inputs": [{}], "cron": "* * * * *"}, "'cron'"),
        (ASYNC, {"input": {}}, "'inputs'"),
        (LIVE, {"input": {}, "inputs": [{}]}, "'inputs'"),
        (LIVE, {"input": {}, "callback": {"url": "https://example.com"}}, "'callback'"),
        (LIVE, {}, "'input'"),
        (SCHEDULE, [], "JSON object"),
    ],
)
def test_each_mode_takes_only_its_own_fields(client: httpx.Client, path: str, body: Any, named: str) -> None:
    """`input` belongs to live, `inputs` to the others, timing to schedules alone."""
    answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert named in answer.json()["message"]


def test_a_body_that_is_not_json_is_refused(client: httpx.Client) -> None:
    """Neither broken JSON nor another content type is taken."""
    broken = client.post(SCHEDULE, content=b"{", headers={"Content-Type": "application/json"})
    form = client.post(SCHEDULE, data={"inputs": "1"})
    assert (broken.status_code, form.status_code) == (400, 400)


def test_a_background_run_takes_many_inputs(client: httpx.Client) -> None:
    """100,000 inputs are the most."""
    assert client.post(ASYNC, json={"inputs": [{}] * 100_000}).status_code == 200
    assert client.post(ASYNC, json={"inputs": [{}] * 100_001}).status_code == 400
