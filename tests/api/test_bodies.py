from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import get_args

import httpx
import pytest

from cdsync.api.bodies import creation_body, update_fields
from cdsync.core.work import Callback, IdentityMode, Work
from tests.api.answering import Answering, client_of, in_virtual_time, opened
from tests.virtual_time import VirtualClock

FULL = Work(
    action="linkedin-extract-people",
    inputs=({"url": "https://example.com", "custom_data": {"team": "growth", "none": None}}, {"url": "é"}),
    parameters={"max_results": 500, "deep": {"list": [1, 1.5, True, None]}},
    identity_mode="managed",
    identity_ids=("6a1e0f5e-0000-4000-8000-000000000001",),
    callback=Callback(url="https://hooks.example.com/cd", headers={"Authorization": "Bearer s"}, on="final"),
)
MINIMAL = Work(action="linkedin-extract-people", inputs=({},))


def test_a_full_schedule_is_sent_as_declared() -> None:
    """Every declared field stands in the body under the API's own name, with its value unchanged."""
    body = creation_body(
        FULL,
        label="cdsync/leads",
        cron="0 9 * * 1-5",
        timezone="Europe/Paris",
        schedule_at=datetime(2026, 6, 1, 7, 0, tzinfo=UTC),
    )
    assert body == {
        "inputs": [{"url": "https://example.com", "custom_data": {"team": "growth", "none": None}}, {"url": "é"}],
        "parameters": {"max_results": 500, "deep": {"list": [1, 1.5, True, None]}},
        "identity_mode": "managed",
        "identity_ids": ["6a1e0f5e-0000-4000-8000-000000000001"],
        "callback": {
            "url": "https://hooks.example.com/cd",
            "headers": {"Authorization": "Bearer s"},
            "on": "final",
        },
        "name": "cdsync/leads",
        "cron": "0 9 * * 1-5",
        "timezone": "Europe/Paris",
        "schedule_at": "2026-06-01T07:00:00Z",
    }


def test_a_minimal_run_is_sent_with_no_field_too_many() -> None:
    """What is not declared is not sent, because a field that an older API does not know is refused."""
    assert creation_body(MINIMAL, label=None) == {"inputs": [{}], "identity_mode": "direct"}


@pytest.mark.parametrize("mode", get_args(IdentityMode))
def test_the_identity_mode_is_always_sent(mode: IdentityMode) -> None:
    """What a run costs is never left to the API's default."""
    work = Work(action="an-action", inputs=({},), identity_mode=mode)
    assert creation_body(work, label=None)["identity_mode"] == mode


@pytest.mark.parametrize("hours", [-11, -3.5, 0, 2, 5.75, 14])
def test_the_first_firing_is_sent_in_utc(hours: float) -> None:
    """Whatever offset it was declared with, `schedule_at` leaves as a moment in UTC, to the second."""
    at = datetime(2026, 12, 1, 8, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=hours)))
    sent = str(creation_body(MINIMAL, label=None, schedule_at=at)["schedule_at"])
    assert sent.endswith("Z")
    assert datetime.fromisoformat(sent) == at.replace(microsecond=0)


def test_an_update_names_what_changed_and_nothing_else() -> None:
    """A changed field is sent with its declared value, also when that is empty; unknown names are passed over."""
    fields = update_fields(
        MINIMAL, cron="0 9 * * *", timezone="UTC", changed=["parameters", "cron", "state", "callback"]
    )
    assert fields == {"callback": None, "cron": "0 9 * * *", "parameters": {}}
    assert update_fields(FULL, cron="0 9 * * *", timezone="UTC", changed=[]) == {}


def test_bodies_are_the_json_that_was_declared() -> None:
    """What arrives is the same JSON, whatever mappings and sequences the values were read into."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [httpx.Response(200, json={})])
        client = client_of(transport, clock)
        frozen = MappingProxyType({"inputs": (MappingProxyType({"a": ("é", 1.0, 10**20, None)}),)})
        await client.write("POST", "/x", query={}, body=lambda: frozen)
        (request,) = transport.asked
        assert json.loads(request.content) == {"inputs": [{"a": ["é", 1.0, 10**20, None]}]}
        assert request.headers["content-type"] == "application/json"
        await client.write("POST", "/x", query={}, body=None)
        assert transport.asked[1].content == b""
        assert "content-type" not in transport.asked[1].headers
        await client.close()

    in_virtual_time(story)


@pytest.mark.parametrize("dialect", ["manage", "rest"])
@pytest.mark.parametrize("work", [FULL, MINIMAL])
def test_a_strict_api_takes_every_body(work: Work, dialect: str) -> None:
    """The simulator, which refuses any field it does not know, takes full and minimal creations."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock, dialect="rest" if dialect == "rest" else "manage") as (api, reached):
            at = clock.now() + timedelta(days=1)
            timed = creation_body(work, label="cdsync/a", cron="0 9 * * *", timezone="UTC", schedule_at=at)
            uid = (await api.create_schedule(work.action, lambda: timed)).uid
            assert reached.account.schedules.rows[uid].next_execution_at == at
            await api.create_schedule(work.action, lambda: creation_body(work, label=None, schedule_at=at))
            run = await api.launch(work.action, lambda: creation_body(work, label="cdsync/a"))
            order = reached.account.runs.rows[run.uid].order
            assert list(order.inputs) == list(work.inputs)
            assert order.identity_mode == work.identity_mode
            if dialect == "manage":
                everything = ["inputs", "parameters", "identity_mode", "identity_ids", "cron", "timezone"]
                await api.update_schedule(
                    uid, update_fields(work, cron="0 8 * * *", timezone="UTC", changed=everything)
                )

    in_virtual_time(story)
