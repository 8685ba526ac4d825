"""How things stand, as one value that does not change: what health, status line, metrics and pages are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import overload

from cdsync.core.actions import Blocked, Drift
from cdsync.core.events import Event, Failed, Succeeded
from cdsync.core.records import RefusedCommit
from cdsync.core.revisions import short_revision
from cdsync.core.status import StatusRow, make_status
from cdsync.core.urls import Endpoint
from cdsync.daemon.declared import Fault
from cdsync.daemon.feed import Delivery
from cdsync.daemon.triggers import Cause
from cdsync.errors import CdsyncError
from cdsync.reconciler import Applied, Planned


class Result(StrEnum):
    """How a pass ended; the value is its name in logs and metrics."""

    UNCHANGED = "unchanged"
    APPLIED = "applied"
    PARTIAL = "partial"
    REFUSED = "refused"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def decided(self) -> bool:
        """Whether the account was read and something was decided, be it that nothing may be done."""
        return self not in {Result.FAILED, Result.STOPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRecord:
    """One pass that has come to its end.

    `found` is the first look with the plan that was made from it, `seen` the last one, `rows` how every resource stood
    there, `applied` what was done; none is there when the account could not be read. `events` is what happened on the
    way. Times are aware, in UTC; `server_now` is the server's at the end.
    """

    number: int
    causes: tuple[Cause, ...]
    began: datetime
    server_now: datetime
    seconds: float
    result: Result
    revision: str | None
    calls: int = 0
    events: tuple[Event, ...] = ()
    found: Planned | None = None
    seen: Planned | None = None
    rows: Sequence[StatusRow] = ()
    applied: Applied | None = None
    error: CdsyncError | None = None

    @property
    def done(self) -> int:
        """How many actions took effect."""
        return sum(1 for event in self.events if isinstance(event, Succeeded))

    @property
    def failed(self) -> int:
        """How many actions were tried and failed."""
        return sum(1 for event in self.events if isinstance(event, Failed) and event.tried)

    @property
    def drift(self) -> tuple[Drift, ...]:
        """What was found to have moved on the account."""
        return self.found.plan.drift if self.found else ()

    @property
    def pending_actions(self) -> int:
        """How many actions were left to do in the end."""
        return len(self.seen.plan.actions) if self.seen else 0

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        """What was left alone in the end."""
        return self.seen.plan.blocked if self.seen else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything that can be told between two passes.

    `fault` is what is wrong with the newest declaration, `refused` the last commit that was found wrong; both end when
    one is taken up. `looked` is the last pass that saw the account, `last` the last one whatever became of it;
    `failures` is how many have failed in a row, `good_passes` how many have decided something, the last of them at
    `good_at`. `accepted_at` is when the declaration in force was taken up, `next_at` when the next pass is due.
    `listens` is where it answers HTTP.
    """

    started: datetime
    delivery: Delivery | None = None
    fault: Fault | None = None
    refused: RefusedCommit | None = None
    last: PassRecord | None = None
    looked: PassRecord | None = None
    failures: int = 0
    good_passes: int = 0
    good_at: datetime | None = None
    accepted_at: datetime | None = None
    next_at: datetime | None = None
    listens: Endpoint | None = None

    @property
    def still_refused(self) -> RefusedCommit | None:
        """The refused commit when the newest fault is another: it cannot be looked at again, and nobody mended it."""
        known = self.fault.commit if self.fault is not None else None
        return self.refused if self.refused is not None and self.refused.commit != known else None


class Rows(Sequence[StatusRow]):
    """How every resource stood, made when somebody asks for it: most passes are looked at by nobody."""

    def __init__(self, make: Callable[[], tuple[StatusRow, ...]]) -> None:
        self._make = make

    @cached_property
    def _rows(self) -> tuple[StatusRow, ...]:
        return self._make()

    @overload
    def __getitem__(self, index: int) -> StatusRow: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[StatusRow, ...]: ...

    def __getitem__(self, index: int | slice) -> StatusRow | tuple[StatusRow, ...]:
        return self._rows[index]

    def __iter__(self) -> Iterator[StatusRow]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def rows_of(planned: Planned, now: datetime) -> tuple[StatusRow, ...]:
    """How every resource stood at a look; `now` is the server's time."""
    # What a look shows of our runs is newer than what the state remembered when it began.
    runs = {**planned.owned.runs, **{run.uid: run for run in planned.sight.runs}}
    owned = replace(planned.owned, runs=runs)
    return make_status(planned.desired, planned.sight.observed, owned, planned.plan, now)


def headline(standing: Standing) -> str:
    """How things stand, in one line."""
    parts = [_about_declaration(standing), _about_passes(standing)]
    if standing.next_at is not None:
        parts.append(f"next at {standing.next_at:%H:%M:%S} UTC")
    if standing.listens is not None:
        parts.append(f"listens on {standing.listens}")
    return "; ".join(part for part in parts if part)


def _about_declaration(standing: Standing) -> str:
    at = f" at {short_revision(standing.delivery.revision)}" if standing.delivery and standing.delivery.revision else ""
    if standing.fault is None:
        return f"{len(standing.delivery.configuration.desired.resources)} declared{at}" if standing.delivery else ""
    kept = f"keeping the last good one{at}" if standing.delivery else "nothing is kept until one is valid"
    return f"{standing.fault.words} since {standing.fault.since:%H:%M} UTC ({standing.fault.summary}), {kept}"


def _about_passes(standing: Standing) -> str:
    last = standing.last
    if last is None:
        return "no pass yet"
    if last.error is not None:
        again = f" {standing.failures} times in a row" if standing.failures > 1 else ""
        return f"pass {last.number} {last.result.value}{again}: {str(last.error).splitlines()[0]}"
    words = f"{last.done} done, {last.failed} failed, {len(last.blocked)} left alone"
    return f"pass {last.number} {last.result.value}: {words}"
