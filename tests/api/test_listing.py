from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cdsync.api import connect
from cdsync.errors import ApiError, BadAnswer, Unauthorized
from cdsync.settings import ApiSettings, DialectName
from cdsync.simulator import Fault, SimulatorOptions
from cdsync.simulator.account import Order
from cdsync.simulator.firing import start_run
from cdsync.simulator.schedules import add, cancel
from tests.api.answering import KEY, MONDAY_SEVEN, Answering, in_virtual_time, opened
from tests.virtual_time import URL, InProcess, Served, VirtualClock

NEXT_YEAR = {"cron": "0 0 1 1 *", "schedule_at": MONDAY_SEVEN + timedelta(days=200)}


def populate(reached: Served, number: int, *, action: str = "an-action", foreign: bool = True) -> list[str]:
    """Let there be so many schedules, made a second apart before now; gives their UIDs, oldest first."""
    order = Order(action_name=action, inputs=({},))
    first = MONDAY_SEVEN - timedelta(days=1)
    return [
        add(reached.account, order, NEXT_YEAR, first + timedelta(seconds=index), foreign=foreign).uid
        for index in range(number)
    ]


@pytest.mark.parametrize("dialect", ["manage", "rest"])
@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 200, 250])
def test_known_schedules_cost_the_fewest_calls(number: int, dialect: DialectName) -> None:
    """When all that is listed is ours, a hundred schedules cost one call, and none costs one too."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock, dialect=dialect) as (api, reached):
            uids = populate(reached, number)
            assert list(await api.schedules(expected=frozenset(uids))) == uids
            assert len(reached.account.calls) == max(1, math.ceil(number / 100))

    in_virtual_time(story)


@pytest.mark.parametrize("envelope", [False, True])
@pytest.mark.parametrize("number", [0, 1, 10, 11, 50, 99, 100, 101, 199, 200, 250])
def test_a_listing_is_read_to_its_end(number: int, envelope: bool) -> None:
    """Every live schedule is seen, in the order of creation, bare or in an envelope, however the pages fall."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock, SimulatorOptions(envelope=envelope)) as (api, reached):
            uids = populate(reached, number)
            assert list(await api.schedules()) == uids

    in_virtual_time(story)


def test_an_expected_schedule_that_is_not_shown_makes_it_read_on() -> None:
    """The listing ends early only when all that is ours was seen."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            uids = populate(reached, 250)
            assert list(await api.schedules(expected=frozenset({uids[0], "not-there"}))) == uids
            assert len(reached.account.calls) == 3

    in_virtual_time(story)


def test_pages_that_are_certain_are_read_together() -> None:
    """Ten pages at ten seconds each take as long as four: the first, and the other nine, four at a time."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            uids = populate(reached, 950)
            reached.simulation.faults.active.append(Fault(kind="slow", method="GET", times=100, seconds=10.0))
            assert list(await api.schedules(expected=frozenset(uids))) == uids
            assert len(reached.account.calls) == 10
            assert clock.elapsed == pytest.approx(40, abs=1)

    in_virtual_time(story)


@pytest.mark.parametrize("strangers", [1, 99, 151, 400])
def test_strangers_among_ours_are_read_past(strangers: int) -> None:
    """Where others' schedules take room on the pages that ours would fill, the rest follows one after the other."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            populate(reached, strangers)
            uids = populate(reached, 350, foreign=False)
            found = await api.schedules(expected=frozenset(uids))
            assert found.keys() >= set(uids)
            assert len(reached.account.calls) == math.ceil((350 + strangers) / 100)

    in_virtual_time(story)


@pytest.mark.parametrize("skip", [0, 1, 3])
def test_one_page_that_fails_fails_the_listing(skip: int) -> None:
    """Also when others are under way: nothing is concluded from the rest."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            uids = populate(reached, 450)
            reached.simulation.faults.active.append(Fault(kind="status", code=401, method="GET", skip=skip))
            with pytest.raises(Unauthorized):
                await api.schedules(expected=frozenset(uids))

    in_virtual_time(story)


