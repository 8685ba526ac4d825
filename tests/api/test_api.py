from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from typing import Any, get_args

import httpx
import pytest

from cdsync.api import Api, connect
from cdsync.api.dialects import DIALECTS, Operation
from cdsync.errors import ApiError, BadAnswer, CdsyncError, NotFound, OutcomeUnknown, Rejected, Unauthorized
from cdsync.settings import ApiSettings, DialectName
from cdsync.simulator import Clock, Fault, RunningSimulator, SimulatorOptions, running
from tests.api.answering import KEY, MONDAY_SEVEN, Answering, in_virtual_time, opened
from tests.virtual_time import URL, VirtualClock

SPOKEN: tuple[DialectName, ...] = ("manage", "rest")
ONCE = {"inputs": [{}], "identity_mode": "direct", "schedule_at": "2026-06-02T07:00:00Z"}
DAILY = {**ONCE, "cron": "0 9 * * *", "timezone": "Europe/Paris", "name": "cdsync/daily"}


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A served account whose time stands still."""
    with running(SimulatorOptions(key=KEY), clock=Clock(start=MONDAY_SEVEN, speed=0)) as served:
        yield served


def talk(
    simulator: RunningSimulator,
    story: Callable[[Api], Coroutine[Any, Any, None]],
    dialect: DialectName = "auto",
    *,
    key: str = KEY,
    known: str | None = None,
) -> None:
    """Open the API over loopback and run a story with it."""

    async def opened_there() -> None:
        settings = ApiSettings(base_url=simulator.url, dialect=dialect, requests_per_minute=60_000)
        async with connect(settings, key=key, now=lambda: MONDAY_SEVEN, dialect=known) as api:
            await story(api)

    asyncio.run(opened_there())


async def nothing(_api: Api) -> None:
    """Only connect."""


@pytest.mark.parametrize("dialect", SPOKEN)
def test_a_schedule_goes_through_every_operation(simulator: RunningSimulator, dialect: DialectName) -> None:
    """A schedule is created, listed, got, paused, resumed and cancelled, one request each."""

    async def story(api: Api) -> None:
        uid = (await api.create_schedule("linkedin-extract-people", lambda: DAILY)).uid
        (listed,) = (await api.schedules()).values()
        found = await api.schedule(uid)
        assert listed == found
        assert found is not None
        assert (found.uid, found.action, found.status) == (uid, "linkedin-extract-people", "ACTIVE")
        assert (found.cron, found.timezone, found.label) == ("0 9 * * *", "Europe/Paris", "cdsync/daily")
        assert found.created_at == MONDAY_SEVEN
        assert found.next_execution_at == MONDAY_SEVEN + timedelta(days=1)
        await api.pause_schedule(uid)
        assert (await api.schedules())[uid].status == "PAUSED"
        await api.resume_schedule(uid)
        assert (await api.schedules())[uid].status == "ACTIVE"
        await api.delete_schedule(uid)
        assert await api.schedules() == {}
        gone = await api.schedule(uid)
        assert gone is not None
        assert gone.status == "CANCELLED"
        assert set(await api.schedules_made("linkedin-extract-people", since=MONDAY_SEVEN)) == {uid}

    talk(simulator, story, dialect)
    assert all(call.status == 200 for call in simulator.account.calls)
    assert simulator.account.firings == []


@pytest.mark.parametrize("dialect", SPOKEN)
def test_a_run_goes_through_every_operation(simulator: RunningSimulator, dialect: DialectName) -> None:
    """A run is launched, found by its UID and by its action, and resumed."""

    async def story(api: Api) -> None:
        body = {"inputs": [{}], "identity_mode": "direct", "parameters": {"max_results": 3}, "name": "cdsync/once"}
        uid = (await api.launch("linkedin-extract-people", lambda: body)).uid
        by_uid = await api.runs(uids=[uid])
        assert by_uid == await api.runs(actions=["linkedin-extract-people"])
        assert (by_uid[uid].status, by_uid[uid].label, by_uid[uid].parameters) == (
            "CREATED",
            "cdsync/once",
            {"max_results": 3},
        )
        assert await api.runs(actions=["another-action"]) == {}
        async with httpx.AsyncClient(base_url=simulator.url, trust_env=False) as hand:
            await hand.post(f"/_sim/runs/{uid}", json={"status": "STOPPED"})
        resumed = await api.resume_run(uid)
        assert resumed is not None
        assert (resumed.uid, resumed.status) == (uid, "SCHEDULED")

    talk(simulator, story, dialect)


def test_an_update_changes_only_what_it_names(simulator: RunningSimulator) -> None:
    """Where the dialect can, one request changes a schedule in place, and its UID stays."""

    async def story(api: Api) -> None:
        uid = (await api.create_schedule("an-action", lambda: DAILY)).uid
        await api.update_schedule(uid, {"cron": "0 10 * * *", "inputs": [{"a": 1}]})
        (found,) = (await api.schedules()).values()
        assert (found.uid, found.cron, found.timezone) == (uid, "0 10 * * *", "Europe/Paris")

    talk(simulator, story, "manage")
    (row,) = simulator.account.schedules.rows.values()
    assert list(row.order.inputs) == [{"a": 1}]


def test_what_a_dialect_does_not_offer_is_never_sent(simulator: RunningSimulator) -> None:
    """An update in the dialect `rest` fails without a request."""

    async def story(api: Api) -> None:
        with pytest.raises(ApiError, match=r"^the API's dialect rest does not offer update-schedule$"):
            await api.update_schedule("some-uid", {"cron": "0 10 * * *"})

    talk(simulator, story, "rest")
    assert simulator.account.calls == []


@pytest.mark.parametrize("dialect", SPOKEN)
def test_a_schedule_that_nobody_knows_is_none(simulator: RunningSimulator, dialect: DialectName) -> None:
    """404 to a get is absence; 404 to a change is NotFound."""

    async def story(api: Api) -> None:
        assert await api.schedule("0d8f1c3e-0000-4000-8000-000000000000") is None
        with pytest.raises(NotFound):
            await api.pause_schedule("0d8f1c3e-0000-4000-8000-000000000000")

    talk(simulator, story, dialect)


@pytest.mark.parametrize("dialect", SPOKEN)
def test_a_uid_cannot_lead_to_another_path(simulator: RunningSimulator, dialect: DialectName) -> None:
    """UIDs and actions are quoted, whatever they hold: no other schedule is touched by `a/../b`."""

    async def story(api: Api) -> None:
        uid = (await api.create_schedule("an-action", lambda: DAILY)).uid
        for odd in (f"x/../{uid}", f"{uid}?a=b", f"{uid}#x", f"{uid}&action=delete", "{action}", "%2e%2e"):
            with pytest.raises(Rejected):
                await api.delete_schedule(odd)
            assert await api.schedule(odd) is None
        assert (await api.schedules())[uid].status == "ACTIVE"

    talk(simulator, story, dialect)


def test_every_operation_has_a_row_in_both_tables() -> None:
    """A dialect says of each operation how it is asked for, or that it is not offered."""
    for dialect in DIALECTS.values():
        assert set(dialect.routes) == set(Operation)
    assert set(DIALECTS) == set(get_args(DialectName)) - {"auto"}


def test_auto_takes_manage_where_both_are_served(simulator: RunningSimulator) -> None:
    """The first dialect that answers is spoken, after one request."""

    async def story(api: Api) -> None:
        assert api.dialect.name == "manage"

    talk(simulator, story)
    assert [call.path for call in simulator.account.calls] == ["/v4/api/schedules/list"]


@pytest.mark.parametrize(("prefix", "served"), [("/v4", "rest"), ("/v1", "rest"), ("/v1", "manage")])
def test_auto_takes_the_only_one_that_is_served(prefix: str, served: Any) -> None:
    """A 404 says that this dialect is not spoken here, and the next is asked."""

    async def story(clock: VirtualClock) -> tuple[str, int]:
        options = SimulatorOptions(dialects=(served,), prefix=prefix)
        async with opened(clock, options) as (_, reached):
            settings = ApiSettings(base_url=URL, prefix=prefix)
            async with connect(settings, key=KEY, now=clock, transport=reached.transport) as api:
                assert await api.schedules() == {}
                return api.dialect.name, len(reached.account.calls)

    assert in_virtual_time(story) == (served, 2 if served == "manage" else 3)


@pytest.mark.parametrize("known", SPOKEN)
def test_a_known_dialect_is_not_asked_for(simulator: RunningSimulator, known: DialectName) -> None:
    """No request leaves to find out what the settings or the store say already, and the settings come first."""

    async def story(api: Api) -> None:
        assert api.dialect.name == known

    talk(simulator, story, known, known="rest" if known == "manage" else "manage")
    talk(simulator, story, "auto", known=known)
    assert simulator.account.calls == []


def test_a_dialect_that_no_version_knows_is_found_out_again(simulator: RunningSimulator) -> None:
    """A store of a newer version cannot lead to a dialect that this one does not speak."""
    talk(simulator, nothing, known="grpc")
    assert len(simulator.account.calls) == 1


def test_a_refused_key_is_an_answer(simulator: RunningSimulator) -> None:
    """401 ends the probe as Unauthorized at once, because the dialect was understood."""
    with pytest.raises(Unauthorized) as caught:
        talk(simulator, nothing, key="a-wrong-key")
    assert caught.value.status == 401
    assert "a-wrong-key" not in str(caught.value)
    assert len(simulator.account.calls) == 1


def test_no_dialect_answers() -> None:
    """404 to all dialects says where it was looked and what to set."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock, SimulatorOptions(prefix="/v9")) as (_, reached):
            with pytest.raises(ApiError) as caught:
                async with connect(ApiSettings(base_url=URL), key=KEY, now=clock, transport=reached.transport):
                    pass
        assert "no known dialect of the API answers below /v4" in str(caught.value)
        assert "api.prefix" in str(caught.value.remedy)
        assert not isinstance(caught.value, NotFound)
        assert len(reached.account.calls) == 2

    in_virtual_time(story)


