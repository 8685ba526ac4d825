"""The vendor's side of the story, in memory: what the account holds and everything that ever happened to it.

Rows change in place, as in a database; whoever changes one says so to its table, which keeps listings from being
computed again for every page. Nothing here reads a clock.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Generic, Literal, Protocol, TypeVar
from uuid import NAMESPACE_URL, uuid5

JsonObject = Mapping[str, Any]
OPEN_STATUSES = frozenset({"ACTIVE", "PAUSED"})
SCHEDULE_STATUSES = frozenset({"ACTIVE", "PAUSED", "CANCELLED", "COMPLETED"})
RUN_STATUSES = frozenset(
    {"CREATED", "INVALID", "QUEUED", "SCHEDULED", "BLOCKED", "STOPPED", "RUNNING"}
    | {"FAILED", "PARTIAL_SUCCEEDED", "SUCCEEDED"}
)
MEMBER = "the member whose key is used"
STRANGER = "another member of the workspace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """Where results are posted: `on` is `all` or `final`."""

    url: str
    headers: Mapping[str, str]
    on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be run, apart from when."""

    action_name: str
    inputs: Sequence[JsonObject]
    parameters: JsonObject | None = None
    callback: Callback | None = None
    identity_mode: str = "direct"
    identity_ids: Sequence[str] | None = None
    name: str | None = None


@dataclass(slots=True, kw_only=True)
class Schedule:
    """A row of `/schedules`. `foreign`: made by hand, not through the API. `generation`: which plan is in force."""

    uid: str
    order: Order
    cron: str | None
    timezone: str
    status: str
    user_uid: str
    created_at: datetime
    updated_at: datetime
    next_execution_at: datetime | None = None
    last_executed_at: datetime | None = None
    foreign: bool = False
    generation: int = 0


@dataclass(slots=True, kw_only=True)
class Run:
    """A row of `/runs`. `silent`: cancelled, so that no more callbacks are sent."""

    uid: str
    number: int
    order: Order
    execution_mode: Literal["LIVE", "ASYNC"]
    status: str
    user_uid: str
    created_at: datetime
    updated_at: datetime
    scheduled_run_uid: str | None = None
    scheduled_run_name: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    postponed_until: datetime | None = None
    last_error: JsonObject | None = None
    retry_count: int = 0
    output_count: int = 0
    silent: bool = False
    generation: int = 0


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One callback: PENDING until a server tried it, then SUCCESS or FAILED."""

    uid: str
    run_uid: str
    at: datetime
    callback: Callback
    payload: JsonObject
    status: str = "PENDING"
    http_status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A schedule made a run at this time."""

    schedule_uid: str
    run_uid: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that came in. `status` is None when no answer was given; `fault` is the kind that interfered."""

    method: str
    path: str
    status: int | None
    at: datetime
    fault: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """Something that will happen to a row, unless the row has changed its plan since."""

    at: datetime
    sequence: int
    kind: Literal["schedule", "run"] = field(compare=False)
    uid: str = field(compare=False)
    generation: int = field(compare=False)


class HasUid(Protocol):
    """Every row has a uid."""

    uid: str


Row = TypeVar("Row", bound=HasUid)


class Table(Generic[Row]):
    """Rows in order of creation, with the listings computed from them and the last writes, to be able to look back."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._views: dict[object, list[Row]] = {}
        self._writes: deque[tuple[str, Row | None]] = deque(maxlen=1000)

    def changed(self) -> None:
        """Forget the computed listings: a row is not what it was."""
        self._views.clear()

    def before_write(self, uid: str) -> None:
        """Remember how a row is, before a request changes or creates it."""
        self._writes.append((uid, copy(self.rows[uid]) if uid in self.rows else None))
        self.changed()

    def view(self, key: object, compute: Callable[[list[Row]], list[Row]]) -> list[Row]:
        """The listing for a query, computed once until something changes."""
        if key not in self._views:
            self._views[key] = compute(list(self.rows.values()))
        return self._views[key]

    def before_last_writes(self, writes: int) -> list[Row]:
        """The rows as they were before so many writes."""
        # Of several writes to one row the earliest says how it was, so it comes last.
        past = dict(list(self._writes)[-writes:][::-1])
        rows = [past.get(uid, row) for uid, row in (self.rows | past).items()]
        return [row for row in rows if row is not None]


class Account:
    """One workspace: schedules, runs, and the record of what happened, for tests to count."""

    def __init__(self, *, started_at: datetime, seed: int | None = None) -> None:
        self.started_at = started_at
        self.chance = None if seed is None else random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.schedules: Table[Schedule] = Table()
        self.runs: Table[Run] = Table()
        self.deliveries: list[Delivery] = []
        self.outbox: deque[Delivery] = deque()
        self.firings: list[Firing] = []
        self.calls: list[Call] = []
        self.credits_used = 0.0
        self._agenda: list[Due] = []
        self._numbers = count(1)

    def new_uid(self, what: str) -> str:
        """A uid that is the same in a repeated test, and another one in a simulator started later."""
        return str(uuid5(NAMESPACE_URL, f"{self.started_at.isoformat()}/{what}/{next(self._numbers)}"))

    def new_number(self) -> int:
        """The next integer id of the account."""
        return next(self._numbers)

    def plan(self, kind: Literal["schedule", "run"], row: Schedule | Run, at: datetime | None) -> None:
        """Make this the only thing that will happen to the row; None: nothing will, by itself."""
        row.generation += 1
        if at is not None:
            heapq.heappush(self._agenda, Due(at, next(self._numbers), kind, row.uid, row.generation))

    def next_due(self, now: datetime) -> Due | None:
        """Take the earliest thing that is due by now and still in force."""
        while self._agenda and self._agenda[0].at <= now:
            due = heapq.heappop(self._agenda)
            row = self._row(due)
            if row is not None and row.generation == due.generation:
                return due
        return None

    def _row(self, due: Due) -> Schedule | Run | None:
        return self.schedules.rows.get(due.uid) if due.kind == "schedule" else self.runs.rows.get(due.uid)


def member_uid(member: str) -> str:
    """The stable uid of a member of the workspace."""
    return str(uuid5(NAMESPACE_URL, member))
