from __future__ import annotations

from typing import Any

import httpx
import pytest

from cdsync.simulator import Fault, RunningSimulator

LIST = "/v4/schedules"
CREATE = "/v4/actions/some-action/run/schedule"
BODY = {"inputs": [{}], "cron": "0 9 * * *", "schedule_at": "2026-06-02T00:00:00Z"}


def create(client: httpx.Client) -> str:
    uid: str = client.post(CREATE, json=BODY).json()["schedule_uid"]
    return uid


def test_a_request_dropped_before_its_effect_changes_nothing(simulator: RunningSimulator, client: httpx.Client) -> None:
    """The connection ends without an answer and the account is as before."""
    simulator.inject(Fault(kind="drop_before"))
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(CREATE, json=BODY)
    assert not simulator.account.schedules.rows


def test_a_request_dropped_after_its_effect_has_changed_the_account(
    simulator: RunningSimulator, client: httpx.Client
) -> None:
    """The connection ends without an answer, but the schedule exists."""
    simulator.inject(Fault(kind="drop_after"))
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(CREATE, json=BODY)
    assert len(simulator.account.schedules.rows) == 1
    assert [(call.status, call.fault) for call in simulator.account.calls] == [(None, "drop_after")]


def test_an_answer_may_end_in_the_middle(simulator: RunningSimulator, client: httpx.Client) -> None:
    """The content length promises more than comes."""
    simulator.inject(Fault(kind="partial"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.post(CREATE, json=BODY)
    assert len(simulator.account.schedules.rows) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", ["status", "non_json"])
def test_an_error_comes_before_or_after_the_effect(
    simulator: RunningSimulator, client: httpx.Client, kind: Any, after: bool
) -> None:
    """A 503 says nothing about what happened."""
    simulator.inject(Fault(kind=kind, code=503, after=after))
    answer = client.post(CREATE, json=BODY)
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html" if kind == "non_json" else "application/json")
    assert len(simulator.account.schedules.rows) == int(after)


def test_a_rate_limit_says_how_long_to_wait(simulator: RunningSimulator, client: httpx.Client) -> None:
    """429 carries Retry-After and the family."""
    simulator.inject(Fault(kind="rate_limit", seconds=7))
    answer = client.get(LIST)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == answer.headers["X-RateLimit-Reset"] == "7"
    assert (answer.headers["X-RateLimit-Type"], answer.headers["X-RateLimit-Remaining"]) == (LIST, "0")


@pytest.mark.parametrize("after", [False, True])
def test_a_slow_answer_outlasts_an_impatient_client(
    simulator: RunningSimulator, client: httpx.Client, after: bool
) -> None:
    """A client that gives up does not know whether its request took effect; with `after` it did."""
    simulator.inject(Fault(kind="slow", seconds=30, after=after))
    with pytest.raises(httpx.ReadTimeout):
        client.post(CREATE, json=BODY, timeout=0.2)
    assert len(simulator.account.schedules.rows) == int(after)


def test_a_stale_listing_has_not_seen_the_last_writes(simulator: RunningSimulator, client: httpx.Client) -> None:
    """A new row is missing and a changed one is as it was, in listings only."""
    first = create(client)
    client.post(f"{LIST}/{first}/pause")
    create(client)
    simulator.inject(Fault(kind="stale_listing", times=1), Fault(kind="stale_listing", times=1, writes=2))
    assert [(row["uid"], row["status"]) for row in client.get(LIST).json()] == [(first, "PAUSED")]
    assert [(row["uid"], row["status"]) for row in client.get(LIST).json()] == [(first, "ACTIVE")]
    assert len(client.get(LIST).json()) == 2


def test_a_stale_listing_of_runs_misses_the_last_launch(simulator: RunningSimulator, client: httpx.Client) -> None:
    """A run that was just launched is not listed yet."""
    client.post("/v4/actions/some-action/run/async", json={"inputs": [{}]})
    simulator.inject(Fault(kind="stale_listing"))
    assert client.get("/v4/runs").json() == []
    assert len(client.get("/v4/runs").json()) == 1


def test_a_foreign_row_before_the_offset_repeats_one(simulator: RunningSimulator, client: httpx.Client) -> None:
    """A row that appears between two pages pushes the last row of the first onto the second."""
    for _ in range(4):
        create(client)
        simulator.advance(1)
    simulator.inject(Fault(kind="shifting_listing", path=LIST))
    first = client.get(LIST, params={"sort": "created_at", "limit": 2}).json()
    simulator.inject(Fault(kind="shifting_listing", path=LIST))
    second = client.get(LIST, params={"sort": "created_at", "limit": 2, "offset": 2}).json()
    assert second[0]["uid"] == first[1]["uid"]


def test_a_row_removed_before_the_offset_hides_one(simulator: RunningSimulator, client: httpx.Client) -> None:
    """A foreign row that vanishes between two pages pulls a row past the offset, where nobody looks."""
    client.post("/_sim/schedules")
    simulator.advance(1)
    mine = []
    for _ in range(3):
        mine.append(create(client))
        simulator.advance(1)
    simulator.inject(Fault(kind="shifting_listing", change="remove", skip=1))
    client.get(LIST, params={"sort": "created_at", "limit": 2})
    second = client.get(LIST, params={"sort": "created_at", "limit": 2, "offset": 2}).json()
    assert [row["uid"] for row in second] == mine[2:]


def test_an_answer_may_have_unknown_fields(simulator: RunningSimulator, client: httpx.Client) -> None:
    """Fields that no page documents come with every object."""
    create(client)
    simulator.inject(Fault(kind="unknown_fields", times=2))
    assert "x_new_field" in client.get(LIST).json()[0]
    assert "x_new_field" in client.get("/v4/workspaces").json()


def test_a_fault_hits_what_it_names_as_often_as_it_says(client: httpx.Client) -> None:
    """Method, path glob, how many pass first and how many are hit."""
    fault = {"kind": "status", "code": 500, "method": "GET", "path": "/v4/sch*", "skip": 1, "times": 2}
    assert client.post("/_sim/faults", json=[fault]).status_code == 200
    assert client.post(CREATE, json=BODY).status_code == client.get("/v4/runs").status_code == 200
    assert [client.get(LIST).status_code for _ in range(4)] == [200, 500, 500, 200]


@pytest.mark.parametrize("fault", [{}, {"kind": "quake"}, {"kind": "slow", "speed": 1}, {"kind": "slow", "times": "2"}])
def test_a_fault_that_is_not_understood_is_refused(client: httpx.Client, fault: dict[str, Any]) -> None:
    """A misspelt fault would make a test pass for nothing."""
    assert client.post("/_sim/faults", json=[fault]).status_code == 400