@dataclass
class Refusing(httpx.AsyncBaseTransport):
    """Refuses one page soon, and takes a second for each other; counts those that were broken off meanwhile."""

    uids: Sequence[str]
    answered: int = 0
    broken_off: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one page."""
        offset = int(request.url.params["offset"])
        if offset == 200:
            await asyncio.sleep(0.5)
            return httpx.Response(403)
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        self.answered += 1
        return httpx.Response(200, json=[{"uid": uid} for uid in self.uids[offset : offset + 100]])


def test_a_page_that_fails_breaks_no_other_off() -> None:
    """A connection whose request is broken off may never be free again; no further page is asked for."""

    async def story(clock: VirtualClock) -> None:
        transport = Refusing([f"s-{number}" for number in range(1000)])
        async with connect(ApiSettings(base_url=URL, dialect="rest"), key=KEY, now=clock, transport=transport) as api:
            with pytest.raises(Unauthorized):
                await api.schedules(expected=frozenset(transport.uids))
        assert (transport.answered, transport.broken_off) == (4, 0)

    in_virtual_time(story)


def test_what_is_over_is_not_listed() -> None:
    """Cancelled schedules are no live ones, and do not make the listing longer."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            uids = populate(reached, 120)
            for uid in uids[:90]:
                cancel(reached.account, reached.account.schedules.rows[uid], MONDAY_SEVEN)
            assert list(await api.schedules(expected=frozenset(uids[90:]))) == uids[90:]
            assert len(reached.account.calls) == 1

    in_virtual_time(story)


@pytest.mark.parametrize("change", ["insert", "remove"])
@pytest.mark.parametrize("page", [1, 2])
def test_a_listing_that_shifts_between_two_pages_skips_nothing(change: Any, page: int) -> None:
    """When somebody changes the account while it is read, every schedule that is there all the time is seen."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            gone = populate(reached, 1)
            uids = populate(reached, 250, foreign=False)
            reached.simulation.faults.active.append(Fault(kind="shifting_listing", change=change, skip=page))
            listed = await api.schedules()
            assert set(uids) <= set(listed)
            assert set(listed) == {uid for uid, row in reached.account.schedules.rows.items() if row.status == "ACTIVE"}
            assert (gone[0] in listed) == (change == "insert")

    in_virtual_time(story)


def test_a_listing_that_never_stands_still_is_an_error() -> None:
    """Nothing is concluded from a listing that shifts at every try, and the tries are bounded."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            populate(reached, 150)
            reached.simulation.faults.active.append(Fault(kind="shifting_listing", change="insert", times=1000))
            with pytest.raises(BadAnswer, match="the listing kept changing while it was read"):
                await api.schedules()
            assert len(reached.account.calls) == 10

    in_virtual_time(story)


@pytest.mark.parametrize("expected", [None, frozenset({"ours"})])
@pytest.mark.parametrize(
    "fault", [Fault(kind="status", code=500, skip=1, times=9), Fault(kind="drop_before", skip=1, times=9)]
)
def test_a_page_that_fails_fails_the_listing(fault: Fault, expected: frozenset[str] | None) -> None:
    """Half a listing is never given back."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            populate(reached, 150)
            reached.simulation.faults.active.append(fault)
            with pytest.raises(ApiError):
                await api.schedules(expected=expected)
            reached.simulation.faults.active.clear()

    fault.skip, fault.times = 1, 9
    in_virtual_time(story)


def test_a_key_that_is_revoked_between_two_pages_fails_the_listing() -> None:
    """401 to the second page says nothing about what exists, and is not repeated."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            populate(reached, 150)
            reached.simulation.faults.active.append(Fault(kind="status", code=401, skip=1))
            with pytest.raises(Unauthorized):
                await api.schedules()
            assert len(reached.account.calls) == 2

    in_virtual_time(story)