@pytest.mark.parametrize("kind", ["status", "drop_before", "non_json"])
def test_a_probe_that_fails_decides_nothing(kind: Any) -> None:
    """A server in trouble is not a dialect that is absent: the probe ends with the error, the next is not tried."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (_, reached):
            reached.simulation.faults.active.append(Fault(kind=kind, times=100))
            with pytest.raises(CdsyncError) as caught:
                async with connect(ApiSettings(base_url=URL), key=KEY, now=clock, transport=reached.transport):
                    pass
        assert caught.value.retryable
        assert {call.path for call in reached.account.calls} == {"/v4/api/schedules/list"}

    in_virtual_time(story)


@pytest.mark.parametrize(
    "key", ["cl\u00e9-secr\u00e8te", "two\nlines", "\U0001f511", "a-trailing-space ", "\ta-tab", ""]
)
def test_a_key_that_no_header_can_carry_is_not_shown(key: str) -> None:
    """A key of odd characters fails as an error of ours, in which it does not stand."""

    async def story(clock: VirtualClock) -> None:
        with pytest.raises(CdsyncError) as caught:
            async with connect(ApiSettings(base_url=URL), key=key, now=clock, transport=Answering(clock, [])) as api:
                await api.schedules()
        error: BaseException | None = caught.value
        while error is not None:
            assert not key or key not in f"{error} {error!r}"
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)

    in_virtual_time(story)


@pytest.mark.parametrize(
    "answer",
    [
        *({"schedule_uid": "u-1"}, {"scheduled_run_uid": "u-1"}, {"uid": "u-1"}, {"data": {"uid": "u-1"}}),
        {"uid": None, "schedule_uid": "u-1", "surprise": {"a": [1]}},
    ],
)
def test_a_creation_tells_its_uid_in_any_age(answer: Any) -> None:
    """The answer's UID is taken under each of the names that the API has for it."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [httpx.Response(201, json=answer)])
        settings = ApiSettings(base_url=URL, dialect="manage")
        async with connect(settings, key=KEY, now=clock, transport=transport) as api:
            assert (await api.create_schedule("an-action", lambda: ONCE)).uid == "u-1"

    in_virtual_time(story)


