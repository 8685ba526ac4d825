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
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Generic, Protocol, TypeVar

from cdsync.api.dialects import Operation
from cdsync.api.pages import Pages, runs_in, schedules_in
from cdsync.core.model import RemoteRun, RemoteSchedule
from cdsync.errors import ApiError, BadAnswer

PAGE = 100
"""The largest page the API gives (API contract section 2.5)."""

TOGETHER = 4
"""How many pages are under way at a time."""

RESTARTS = 5
LIVE = ["ACTIVE", "PAUSED"]

Query = Mapping[str, str | list[str]]
R = TypeVar("R", RemoteSchedule, RemoteRun)


class Reader(Protocol):
    """Whatever sends a read of the dialect's table."""

    pages: Pages

    async def read(
        self, operation: Operation, *, query: Query | None = None, decode: Callable[[bytes], Any] = ...
    ) -> Any:
        """Give what `decode` makes of the answer."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """What is listed: the operation, the query without the page, and how a page is read."""

    api: Reader
    operation: Operation
    query: Query
    decode: Callable[[bytes], Sequence[R]]

    async def page(self, offset: int) -> Sequence[R]:
        """The page that begins at an offset.

        Raises:
            BadAnswer: it is no page.
            ApiError: it could not be read.
        """
        query = {**self.query, "limit": str(PAGE), "offset": str(offset)}
        rows: Sequence[R] | None = await self.api.read(self.operation, query=query, decode=self.decode)
        if rows is None:
            raise BadAnswer("the answer to a listing is empty, where an array was expected")
        return rows


async def read_schedules(api: Reader, *, expected: frozenset[str] | None) -> dict[str, RemoteSchedule]:
    """Every live schedule by UID.

    `expected` are the UIDs of ours, when nothing will be concluded about any other: the listing then ends as soon as
    all of them were seen, if the page was short or there was nothing else, and pages do not overlap; those that ours
    fill for certain are read together. With None the end is read for certain.

    Raises:
        BadAnswer: a row is no schedule, or the listing kept shifting.
        ApiError: a page failed.
    """
    api.pages.begin()
    query: Query = {"status": LIVE, "sort": "created_at"}
    listing = Listing(api, Operation.LIST_SCHEDULES, query, api.pages.schedules_in)
    rows = await (_read_overlapping(listing) if expected is None else _read_expected(listing, expected))
    return {uid: schedule for uid, schedule in rows.items() if schedule.status not in {"CANCELLED", "COMPLETED"}}


async def read_made_schedules(api: Reader, *, action: str, since: datetime | None) -> dict[str, RemoteSchedule]:
    """The schedules of an action that were created at or after `since` (None: ever), whatever became of them."""
    query: Query = {"action_name": [action], "sort": "-created_at"}
    return await _newest_first(Listing(api, Operation.LIST_SCHEDULES, query, schedules_in), since=since)


async def read_runs(
    api: Reader, *, uids: Iterable[str], actions: Iterable[str], since: datetime | None
) -> dict[str, RemoteRun]:
    """Runs by UID: those with these UIDs, and those of these actions that were created at or after `since`."""
    found: dict[str, RemoteRun] = {}
    wanted = sorted(uids)
    for start in range(0, len(wanted), PAGE):
        chunk = wanted[start : start + PAGE]
        query: Query = {"uid": chunk, "sort": "created_at"}
        async for page in _pages(Listing(api, Operation.LIST_RUNS, query, runs_in)):
            found.update({uid: run for uid, run in page.items() if uid in set(chunk)})
            if found.keys() >= set(chunk):
                break
    if names := sorted(set(actions)):
        newest: Query = {"action_name": names, "sort": "-created_at"}
        found.update(await _newest_first(Listing(api, Operation.LIST_RUNS, newest, runs_in), since=since))
    return found


async def _newest_first(listing: Listing[R], *, since: datetime | None) -> dict[str, R]:
    """What is listed by UID, the newest first, back to `since`."""
    found: dict[str, R] = {}
    times: list[datetime] = []
    # What appears meanwhile only pushes known ones onto the next page.
    async for page in _pages(listing):
        times.extend(row.created_at for uid, row in page.items() if row.created_at is not None and uid not in found)
        found.update(page)
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


async def _read_expected(listing: Listing[R], expected: frozenset[str]) -> dict[str, R]:
    first = await listing.page(0)
    certain = range(PAGE, len(expected), PAGE) if len(first) == PAGE else range(0)
    pages = [first]
    pages.extend(await _read_together(listing, certain))
    rows = {row.uid: row for page in pages for row in page}
    if rows.keys() == expected or any(len(page) < PAGE for page in pages[1:]) or not first:
        return rows
    if len(first) < PAGE and expected <= rows.keys():
        return rows
    # Others' schedules are among ours, or the server has smaller pages: the rest comes one after the other.
    start = sum(map(len, pages))
    async for page in _pages(listing, start=start, largest=len(first)):
        rows.update(page)
        if rows.keys() == expected or (len(page) < PAGE and expected <= rows.keys()):
            break
    return rows


async def _read_together(listing: Listing[R], offsets: range) -> list[Sequence[R]]:
    """The pages at these offsets, some at a time; all of them or none.

    Raises:
        ApiError: one of them failed.
    """
    slots = asyncio.Semaphore(TOGETHER)
    pages: dict[int, Sequence[R]] = {}
    failed: list[ApiError] = []

    async def read(offset: int) -> None:
        async with slots:
            # What is under way comes to its end: a connection whose request is broken off may never be free again.
            if not failed:
                try:
                    pages[offset] = await listing.page(offset)
                except ApiError as error:
                    failed.append(error)

    await asyncio.gather(*map(read, offsets))
    if failed:
        raise failed[0]
    return [pages[offset] for offset in offsets]


async def _pages(
    listing: Listing[R], *, overlap: int = 0, start: int = 0, largest: int = 0
) -> AsyncIterator[dict[str, R]]:
    """Page after page from an offset on, each as UID -> row, until the end; `largest` is the longest page so far.

    Raises:
        BadAnswer: the same page comes again and again, so that there is no end.
    """
    offset, again = start, 0
    before: list[str] = []
    while True:
        rows = await listing.page(offset)
        page = {row.uid: row for row in rows}
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


async def _read_overlapping(listing: Listing[R]) -> dict[str, R]:
    for _ in range(RESTARTS):
        seen: dict[str, R] = {}
        last: str | None = None
        async for page in _pages(listing, overlap=1):
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
