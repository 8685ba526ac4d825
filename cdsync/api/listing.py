"""Listings, read to their end or not at all.

The API pages by limit and offset, says neither total nor next, and may change between two pages (API contract section
8). Sorted by creation, what is new goes to the end; a row that leaves pulls others across the boundary of a page. So a
listing from which something is concluded about objects that are not ours overlaps its pages by one row, and starts
again when that row is another. What was made lately is read newest first, and no further than needed, as long as the
server really sorts. A missing object of ours is confirmed by UID by the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from cdsync.api.dialects import Operation
from cdsync.api.parse import parse_rows, parse_run, parse_schedule, parse_uid
from cdsync.core.model import RemoteRun, RemoteSchedule
from cdsync.errors import BadAnswer

PAGE = 100
"""The largest page the API gives (API contract section 2.5)."""

TOGETHER = 4
"""How many pages are under way at a time."""

RESTARTS = 5
LIVE = ["ACTIVE", "PAUSED"]

Row = Mapping[str, Any]
Query = Mapping[str, str | list[str]]
R = TypeVar("R", RemoteSchedule, RemoteRun)


class Reader(Protocol):
    """Whatever sends a read of the dialect's table."""

    async def read(self, operation: Operation, *, uid: str = "", query: Query | None = None) -> Any:
        """Give the JSON of the answer."""


async def read_schedules(api: Reader, *, expected: frozenset[str] | None) -> dict[str, RemoteSchedule]:
    """Every live schedule by UID.

    `expected` are the UIDs of ours, when nothing will be concluded about any other: the listing then ends as soon as
    all of them were seen, if the page was short or there was nothing else, and pages do not overlap; those that ours
    fill for certain are read together. With None the end is read for certain.

    Raises:
        BadAnswer: a row is no schedule, or the listing kept shifting.
        ApiError: a page failed.
    """
    query: Query = {"status": LIVE, "sort": "created_at"}
    rows = await (_read_overlapping(api, query) if expected is None else _read_expected(api, query, expected))
    schedules = (parse_schedule(row) for row in rows.values())
    return {schedule.uid: schedule for schedule in schedules if schedule.status not in {"CANCELLED", "COMPLETED"}}


async def read_made_schedules(api: Reader, *, action: str, since: datetime | None) -> dict[str, RemoteSchedule]:
    """The schedules of an action that were created at or after `since` (None: ever), whatever became of them."""
    return await _newest_first(api, Operation.LIST_SCHEDULES, [action], since=since, parse=parse_schedule)


async def read_runs(
    api: Reader, *, uids: Iterable[str], actions: Iterable[str], since: datetime | None
) -> dict[str, RemoteRun]:
    """Runs by UID: those with these UIDs, and those of these actions that were created at or after `since`."""
    found: dict[str, RemoteRun] = {}
    wanted = sorted(uids)
    for start in range(0, len(wanted), PAGE):
        chunk = wanted[start : start + PAGE]
        query: Query = {"uid": chunk, "sort": "created_at"}
        async for page in _pages(api, Operation.LIST_RUNS, query):
            found.update({run.uid: run for run in map(parse_run, page.values()) if run.uid in set(chunk)})
            if found.keys() >= set(chunk):
                break
    if names := sorted(set(actions)):
        found.update(await _newest_first(api, Operation.LIST_RUNS, names, since=since, parse=parse_run))
    return found


async def _newest_first(
    api: Reader, operation: Operation, actions: list[str], *, since: datetime | None, parse: Callable[[Row], R]
) -> dict[str, R]:
    """The objects of these actions by UID, the newest first, back to `since`."""
    found: dict[str, R] = {}
    times: list[datetime] = []
    # What appears meanwhile only pushes known ones onto the next page.
    async for page in _pages(api, operation, {"action_name": actions, "sort": "-created_at"}):
        rows = [parse(row) for row in page.values()]
        times.extend(row.created_at for row in rows if row.created_at is not None and row.uid not in found)
        found.update({row.uid: row for row in rows})
        if since is not None and _reach_back_to(since, times):
            break
    return found