@pytest.mark.parametrize("answer", [{}, [], None, "yes", {"uid": 7}, {"uid": ""}, {"data": []}])
def test_a_yes_without_a_uid_has_to_be_looked_for(answer: Any) -> None:
    """A creation that succeeded but names no UID is of unknown outcome, not failed: it exists."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [httpx.Response(200, json=answer)])
        settings = ApiSettings(base_url=URL, dialect="rest")
        async with connect(settings, key=KEY, now=clock, transport=transport) as api:
            with pytest.raises(OutcomeUnknown):
                await api.create_schedule("an-action", lambda: ONCE)
            with pytest.raises(OutcomeUnknown):
                await api.launch("an-action", lambda: {"inputs": [{}]})
        assert len(transport.asked) == 2

    in_virtual_time(story)


NO_CONTENT = httpx.Response(204)


@pytest.mark.parametrize("dialect", SPOKEN)
def test_no_content_is_a_yes_to_a_change(dialect: DialectName) -> None:
    """204 to what changes an object that is known is a success, one request each."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [NO_CONTENT])
        async with connect(ApiSettings(base_url=URL, dialect=dialect), key=KEY, now=clock, transport=transport) as api:
            await api.pause_schedule("u-1")
            await api.resume_schedule("u-1")
            await api.delete_schedule("u-1")
            assert await api.resume_run("u-1") is None
        assert len(transport.asked) == 4

    in_virtual_time(story)


