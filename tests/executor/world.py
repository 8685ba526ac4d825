"""A config root without files and its account, in virtual time: what is declared is applied as by a command."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

from cdsync.api import connect
from cdsync.core.events import Event
from cdsync.core.model import Address, DesiredState, Kind, OneOffRun, OwnedState, Resource, Schedule, SourceLocation
from cdsync.core.policy import Policy
from cdsync.core.records import HistoryEntry, PendingIntent
from cdsync.core.work import Work
from cdsync.executor import Report
from cdsync.executor.execute import Result
from cdsync.reconciler import Applied, Pass, Planned, apply_pass, plan_pass
from cdsync.references import References
from cdsync.settings import ApiSettings, DialectName, Settings
from cdsync.simulator import Account, Fault, SimulatorOptions
from cdsync.simulator.account import Call
from cdsync.simulator.account import Schedule as Row
from cdsync.store import open_reader, open_writer
from cdsync.taking_up import resume_pass
from tests.virtual_time import URL, Served, VirtualClock, run_virtual, serve_virtually

MONDAY_SEVEN = datetime(2026, 6, 1, 7, 0, tzinfo=UTC)
SETTLE = timedelta(seconds=15)
HERE = SourceLocation(file="all.yaml", line=1, column=1)


def schedule(name: str, cron: str = "0 9 * * *", *, of: str | None = None, **fields: Any) -> Schedule:
    """A declared schedule; its action is `of`, else one of its own, and its input says its name."""
    work = Work(
        action=of or f"action-{name}",
        inputs=({"of": name},),
        parameters=fields.pop("parameters", {}),
        callback=fields.pop("callback", None),
    )
    return Schedule(address=Address(Kind.SCHEDULE, name), work=work, cron=cron, location=HERE, **fields)


def one_off(name: str, *, of: str | None = None, at: datetime | None = None, **fields: Any) -> OneOffRun:
    """A declared one-off."""
    work = Work(action=of or f"action-{name}", inputs=({"of": name},), parameters=fields.pop("parameters", {}))
    return OneOffRun(address=Address(Kind.RUN, name), work=work, schedule_at=at, location=HERE, **fields)


@dataclass
class Watching(httpx.AsyncBaseTransport):
    """Passes requests on, and notes how many creations of one action were in flight together at most.

    `cut_off` is after how many seconds the connection of the next creation breaks; the server goes on with it.

    `lag` is how long no read shows a schedule that was made, `way` how long the answer to a read is under way.
    `behind` is the status that reads still show of a schedule, by its UID.
    `astray` is how far the Date of an answer is from the truth; each takes the next, and the last one stays.
    """

    inner: httpx.AsyncBaseTransport
    most: int = 0
    cut_off: float | None = None
    lag: timedelta = timedelta()
    way: timedelta = timedelta()
    behind: dict[str, str] = field(default_factory=dict)
    astray: tuple[timedelta, ...] = ()
    under_way: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on."""
        response = self._read_late(request, await self._passed_on(request))
        if self.astray:
            date = parsedate_to_datetime(response.headers["Date"]) + self.astray[0]
            response.headers["Date"] = format_datetime(date, usegmt=True)
            self.astray = self.astray[1:] or self.astray
        if request.method == "GET":
            response = self._read_behind(request, response)
            await asyncio.sleep(self.way.total_seconds())
        return response

    def _read_late(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not self.lag or request.method != "GET" or "schedule" not in request.url.path or not response.is_success:
            return response
        since = parsedate_to_datetime(response.headers["Date"]) - self.lag
        found = response.json()
        dated = {"Date": response.headers["Date"]}
        if isinstance(found, list):
            shown = [row for row in found if datetime.fromisoformat(row["created_at"]) < since]
            return httpx.Response(200, headers=dated, json=shown, request=request)
        if datetime.fromisoformat(found["created_at"]) < since:
            return response
        return httpx.Response(404, headers=dated, json={"error_label": "NOT_FOUND"}, request=request)

    def _read_behind(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        found = response.json() if self.behind and response.is_success else None
        for row in found if isinstance(found, list) else [found]:
            if row is not None and row.get("uid") in self.behind:
                row["status"] = self.behind[row["uid"]]
        if found is None:
            return response
        return httpx.Response(200, headers={"Date": response.headers["Date"]}, json=found, request=request)

    async def _passed_on(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST" or "/actions/" not in request.url.path:
            return await self.inner.handle_async_request(request)
        self.under_way.append(request.url.path)
        self.most = max(self.most, self.under_way.count(request.url.path))
        allowed, self.cut_off = self.cut_off, None
        try:
            return await asyncio.wait_for(self.inner.handle_async_request(request), allowed)
        except TimeoutError as error:
            raise httpx.ReadError("connection reset by peer", request=request) from error
        finally:
            self.under_way.remove(request.url.path)


@dataclass
class World:
    """An account, a state file, and what a person does with them."""

    clock: VirtualClock
    served: Served
    transport: Watching
    settings: Settings
    policy: Policy = field(default_factory=Policy)
    events: list[Event] = field(default_factory=list)
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    @property
    def account(self) -> Account:
        """What the account holds."""
        return self.served.account

    def trouble(self, *faults: Fault) -> None:
        """Let things go wrong from the next request on."""
        self.served.simulation.faults.active.extend(faults)

    def repair(self) -> None:
        """Let nothing go wrong any more."""
        self.served.simulation.faults.active.clear()

    def rows(self, *statuses: str) -> list[Row]:
        """The schedules of the account, those of these statuses if any is named, oldest first."""
        self.served.simulation.catch_up()
        return [row for row in self.account.schedules.rows.values() if not statuses or row.status in statuses]

    def calls_since(self, number: int, *, method: str | None = None) -> list[Call]:
        """The requests that came in after the first `number`."""
        return [call for call in self.account.calls[number:] if method in {None, call.method}]

    async def until(self, moment: datetime) -> None:
        """Let time pass."""
        await asyncio.sleep((moment - self.clock.now()).total_seconds())
        self.served.simulation.catch_up()

    @asynccontextmanager
    async def opened(self, resources: Iterable[Resource], **policy: Any) -> AsyncIterator[Pass]:
        """What one command works with."""
        with open_writer(self.settings.state, holder="a test", connect=self.connect) as store:
            async with connect(self.settings.api, key="a-key", now=self.clock, transport=self.transport) as api:
                yield Pass(
                    settings=self.settings,
                    desired=DesiredState(resources={resource.address: resource for resource in resources}),
                    references=References(root=self.settings.root, environment={}),
                    api=api,
                    store=store,
                    policy=replace(self.policy, **policy),
                    revision="abc123",
                )

    async def plan(self, *resources: Resource) -> Planned:
        """What an apply would do."""
        async with self.opened(resources) as work:
            return await plan_pass(work)

    async def apply(
        self,
        *resources: Resource,
        patient: bool = True,
        meanwhile: Callable[[], None] | None = None,
        **policy: Any,
    ) -> Applied:
        """Apply what is declared; `meanwhile` happens between the plan and its first request."""
        async with self.opened(resources, **policy) as work:
            return await self.applying(work, patient=patient, meanwhile=meanwhile)

    async def applying(
        self, work: Pass, *, patient: bool = True, meanwhile: Callable[[], None] | None = None
    ) -> Applied:
        """Let one command that is open apply."""

        def approve(_planned: Planned) -> bool:
            if meanwhile is not None:
                meanwhile()
            return True

        applied = await apply_pass(
            work,
            review=lambda _: None,
            approve=approve,
            lifted=lambda _: True,
            on_event=self.events.append,
            patient=patient,
        )
        assert applied is not None
        return applied

    async def die(self, resource: Resource, *, after: float) -> None:
        """Let an apply die after so many seconds, whatever it is at."""
        apply = asyncio.create_task(self.apply(resource))
        await asyncio.sleep(after)
        apply.cancel()
        await asyncio.gather(apply, return_exceptions=True)

    async def resume(self, resource: Resource) -> Report:
        """Resume what stands still of a resource, by a person's word."""
        async with self.opened((resource,)) as work:
            return await resume_pass(work, resource.address, on_event=self.events.append)

    def owned(self) -> OwnedState:
        """What the state file says is ours."""
        with open_reader(self.settings.state) as store:
            return store.owned()

    def uid_of(self, resource: Resource) -> str:
        """The object that a resource owns."""
        return self.owned().resources[resource.address].uid

    def pending(self) -> tuple[PendingIntent, ...]:
        """The creations of unknown outcome."""
        with open_reader(self.settings.state) as store:
            return store.pending()

    def fact(self, key: str) -> str | None:
        """Something that the state file remembers."""
        with open_reader(self.settings.state) as store:
            return store.fact(key)

    def history(self) -> tuple[HistoryEntry, ...]:
        """What was done."""
        with open_reader(self.settings.state) as store:
            return store.history()


def outcomes(report: Report) -> dict[str, str]:
    """What became of each resource, by name; of several actions on one, the last."""
    return {result.action.address.name: result.outcome for result in report.results}


def results(applied: Applied) -> list[Result]:
    """Everything that one apply tried."""
    return [result for report in applied.reports for result in report.results]


def live_in(
    root: Path,
    story: Callable[[World], Coroutine[Any, Any, None]],
    *,
    dialect: DialectName = "manage",
    start: datetime = MONDAY_SEVEN,
    **options: Any,
) -> None:
    """Run a story in a new world; `options` are those of the simulated API."""

    async def begin(clock: VirtualClock) -> None:
        served = serve_virtually(VirtualClock(asyncio.get_running_loop(), start=start), SimulatorOptions(**options))
        api = ApiSettings(base_url=URL, dialect=dialect, requests_per_minute=60_000, settle=SETTLE)
        settings = Settings(root=root, api=api, state=root / "state.db", results=root / "results")
        await story(World(clock, served, Watching(served.transport), settings))

    run_virtual(begin, start=start)