def _reach_back_to(since: datetime, times: list[datetime]) -> bool:
    """Whether nothing newer can follow: the times fall, and the last lies before `since`.

    A server that is deaf to the sort must be read to the end; when all are of the same time, nobody knows.
    """
    if not times or times[-1] >= since:
        return False
    falling = all(one >= other for one, other in pairwise(times))
    return falling and (len(times) == 1 or times[0] > times[-1])


async def _read_expected(api: Reader, query: Query, expected: frozenset[str]) -> dict[str, Row]:
    first = await _page(api, Operation.LIST_SCHEDULES, query, offset=0)
    certain = range(PAGE, len(expected), PAGE) if len(first) == PAGE else range(0)
    pages = [first, *await _read_together(api, query, certain)]
    rows = {_uid(row): row for page in pages for row in page}
    if rows.keys() == expected or any(len(page) < PAGE for page in pages[1:]) or not first:
        return rows
    if len(first) < PAGE and expected <= rows.keys():
        return rows
    # Others' schedules are among ours, or the server has smaller pages: the rest comes one after the other.
    start = sum(map(len, pages))
    async for page in _pages(api, Operation.LIST_SCHEDULES, query, start=start, largest=len(first)):
        rows.update(page)
        if rows.keys() == expected or (len(page) < PAGE and expected <= rows.keys()):
            break
    return rows


async def _read_together(api: Reader, query: Query, offsets: range) -> list[Sequence[Row]]:
    """The pages at these offsets, some at a time; all of them or none.

    Raises:
        ApiError: one of them failed.
    """
    slots = asyncio.Semaphore(TOGETHER)

    async def read(offset: int) -> Sequence[Row]:
        async with slots:
            return await _page(api, Operation.LIST_SCHEDULES, query, offset=offset)

    try:
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(read(offset)) for offset in offsets]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in reading]


async def _pages(
    api: Reader, operation: Operation, query: Query, *, overlap: int = 0, start: int = 0, largest: int = 0
) -> AsyncIterator[dict[str, Row]]:
    """Page after page from an offset on, each as UID -> row, until the end; `largest` is the longest page so far.

    Raises:
        BadAnswer: the same page comes again and again, so that there is no end.
    """
    offset, again = start, 0
    before: list[str] = []
    while True:
        rows = await _page(api, operation, query, offset=offset)
        page = {_uid(row): row for row in rows}
        # What appears meanwhile may push the same rows into view once or twice.
        again = again + 1 if page and list(page) == before else 0
        if again == RESTARTS:
            raise BadAnswer("the listing shows the same page at every offset", remedy="try again in a moment")
        before = list(page)
        yield page
        # A first page may be short because the server caps its pages; only one that is shorter than another is the end.
        if len(rows) < max(largest, 1):
            return
        largest = max(largest, len(rows))
        offset += max(len(rows) - overlap, 1)


async def _read_overlapping(api: Reader, query: Query) -> dict[str, Row]:
    for _ in range(RESTARTS):
        seen: dict[str, Row] = {}
        last: str | None = None
        async for page in _pages(api, Operation.LIST_SCHEDULES, query, overlap=1):
            uids = list(page)
            if not uids and len(seen) <= 1:
                continue  # one row cannot overlap with the next page, so an empty one is the end here
            if last is not None and (not uids or uids[0] != last):
                break
            seen.update(page)
            last = uids[-1] if uids else None
        else:
            return seen
    raise BadAnswer("the listing kept changing while it was read", remedy="try again in a moment")


async def _page(api: Reader, operation: Operation, query: Query, *, offset: int) -> Sequence[Row]:
    answer = await api.read(operation, query={**query, "limit": str(PAGE), "offset": str(offset)})
    return parse_rows(answer, what="runs" if operation is Operation.LIST_RUNS else "schedules")


def _uid(row: Row) -> str:
    return parse_uid(row, "uid", "run_uid", "schedule_uid", "scheduled_run_uid")