def test_no_content_to_an_update_in_place_is_a_yes() -> None:
    """Where the dialect offers it, 204 to an update is a success too."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [NO_CONTENT])
        async with connect(ApiSettings(base_url=URL, dialect="manage"), key=KEY, now=clock, transport=transport) as api:
            await api.update_schedule("u-1", {"cron": "0 9 * * *"})
        assert len(transport.asked) == 1

    in_virtual_time(story)


@pytest.mark.parametrize("dialect", SPOKEN)
def test_no_content_to_a_creation_has_to_be_looked_for(dialect: DialectName) -> None:
    """204 to a creation names no UID: something exists, and which one is not known."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [NO_CONTENT])
        async with connect(ApiSettings(base_url=URL, dialect=dialect), key=KEY, now=clock, transport=transport) as api:
            with pytest.raises(OutcomeUnknown):
                await api.create_schedule("an-action", lambda: ONCE)
            with pytest.raises(OutcomeUnknown):
                await api.launch("an-action", lambda: {"inputs": [{}]})
        assert len(transport.asked) == 2

    in_virtual_time(story)


@pytest.mark.parametrize("dialect", SPOKEN)
def test_no_content_to_a_read_concludes_nothing(dialect: DialectName) -> None:
    """204 is no empty account, and no absent schedule."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [NO_CONTENT])
        async with connect(ApiSettings(base_url=URL, dialect=dialect), key=KEY, now=clock, transport=transport) as api:
            with pytest.raises(BadAnswer):
                await api.schedules()
            with pytest.raises(BadAnswer):
                await api.schedules(expected=frozenset())
            with pytest.raises(BadAnswer):
                await api.runs(uids=["u-1"])
            with pytest.raises(BadAnswer):
                await api.schedule("u-1")

    in_virtual_time(story)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"uid": "u-1"}, True),
        ({"data": {"uid": "u-1"}}, True),
        ([{"uid": "u-0"}, {"uid": "u-1"}], True),
        ([{"uid": "u-0"}], False),
        ([], False),
    ],
)
def test_a_get_may_answer_with_a_list(answer: Any, found: bool) -> None:
    """The object asked for is taken out of whatever holds it; a list without it is absence."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [httpx.Response(200, json=answer)])
        settings = ApiSettings(base_url=URL, dialect="manage")
        async with connect(settings, key=KEY, now=clock, transport=transport) as api:
            schedule = await api.schedule("u-1")
        assert (schedule is not None) == found

    in_virtual_time(story)


