from __future__ import annotations

from typing import Any

import httpx
import pytest

from cdsync.simulator import RunningSimulator, SimulatorOptions

CREATE = {"rest": "/v4/actions/some-action/run/schedule", "manage": "/v4/api/actions/some-action/schedule"}
LIST = {"rest": "/v4/schedules", "manage": "/v4/api/schedules/list"}
WEEKDAYS = {"cron": "0 9 * * 1-5", "inputs": [{"url": "https://example.com"}]}
LATER = "2026-06-03T08:00:00+02:00"

both_dialects = pytest.mark.parametrize("dialect", ["rest", "manage"])


def create(client: httpx.Client, dialect: str = "rest", **fields: Any) -> str:
    answer = client.post(CREATE[dialect], json={**WEEKDAYS, **fields})
    assert answer.status_code == 200, answer.text
    uid: str = answer.json()["schedule_uid"]
    return uid


def get(client: httpx.Client, uid: str, dialect: str = "rest") -> dict[str, Any]:
    path = f"/v4/schedules/{uid}" if dialect == "rest" else f"/v4/api/schedules/get?uid={uid}"
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()
    return row


def change(client: httpx.Client, uid: str, verb: str, dialect: str = "rest") -> httpx.Response:
    if dialect == "rest":
        return client.post(f"/v4/schedules/{uid}/{verb}")
    action = "delete" if verb == "cancel" else verb
    return client.post("/v4/api/schedules/manage", json={"uid": uid, "action": action})


@both_dialects
def test_a_schedule_without_a_first_time_fires_at_once(
    simulator: RunningSimulator, client: httpx.Client, dialect: str
) -> None:
    """A cron without `schedule_at` makes a run at creation, then waits for its next tick."""
    answer = client.post(CREATE[dialect], json=WEEKDAYS)
    assert answer.json() == {
        "schedule_uid": simulator.account.firings[0].schedule_uid,
        "cron": "0 9 * * 1-5",
        "timezone": "UTC",
        "next_execution_at": "2026-06-01T09:00:00.000Z",
        "created_at": "2026-06-01T07:00:00.000Z",
    }
    simulator.advance(2 * 3600)
    assert len(simulator.account.firings) == 2


@both_dialects
def test_a_schedule_with_a_first_time_waits_for_it(
    simulator: RunningSimulator, client: httpx.Client, dialect: str
) -> None:
    """With `schedule_at` nothing fires before, not even a tick of its cron."""
    uid = create(client, dialect, schedule_at=LATER)
    assert get(client, uid, dialect)["next_execution_at"] == "2026-06-03T06:00:00.000Z"
    simulator.advance(46 * 3600)
    assert simulator.account.firings == []
    simulator.advance(3600)
    assert len(simulator.account.firings) == 1
    assert get(client, uid, dialect)["next_execution_at"] == "2026-06-03T09:00:00.000Z"


def test_a_schedule_without_a_cron_is_completed_when_it_fired(
    simulator: RunningSimulator, client: httpx.Client
) -> None:
    """A one-off fires once, at once or at its time, and is COMPLETED."""
    at_once = client.post(CREATE["rest"], json={"inputs": [{}]}).json()["schedule_uid"]
    later = client.post(CREATE["rest"], json={"inputs": [{}], "schedule_at": LATER}).json()["schedule_uid"]
    assert (get(client, at_once)["status"], get(client, later)["status"]) == ("COMPLETED", "ACTIVE")
    simulator.advance(30 * 86400)
    assert get(client, later)["status"] == "COMPLETED"
    assert len(simulator.account.firings) == 2


@both_dialects
def test_a_listed_schedule_shows_its_fields_and_no_others(client: httpx.Client, dialect: str) -> None:
    """Inputs, parameters, callback and identities are never shown."""
    uid = create(client, dialect, name="a label", parameters={"max_results": 5}, identity_mode="managed")
    listed = client.get(LIST[dialect]).json()
    assert listed == [get(client, uid, dialect)]
    assert set(listed[0]) == {
        *("uid", "name", "action_id", "action_name", "user_uid", "workspace_uid", "status", "postponed_until"),
        *("cron", "timezone", "next_execution_at", "last_executed_at", "created_at", "updated_at"),
    }


@pytest.mark.parametrize("options", [SimulatorOptions(echo="normalised", labels="accept")])
def test_a_normalised_echo_means_the_same_but_reads_otherwise(client: httpx.Client) -> None:
    """Days come back as names, UTC as null, and a label that is only accepted not at all."""
    row = get(client, create(client, name="a label"))
    assert (row["cron"], row["timezone"], "name" in row) == ("0 9 * * MON-FRI", None, False)
    assert get(client, create(client, cron="0 9 * * 5-7", timezone="Europe/Paris"))["cron"] == "0 9 * * 5-7"


@pytest.mark.parametrize("options", [SimulatorOptions(labels="refuse")])
def test_an_older_backend_refuses_a_label(client: httpx.Client) -> None:
    """Where labels are not known, `name` is an unknown field."""
    answer = client.post(CREATE["rest"], json={**WEEKDAYS, "name": "a label"})
    assert (answer.status_code, "'name'" in answer.json()["message"]) == (400, True)