def test_a_page_that_fails_once_is_asked_for_again() -> None:
    """A passing trouble in the middle costs one more call, not the listing."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            uids = populate(reached, 250)
            reached.simulation.faults.active.append(Fault(kind="partial", skip=1))
            assert list(await api.schedules(expected=frozenset(uids))) == uids
            assert len(reached.account.calls) == 4

    in_virtual_time(story)


def test_fields_and_statuses_of_tomorrow_are_tolerated() -> None:
    """Unknown fields are passed over; an unknown status is shown as it is, because it may be a live one."""

    async def story(clock: VirtualClock) -> None:
        rows = [
            {"uid": "u-1", "status": "HIBERNATING", "x": [{}]},
            {"uid": "u-2", "status": "completed"},
            {"uid": "u-3"},
        ]
        transport = Answering(clock, [httpx.Response(200, json=page) for page in (rows, rows[-1:])])
        settings = ApiSettings(base_url=URL, dialect="manage")
        async with connect(settings, key=KEY, now=clock, transport=transport) as api:
            listed = await api.schedules()
        assert {uid: row.status for uid, row in listed.items()} == {"u-1": "HIBERNATING", "u-3": "UNKNOWN"}
        async with opened(clock) as (api, reached):
            uids = populate(reached, 3)
            reached.simulation.faults.active.append(Fault(kind="unknown_fields"))
            assert list(await api.schedules()) == uids

    in_virtual_time(story)


@pytest.mark.parametrize(
    "answer", [{}, {"data": None}, {"data": {}}, None, "[]", 7, [7], [None], [{}], [{"uid": None}], [{"uid": 7}]]
)
def test_a_listing_that_cannot_be_understood_concludes_nothing(answer: Any) -> None:
    """A row without a UID, or no array at all, is an error and not an empty account."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [httpx.Response(200, json=answer)])
        settings = ApiSettings(base_url=URL, dialect="manage")
        async with connect(settings, key=KEY, now=clock, transport=transport) as api:
            with pytest.raises(BadAnswer):
                await api.schedules()
            with pytest.raises(BadAnswer):
                await api.schedules(expected=frozenset())
            with pytest.raises(BadAnswer):
                await api.runs(actions=["an-action"])
            with pytest.raises(BadAnswer):
                await api.runs(uids=["u-1"])
            with pytest.raises(BadAnswer):
                await api.schedules_made("an-action", since=MONDAY_SEVEN)

    in_virtual_time(story)


def serving(
    uids: Sequence[str],
    *,
    cap: int,
    order: Sequence[str] | None = None,
    deaf_to: frozenset[str] = frozenset(),
    ages: Mapping[str, timedelta] | None = None,
) -> Starlette:
    """A server that cuts its pages at `cap`, and lists in an order of its own whatever it is asked for.

    What it is `deaf_to` of the query, it passes over. What has none of the `ages` was made at seven.
    """

    async def page(request: Request) -> JSONResponse:
        query = request.query_params
        offset, limit = int(query["offset"]), int(query["limit"])
        asked.append((offset, limit))
        wanted = query.getlist("uid")
        rows = [uid for uid in order or uids if not wanted or "uid" in deaf_to or uid in wanted]
        start = 0 if "offset" in deaf_to else offset
        made = {uid: (MONDAY_SEVEN - (ages or {}).get(uid, timedelta())).isoformat() for uid in rows}
        return JSONResponse(
            [
                {"uid": uid, "status": "ACTIVE", "action_name": "an-action", "created_at": made[uid]}
                for uid in rows[start : start + min(limit, cap)]
            ]
        )

    asked: list[tuple[int, int]] = []
    app = Starlette(routes=[Route("/v4/schedules", page), Route("/v4/runs", page)])
    app.state.asked = asked
    return app


CAPS = pytest.mark.parametrize("cap", [2, 7, 10, 30, 50, 99, 100])
NUMBERS = pytest.mark.parametrize("number", [0, 1, 2, 6, 7, 8, 13, 30, 31, 59, 60, 99, 100, 101, 135])
REST = ApiSettings(base_url=URL, dialect="rest", requests_per_minute=60_000)