@pytest.mark.parametrize("answer", [{"uid": "u-2"}, {}, None, "text", 7, [7]])
def test_a_get_that_answers_about_another_concludes_nothing(answer: Any) -> None:
    """An answer about something else is neither the object nor its absence."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [httpx.Response(200, json=answer)])
        settings = ApiSettings(base_url=URL, dialect="manage")
        async with connect(settings, key=KEY, now=clock, transport=transport) as api:
            with pytest.raises(BadAnswer):
                await api.schedule("u-1")

    in_virtual_time(story)


def test_calls_are_counted_by_method_and_path() -> None:
    """Each request that left is counted, repeated ones too, and the key is in no record."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            reached.simulation.faults.active.append(Fault(kind="status", code=503))
            await api.schedules()
            uid = (await api.create_schedule("an-action", lambda: DAILY)).uid
            await api.pause_schedule(uid)
            assert api.call_counts() == {
                ("GET", "/v4/api/schedules/list"): 2,
                ("POST", "/v4/api/actions/an-action/schedule"): 1,
                ("POST", "/v4/api/schedules/manage"): 1,
            }
            assert KEY not in f"{api.call_counts()!r} {api!r} {vars(api)!r} {api._client.calls!r}"

    in_virtual_time(story)


@pytest.mark.parametrize(("verb", "shown"), [("pause", "ACTIVE"), ("resume", "PAUSED"), ("delete", "ACTIVE")])
def test_a_yes_that_shows_no_effect_is_not_believed(verb: str, shown: str) -> None:
    """An answer that shows the schedule as if nothing had happened leaves the change to be looked for."""

    async def story(clock: VirtualClock) -> None:
        answer = httpx.Response(200, json={"uid": "u1", "status": shown, "action_name": "a"})
        settings = ApiSettings(base_url=URL, dialect="rest")
        async with connect(settings, key=KEY, now=clock, transport=Answering(clock, [answer])) as api:
            with pytest.raises(OutcomeUnknown, match=f"shown as {shown}"):
                await getattr(api, f"{verb}_schedule")("u1")

    in_virtual_time(story)


@pytest.mark.parametrize("query", ["offset=100", "a=" + "x" * 8_000])
def test_the_next_page_is_followed_at_its_address(query: str) -> None:
    """As the API gave it, with its own query."""
    asked = next_page_of(query)
    assert asked[-1].url.query.decode() == query


@pytest.mark.parametrize("query", ["", "a=" + "x" * 70_000])
def test_an_address_that_is_no_page_is_not_followed(query: str) -> None:
    """Nothing is sent, and the error is one of the API's answer."""
    with pytest.raises(BadAnswer):
        next_page_of(query)


def next_page_of(query: str) -> list[httpx.Request]:
    """What was asked when a live answer names a next page with this query."""

    async def story(clock: VirtualClock) -> list[httpx.Request]:
        transport = Answering(clock, [httpx.Response(200, json=[])])
        async with connect(ApiSettings(base_url=URL, dialect="rest"), key=KEY, now=clock, transport=transport) as api:
            await api.live("act", dict)
            address = f"{URL}{transport.asked[-1].url.path}?{query}"
            await api.live("act", dict, page=address)
        return transport.asked

    return in_virtual_time(story)