@both_dialects
def test_a_paused_schedule_skips_its_ticks(simulator: RunningSimulator, client: httpx.Client, dialect: str) -> None:
    """What was due while paused never fires; a resumed schedule goes on at its next tick."""
    uid = create(client, dialect, schedule_at="2026-06-01T09:00:00Z")
    assert change(client, uid, "pause", dialect).json()["status"] == "PAUSED"
    simulator.advance(2 * 86400)
    assert change(client, uid, "resume", dialect).json()["next_execution_at"] == "2026-06-03T09:00:00.000Z"
    assert simulator.account.firings == []
    simulator.advance(2 * 3600)
    assert len(simulator.account.firings) == 1


def test_a_first_time_that_still_lies_ahead_survives_a_pause(simulator: RunningSimulator, client: httpx.Client) -> None:
    """Resumed before its first time, a schedule still waits for it; a one-off resumed after it is over."""
    series = create(client, schedule_at=LATER)
    once = client.post(CREATE["rest"], json={"inputs": [{}], "schedule_at": LATER}).json()["schedule_uid"]
    change(client, series, "pause")
    change(client, once, "pause")
    assert change(client, series, "resume").json()["next_execution_at"] == "2026-06-03T06:00:00.000Z"
    simulator.advance(3 * 86400)
    assert change(client, once, "resume").json()["status"] == "COMPLETED"


@both_dialects
@pytest.mark.parametrize(
    ("before", "verb", "status"),
    [
        ([], "pause", 200),
        ([], "resume", 422),
        ([], "cancel", 200),
        (["pause"], "pause", 422),
        (["pause"], "resume", 200),
        (["pause"], "cancel", 200),
        (["cancel"], "pause", 422),
        (["cancel"], "resume", 422),
        (["cancel"], "cancel", 422),
    ],
)
def test_only_the_documented_transitions_are_possible(
    client: httpx.Client, dialect: str, before: list[str], verb: str, status: int
) -> None:
    """ACTIVE pauses, PAUSED resumes, both can be cancelled, and nothing comes back from that."""
    uid = create(client, dialect)
    for earlier in before:
        change(client, uid, earlier, dialect)
    assert change(client, uid, verb, dialect).status_code == status


@both_dialects
def test_a_cancelled_schedule_stays_listed_and_never_fires(
    simulator: RunningSimulator, client: httpx.Client, dialect: str
) -> None:
    """The row remains, as CANCELLED, unless it is filtered out."""
    uid = create(client, dialect)
    change(client, uid, "cancel", dialect)
    simulator.advance(7 * 86400)
    assert len(simulator.account.firings) == 1
    assert [row["status"] for row in client.get(LIST[dialect]).json()] == ["CANCELLED"]
    assert client.get(LIST[dialect], params={"status": ["ACTIVE", "PAUSED"]}).json() == []


def test_an_update_keeps_the_uid_and_does_not_fire(simulator: RunningSimulator, client: httpx.Client) -> None:
    """Dialect manage changes fields in place; the next execution is the next tick of the new timing."""
    uid = create(client, "manage")
    fields = {"cron": "30 10 * * *", "timezone": "Europe/Paris", "inputs": [{"a": 1}], "name": "new"}
    row = client.post("/v4/api/schedules/manage", json={"uid": uid, "action": "update", **fields}).json()
    assert (row["uid"], row["cron"], row["name"]) == (uid, "30 10 * * *", "new")
    assert row["next_execution_at"] == "2026-06-01T08:30:00.000Z"
    assert len(simulator.account.firings) == 1
    assert simulator.account.schedules.rows[uid].order.inputs == ({"a": 1},)
    simulator.advance(5400)
    assert len(simulator.account.firings) == 2


def test_an_updated_schedule_that_is_paused_stays_paused(simulator: RunningSimulator, client: httpx.Client) -> None:
    """An update does not start what a person stopped."""
    uid = create(client)
    change(client, uid, "pause")
    body = {"uid": uid, "action": "update", "cron": "* * * * *"}
    assert client.post("/v4/api/schedules/manage", json=body).json()["status"] == "PAUSED"
    simulator.advance(86400)
    assert len(simulator.account.firings) == 1


@pytest.mark.parametrize(
    "fields",
    [{"action": "update"}, {"action": "stop"}, {"action": "pause", "cron": "* * * * *"}, {"action": "update", "x": 1}],
    ids=["nothing-to-update", "unknown-action", "pause-with-fields", "unknown-field"],
)
def test_a_manage_body_at_fault_is_refused(client: httpx.Client, fields: dict[str, Any]) -> None:
    """The body of manage is as strict as any other."""
    assert client.post("/v4/api/schedules/manage", json={"uid": create(client), **fields}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v4/schedules/11111111-1111-4111-8111-111111111111"),
        ("POST", "/v4/schedules/11111111-1111-4111-8111-111111111111/pause"),
        ("GET", "/v4/api/schedules/get?uid=11111111-1111-4111-8111-111111111111"),
    ],
)
def test_an_unknown_schedule_is_not_found(client: httpx.Client, method: str, path: str) -> None:
    """404 with the flat error body."""
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error_label", "error_scope", "error_ref", "message", "status_code", "params"}