@pytest.mark.parametrize("known", [False, True])
@CAPS
@NUMBERS
def test_a_server_that_cuts_its_pages_is_read_completely(number: int, cap: int, known: bool) -> None:
    """A page smaller than asked for does not end a listing, wherever the server cuts; only a smaller one after it."""

    async def story(clock: VirtualClock) -> None:
        uids = [f"u-{index}" for index in range(number)]
        app = serving(uids, cap=cap, order=sorted(uids))
        async with connect(REST, key=KEY, now=clock, transport=InProcess(app)) as api:
            listed = await api.schedules(expected=frozenset(uids) if known else None)
        assert sorted(listed) == sorted(uids)
        assert {limit for _, limit in app.state.asked} == {100}

    in_virtual_time(story)


@CAPS
@NUMBERS
def test_all_that_may_be_a_lost_creation_is_read_whatever_the_page(number: int, cap: int) -> None:
    """Of schedules lately made and of runs none is overlooked because a server cuts its pages."""

    async def story(clock: VirtualClock) -> None:
        uids = [f"u-{index}" for index in range(number)]
        app = serving(uids, cap=cap)
        long_ago = MONDAY_SEVEN - timedelta(days=9)
        async with connect(REST, key=KEY, now=clock, transport=InProcess(app)) as api:
            assert list(await api.schedules_made("an-action", since=long_ago)) == uids
            assert list(await api.runs(actions=["an-action"])) == uids
            assert list(await api.runs(actions=["an-action"], since=long_ago)) == uids
            assert set(await api.runs(uids=uids)) == set(uids)
            assert set(await api.runs(uids=[*uids, "forgotten"])) == set(uids)

    in_virtual_time(story)


AGES = {
    "oldest_first": [timedelta(days=9, minutes=-index) for index in range(249)] + [timedelta()],
    "all_but_one_alike": [timedelta(days=9)] * 249 + [timedelta()],
    "by_something_else": [timedelta(days=9, minutes=index * 7 % 250) for index in range(249)] + [timedelta()],
    "each_page_by_itself": [timedelta(seconds=20 + index / 10) for index in range(100)]
    + [timedelta(days=index) for index in range(149)]
    + [timedelta()],
}


@pytest.mark.parametrize("ages", AGES.values(), ids=AGES)
def test_a_server_that_does_not_sort_is_read_to_its_end(ages: list[timedelta]) -> None:
    """One old row says nothing about the rows after it where the newest do not come first."""

    async def story(clock: VirtualClock) -> None:
        uids = [f"u-{index:03}" for index in range(len(ages))]
        app = serving(uids, cap=100, ages=dict(zip(uids, ages, strict=True)))
        since = MONDAY_SEVEN - timedelta(minutes=1)
        async with connect(REST, key=KEY, now=clock, transport=InProcess(app)) as api:
            assert "u-249" in await api.runs(actions=["an-action"], since=since)
            assert "u-249" in await api.schedules_made("an-action", since=since)

    in_virtual_time(story)


@pytest.mark.parametrize(
    ("number", "calls"), [(0, 1), (1, 2), (50, 2), (99, 2), (100, 2), (101, 2), (198, 2), (199, 3)]
)
def test_the_end_of_a_listing_costs_at_most_one_call_more(number: int, calls: int) -> None:
    """A page may be a cut one, so the next is asked for, from its last row on; only a smaller one is the end."""

    async def story(clock: VirtualClock) -> None:
        app = serving([f"u-{index:03}" for index in range(number)], cap=100)
        async with connect(REST, key=KEY, now=clock, transport=InProcess(app)) as api:
            assert len(await api.schedules()) == number
        assert len(app.state.asked) == calls

    in_virtual_time(story)


@pytest.mark.parametrize("number", [1, 2, 99, 100])
def test_a_server_that_cannot_page_is_not_asked_for_ever(number: int) -> None:
    """Where every offset shows the same page nothing is concluded from it, after a few requests."""

    async def story(clock: VirtualClock) -> None:
        uids = [f"u-{index:03}" for index in range(number)]
        app = serving(uids, cap=100, deaf_to=frozenset({"offset"}))
        async with connect(REST, key=KEY, now=clock, transport=InProcess(app)) as api:
            with pytest.raises(BadAnswer, match="the same page at every offset"):
                await api.runs(actions=["an-action"])
            with pytest.raises(BadAnswer, match="the same page at every offset"):
                await api.schedules_made("an-action", since=MONDAY_SEVEN - timedelta(days=1))
            with pytest.raises(BadAnswer):
                await api.schedules()
            assert len(await api.schedules(expected=frozenset(uids))) == number
        assert len(app.state.asked) < 30

    in_virtual_time(story)


