from __future__ import annotations

import httpx
import pytest

from cdsync.simulator import RunningSimulator, SimulatorOptions

LIST = "/v4/schedules"


def create_some(simulator: RunningSimulator, client: httpx.Client, number: int) -> list[str]:
    uids = []
    for index in range(number):
        body = {"inputs": [{}], "cron": f"{index % 60} 9 * * *", "schedule_at": "2026-06-02T00:00:00Z"}
        uids.append(client.post(f"/v4/actions/action-{index % 2}/run/schedule", json=body).json()["schedule_uid"])
        simulator.advance(1)
    return uids


def test_pages_are_short_by_default_and_add_up(simulator: RunningSimulator, client: httpx.Client) -> None:
    """Ten rows come unless more are asked for; sorted pages hold every row once, oldest or newest first."""
    uids = create_some(simulator, client, 25)
    assert len(client.get(LIST).json()) == 10
    pages = [
        client.get(LIST, params={"limit": 10, "offset": offset, "sort": "created_at"}).json() for offset in (0, 10, 20)
    ]
    assert [row["uid"] for page in pages for row in page] == uids
    newest = client.get(LIST, params={"limit": 100, "sort": "-created_at"}).json()
    assert [row["uid"] for row in newest] == uids[::-1]


def test_without_a_sort_the_order_is_of_no_use(simulator: RunningSimulator, client: httpx.Client) -> None:
    """The order is neither that of creation nor its reverse."""
    uids = create_some(simulator, client, 25)
    listed = [row["uid"] for row in client.get(LIST, params={"limit": 100}).json()]
    assert sorted(listed) == sorted(uids)
    assert listed not in (uids, uids[::-1])


def test_filters_are_or_within_and_and_between(simulator: RunningSimulator, client: httpx.Client) -> None:
    """A repeated key widens, another key narrows."""
    uids = create_some(simulator, client, 6)
    client.post(f"{LIST}/{uids[0]}/pause")
    client.post(f"{LIST}/{uids[1]}/cancel")
    params = {"status": ["ACTIVE", "PAUSED"], "action_name": "action-0", "sort": "created_at"}
    assert [row["uid"] for row in client.get(LIST, params=params).json()] == uids[::2]
    both = client.get(LIST, params={"uid": uids[:2], "sort": ["status", "-created_at"]}).json()
    assert [row["status"] for row in both] == ["CANCELLED", "PAUSED"]


@pytest.mark.parametrize("path", ["/v4/schedules", "/v4/api/schedules/list", "/v4/runs", "/v4/api/runs/list"])
@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=ten", "limit=10&limit=20", "offset=-1", "name=a", "page=2", "status=active"),
        *("sort=name", "sort=", "uid=not-a-uuid", "action_name=", "&".join(["sort=status"] * 11)),
    ],
)
def test_a_query_out_of_the_documentation_is_refused(client: httpx.Client, path: str, query: str) -> None:
    """No parameter is ignored and no value is corrected."""
    assert client.get(f"{path}?{query}").status_code == 400


@pytest.mark.parametrize("options", [SimulatorOptions(envelope=True)])
def test_lists_may_come_in_an_envelope(simulator: RunningSimulator, client: httpx.Client) -> None:
    """Rows are then below `data`; single objects are not wrapped."""
    uid = create_some(simulator, client, 1)[0]
    assert [row["uid"] for row in client.get(LIST).json()["data"]] == [uid]
    assert client.get(f"{LIST}/{uid}").json()["uid"] == uid
