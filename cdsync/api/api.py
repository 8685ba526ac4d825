"""The operations of the API, in the dialect that it speaks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from cdsync.api.answers import json_of
from cdsync.api.client import Body, Call, Client
from cdsync.api.dialects import DIALECTS, Dialect, Operation
from cdsync.api.limiter import Limiter
from cdsync.api.listing import read_made_schedules, read_runs, read_schedules
from cdsync.api.pages import Pages
from cdsync.api.parse import parse_results, parse_rows, parse_run, parse_schedule, parse_uid
from cdsync.core.model import SCHEDULE_STATUSES, RemoteRun, RemoteSchedule
from cdsync.core.work import Json
from cdsync.errors import ApiError, BadAnswer, NotFound, OutcomeUnknown
from cdsync.settings import ApiSettings

LONGEST_ADDRESS = 32_768
"""Of a next page, in characters; no server takes a longer one."""


@dataclass(frozen=True, slots=True)
class Created:
    """What a creation answered: the UID of the new object."""

    uid: str


@dataclass(frozen=True, slots=True)
class LivePage:
    """One page of a live answer: its rows, and the address of the next page as the API gave it."""

    rows: tuple[Json, ...]
    next_page: str | None


@asynccontextmanager
async def connect(
    settings: ApiSettings,
    *,
    key: str,
    now: Callable[[], datetime],
    dialect: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    on_call: Callable[[Call], None] | None = None,
) -> AsyncIterator[Api]:
    """Open the API in the dialect of the settings; with `auto`, in the known one, else in the one that answers.

    `on_call` hears of every request that left.

    Raises:
        ApiError: no dialect answers, or the key is refused.
    """
    client = Client(
        base_url=settings.base_url,
        key=key,
        limiter=Limiter(settings.requests_per_minute),
        timeout=settings.timeout,
        now=now,
        transport=transport,
        on_call=on_call,
    )
    try:
        name = settings.dialect if settings.dialect != "auto" else dialect
        spoken = DIALECTS[name] if name in DIALECTS else await _probe(client, settings.prefix)
        yield Api(client, spoken, prefix=settings.prefix)
    finally:
        await client.close()


async def _probe(client: Client, prefix: str) -> Dialect:
    """Ask each dialect for one schedule and keep the first that answers; a refused key is an answer, a 404 is not."""
    refused: NotFound | None = None
    for dialect in DIALECTS.values():
        try:
            await Api(client, dialect, prefix=prefix).read(Operation.LIST_SCHEDULES, query={"limit": "1"})
        except NotFound as error:
            refused = error
        else:
            return dialect
    raise ApiError(
        f"no known dialect of the API answers below {prefix}: {refused}",
        status=404,
        remedy="check api.base_url and api.prefix (Captain Data: /v4, Edges: /v1), or set api.dialect",
    )


class Api:
    """One account. Each method is one operation; all raise ApiError, and those that change something OutcomeUnknown."""

    def __init__(self, client: Client, dialect: Dialect, *, prefix: str) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/") + dialect.below_prefix
        self.dialect = dialect
        self.pages = Pages()

    def server_now(self) -> datetime:
        """The present moment on the server's clock, in UTC; the local clock until the first answer."""
        return self._client.server_now()

    def local_now(self) -> datetime:
        """The present moment on this machine's clock, in UTC."""
        return self._client.local_now()

    def stopwatch(self) -> Callable[[], timedelta]:
        """What tells how long ago this was: the longer of what this machine's clock says, which may be set, and what
        has passed for the process, which stands still while the machine sleeps."""
        loop = asyncio.get_running_loop()
        local, began = self.local_now(), loop.time()
        return lambda: max(self.local_now() - local, timedelta(seconds=loop.time() - began))

    def rate_limit(self) -> Mapping[str, str]:
        """What the last answer said of the rate limit: its X-RateLimit headers, by their names in small letters."""
        return self._client.rate_limit

    @property
    def waits_for_its_turn(self) -> bool:
        """Whether the requests of this minute have all left."""
        return self._client.waits_for_its_turn

    def hang_up(self) -> None:
        """Send nothing more; what was sent may still be answered."""
        self._client.hang_up()

    def call_counts(self) -> Counter[tuple[str, str]]:
        """How many requests left, by method and path."""
        return Counter((call.method, call.path) for call in self._client.calls)

    async def read(
        self,
        operation: Operation,
        *,
        uid: str = "",
        query: Mapping[str, str | list[str]] | None = None,
        decode: Callable[[bytes], Any] = json_of,
    ) -> Any:
        """Send a read of the dialect's table and give its JSON, or what `decode` makes of it."""
        route = self.dialect.routes[operation]
        if route is None:
            raise ApiError(f"the API's dialect {self.dialect.name} does not offer {operation}")
        path = self._prefix + route.path_for(action="", uid=uid)
        return await self._client.read(path, query={**route.query_for(uid=uid), **(query or {})}, decode=decode)

    async def _write(self, operation: Operation, *, action: str = "", uid: str = "", body: Body | None = None) -> Any:
        route = self.dialect.routes[operation]
        if route is None:
            raise ApiError(f"the API's dialect {self.dialect.name} does not offer {operation}")
        fixed = route.body_for(uid=uid)
        path = self._prefix + route.path_for(action=action, uid=uid)

        def whole() -> Mapping[str, object]:
            return {**(fixed or {}), **(body() if body else {})}

        making = None if fixed is None and body is None else whole
        return await self._client.write(route.method, path, query=route.query_for(uid=uid), body=making)

    async def schedules(self, *, expected: frozenset[str] | None = None) -> dict[str, RemoteSchedule]:
        """Every live schedule by UID, read to the end; see `listing.read_schedules` for `expected`."""
        return await read_schedules(self, expected=expected)

    async def schedules_made(self, action: str, *, since: datetime | None) -> dict[str, RemoteSchedule]:
        """The schedules of an action that were created at or after `since` (None: ever), in whatever status."""
        return await read_made_schedules(self, action=action, since=since)

    async def runs(
        self, *, uids: Iterable[str] = (), actions: Iterable[str] = (), since: datetime | None = None
    ) -> dict[str, RemoteRun]:
        """Runs by UID: these ones, or those of these actions, the newest first, back to `since`."""
        return await read_runs(self, uids=uids, actions=actions, since=since)

    async def schedule(self, uid: str) -> RemoteSchedule | None:
        """One schedule whatever its status; None when the API does not know it."""
        try:
            answer = await self.read(Operation.GET_SCHEDULE, uid=uid)
        except NotFound:
            return None
        # `get?uid=` may answer with a list of one, or of none.
        if isinstance(answer, list):
            rows = parse_rows(answer, what="schedules")
            return next((found for row in rows if (found := parse_schedule(row)).uid == uid), None)
        found = parse_schedule(answer)
        if found.uid != uid:
            raise BadAnswer(f"asked for schedule {uid}, the answer is about {found.uid}")
        return found

    async def run_inputs(self, uid: str) -> tuple[Mapping[str, Json], ...] | None:
        """The inputs of a run, at most the 100 that a schedule can have; None where the dialect does not show them."""
        if self.dialect.routes[Operation.RUN_INPUTS] is None:
            return None
        answer = await self.read(Operation.RUN_INPUTS, uid=uid, query={"limit": "100"})
        rows = parse_rows(answer, what="inputs")
        return tuple(row["input_data"] for row in rows if isinstance(row.get("input_data"), dict))

    async def workspace(self) -> str | None:
        """The UID of the workspace that the key opens; None where the API does not say."""
        if self.dialect.routes[Operation.WORKSPACE] is None:
            return None
        try:
            return parse_uid(await self.read(Operation.WORKSPACE), "uid", "workspace_uid")
        except (NotFound, BadAnswer):
            return None

    async def create_schedule(self, action: str, body: Body) -> Created:
        """Create a schedule."""
        answer = await self._write(Operation.CREATE_SCHEDULE, action=action, body=body)
        return _created(answer, "schedule_uid", "scheduled_run_uid", "uid")

    async def launch(self, action: str, body: Body) -> Created:
        """Launch a run in the background."""
        answer = await self._write(Operation.LAUNCH_ASYNC, action=action, body=body)
        return _created(answer, "run_uid", "uid")

    async def _transit(self, operation: Operation, uid: str, *, ends_as: Set[str]) -> None:
        """Send a transition; an answer that shows the schedule as if nothing had happened is no yes."""
        answer = await self._write(operation, uid=uid)
        try:
            shown = parse_schedule(answer)
        except BadAnswer:
            return  # it shows no schedule, which is as good as saying nothing
        if shown.uid == uid and shown.status in SCHEDULE_STATUSES - ends_as:
            raise OutcomeUnknown(f"{operation} of {uid} was answered with a yes, but it is shown as {shown.status}")

    async def live(self, action: str, body: Body, *, page: str | None = None) -> LivePage:
        """Ask for one input at once, or for the page of its answer that lies at an address which the API gave.

        The address is followed as it is, but never to another server than the configured one: the key goes with it.

        Raises:
            BadAnswer: the address is not that of a page of this action; nothing was sent.
        """
        route = self.dialect.routes[Operation.LAUNCH_LIVE]
        if route is None:
            raise ApiError(f"the API's dialect {self.dialect.name} does not offer {Operation.LAUNCH_LIVE}")
        path = self._prefix + route.path_for(action=action, uid="")
        if page is not None:
            path = _followed(page, path)
        answer, headers = await self._client.exchange(route.method, path, query={}, body=body, live=True)
        return LivePage(parse_results(answer), headers.get("x-pagination-next") or None)

    async def update_schedule(self, uid: str, fields: Mapping[str, object]) -> None:
        """Change fields of a schedule in place, where the dialect offers it."""
        await self._write(Operation.UPDATE_SCHEDULE, uid=uid, body=lambda: fields)

    async def pause_schedule(self, uid: str) -> None:
        """Pause a schedule."""
        await self._transit(Operation.PAUSE_SCHEDULE, uid, ends_as={"PAUSED"})

    async def resume_schedule(self, uid: str) -> None:
        """Resume a paused schedule."""
        await self._transit(Operation.RESUME_SCHEDULE, uid, ends_as={"ACTIVE"})

    async def delete_schedule(self, uid: str) -> None:
        """Cancel a schedule, which cannot be undone."""
        await self._transit(Operation.DELETE_SCHEDULE, uid, ends_as={"CANCELLED", "COMPLETED"})

    async def resume_run(self, uid: str) -> RemoteRun | None:
        """Resume a run that stands still; gives it as the API then shows it, if it does."""
        answer = await self._write(Operation.RESUME_RUN, uid=uid)
        try:
            return parse_run(answer)
        except BadAnswer:
            return None


def _followed(address: str, path: str) -> str:
    """The path and query of the next page; `path` is where the first one was."""
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    too_long = len(address) > LONGEST_ADDRESS
    if too_long or not parts.path.endswith(path) or not parts.query or not address.isprintable():
        raise BadAnswer("the address of the next page is not one of this action")
    return f"{path}?{parts.query}"


def _created(answer: Any, *keys: str) -> Created:
    try:
        return Created(parse_uid(answer, *keys))
    except BadAnswer as error:
        # The API said yes, so something exists; without its UID it has to be found by looking.
        raise OutcomeUnknown(f"created, but the answer names no UID: {error}", status=200) from error