def test_runs_that_appear_while_they_are_read_hide_none() -> None:
    """One new run pushes the only known one onto the next page: the same page again is no reason to give up."""

    async def story(clock: VirtualClock) -> None:
        def rows(*uids: str) -> httpx.Response:
            return httpx.Response(200, json=[{"uid": uid} for uid in uids])

        transport = Answering(clock, [rows("r-1"), rows("r-1"), rows("r-1"), rows()])
        async with connect(REST, key=KEY, now=clock, transport=transport) as api:
            assert list(await api.runs(actions=["an-action"])) == ["r-1"]
        assert len(transport.asked) == 4

    in_virtual_time(story)


def test_runs_that_were_not_asked_for_are_not_given() -> None:
    """A server that is deaf to the UIDs asked for is read until they are found, and the others are left out."""

    async def story(clock: VirtualClock) -> None:
        uids = [f"u-{index}" for index in range(40)]
        app = serving(uids, cap=7, deaf_to=frozenset({"uid"}))
        async with connect(REST, key=KEY, now=clock, transport=InProcess(app)) as api:
            assert list(await api.runs(uids=["u-20"])) == ["u-20"]
        assert len(app.state.asked) == 3

    in_virtual_time(story)


def test_rows_that_come_twice_are_one() -> None:
    """A UID that two pages show is listed once."""

    async def story(clock: VirtualClock) -> None:
        uids = [f"u-{index}" for index in range(150)]
        app = serving(uids, cap=100, order=[*uids[:100], *uids[95:]])
        settings = ApiSettings(base_url=URL, dialect="rest")
        async with connect(settings, key=KEY, now=clock, transport=InProcess(app)) as api:
            listed = await api.schedules(expected=frozenset(uids))
        assert list(listed) == uids

    in_virtual_time(story)


def launch(reached: Served, number: int, *, action: str = "an-action") -> list[str]:
    """Let there be so many runs, made a minute apart up to now; gives their UIDs, newest first."""
    order = Order(action_name=action, inputs=({},))
    moments: list[datetime] = [MONDAY_SEVEN - timedelta(minutes=number - index) for index in range(number)]
    return [start_run(reached.account, order, moment).uid for moment in moments][::-1]


def test_runs_are_asked_for_by_uid_in_chunks() -> None:
    """A hundred runs cost one call; what was not asked for is not given."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            uids = launch(reached, 230)
            assert set(await api.runs(uids=uids[:201])) == set(uids[:201])
            assert len(reached.account.calls) == 3
            assert await api.runs() == {}
            assert len(reached.account.calls) == 3

    in_virtual_time(story)


def test_runs_are_read_back_only_so_far() -> None:
    """The newest come first and the reading ends with the page that reaches `since`; without it, all are read."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            uids = launch(reached, 230)
            launch(reached, 50, action="another")
            recent = await api.runs(actions=["an-action"], since=MONDAY_SEVEN - timedelta(minutes=130))
            assert set(uids[:130]) <= set(recent) <= set(uids)
            assert len(reached.account.calls) == 2
            assert list(await api.runs(actions=["an-action"])) == uids
            assert len(reached.account.calls) == 5

    in_virtual_time(story)


def test_what_was_made_lately_is_read_whatever_became_of_it() -> None:
    """Schedules of an action since a moment are found also when they are cancelled, and in one page."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            uids = populate(reached, 130)
            populate(reached, 5, action="another")
            cancel(reached.account, reached.account.schedules.rows[uids[-1]], MONDAY_SEVEN)
            since = reached.account.schedules.rows[uids[-5]].created_at
            made = await api.schedules_made("an-action", since=since)
            assert set(uids[-5:]) <= set(made)
            assert made[uids[-1]].status == "CANCELLED"
            assert len(reached.account.calls) == 1

    in_virtual_time(story)
