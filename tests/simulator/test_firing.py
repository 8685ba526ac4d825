from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import pytest

from cdsync.simulator import Account, RunningSimulator
from cdsync.simulator.account import Order
from cdsync.simulator.firing import advance, next_tick
from cdsync.simulator.schedules import add

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ORDER = Order(action_name="some-action", inputs=({},))


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 9 * * 1-5", "UTC", "2026-06-05T09:00:00+00:00", "2026-06-08T09:00:00+00:00"),
        ("0 9 * * *", "Europe/Paris", "2026-06-01T06:59:00+00:00", "2026-06-01T07:00:00+00:00"),
        ("30 2 * * *", "Europe/Paris", "2026-03-28T02:00:00+00:00", "2026-03-30T00:30:00+00:00"),
        ("30 2 * * *", "Europe/Paris", "2026-10-25T00:30:00+00:00", "2026-10-26T01:30:00+00:00"),
    ],
    ids=["weekend", "zone", "skipped-hour", "repeated-hour"],
)
def test_the_next_tick_is_on_the_local_calendar(cron: str, zone: str, after: str, expected: str) -> None:
    """A tick is a local time; one that does not exist is left out, one that repeats comes once."""
    assert next_tick(cron, zone, datetime.fromisoformat(after)) == datetime.fromisoformat(expected)


def test_a_long_absence_is_caught_up_in_order_of_time() -> None:
    """Whatever was due meanwhile happens, each at its own time, in order."""
    account = Account(started_at=NOON)
    add(account, ORDER, {"cron": "0 * * * *"}, NOON)
    add(account, ORDER, {"cron": "*/20 * * * *"}, NOON)
    advance(account, NOON + timedelta(hours=2))
    times = [firing.at for firing in account.firings]
    assert len(times) == 2 + 2 + 6
    assert all(earlier <= later for earlier, later in pairwise(times))


def test_the_same_times_make_the_same_account() -> None:
    """A seeded account is repeatable: uids, statuses and order."""

    def story() -> list[tuple[str, str]]:
        account = Account(started_at=NOON, seed=7)
        add(account, ORDER, {"cron": "*/10 * * * *"}, NOON)
        advance(account, NOON + timedelta(days=1))
        return [(run.uid, run.status) for run in account.runs.rows.values()]

    assert story() == story()


def test_every_status_is_reachable() -> None:
    """Seeded runs go through all ten statuses of the API."""
    account = Account(started_at=NOON, seed=1)
    add(account, ORDER, {"cron": "*/2 * * * *"}, NOON)
    seen: set[str] = set()
    for second in range(0, 3600, 1):
        advance(account, NOON + timedelta(seconds=second))
        seen |= {run.status for run in list(account.runs.rows.values())[-12:]}
    assert seen == {
        *("CREATED", "QUEUED", "RUNNING", "SCHEDULED", "SUCCEEDED"),
        *("PARTIAL_SUCCEEDED", "FAILED", "STOPPED", "BLOCKED", "INVALID"),
    }


def test_runs_older_than_ninety_days_are_forgotten(simulator: RunningSimulator, client: httpx.Client) -> None:
    """Such a run is not listed and not found, but the firing stays counted."""
    client.post("/v4/actions/some-action/run/schedule", json={"inputs": [{}]})
    uid = simulator.account.firings[0].run_uid
    simulator.advance(90 * 86400)
    assert client.get(f"/v4/runs/{uid}").status_code == 200
    simulator.advance(1)
    assert client.get(f"/v4/runs/{uid}").status_code == 404
    assert client.get("/v4/runs").json() == []
    assert len(simulator.account.firings) == 1
