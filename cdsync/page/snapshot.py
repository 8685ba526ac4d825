"""What the pages are made from, as one value that does not change while a page is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cdsync.core.actions import Plan
from cdsync.core.model import Address, Ownership, Resource
from cdsync.core.remote import RemoteSchedule
from cdsync.core.status import StatusRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing that does not come right by itself: about what, what of it, and what to do.

    `subject` is an address, or a word such as `configuration`.
    """

    subject: str
    message: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassView:
    """The last pass. `decided` is whether it read the account and came to a decision; `error` is why not.

    `left` is how much of the plan was neither done nor blocked in the end. `began` is aware, in UTC.
    """

    number: int
    result: str
    decided: bool
    began: datetime
    seconds: float
    causes: tuple[str, ...]
    done: int = 0
    failed: int = 0
    blocked: int = 0
    drift: int = 0
    left: int = 0
    calls: int = 0
    error: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why the newest configuration is not taken: every problem of it, since when, and whether an older one is kept.

    `title` is what is so, such as that a commit is refused. `judged` is whether it was read, and is wrong.
    """

    title: str
    judged: bool
    problems: tuple[str, ...]
    since: datetime
    remedy: str | None
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFiles:
    """Where the rows of a live run are, and the inputs that failed: below the settings' folder, else in full."""

    rows: str
    failed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that a page may show. Times are aware, in UTC; `now` is when the page is made, `seen_at` the last look.

    `revision` and `accepted_at` are of the configuration in force, `warnings` what it warns about. `refusals` are what
    is wrong with the newest, and the commit that was refused before it could no longer be read. `observed` are the
    schedules of the account by UID, `results` the files of live runs that were begun. `healthy` is whether the daemon
    gets on, `reasons` why not. `failures` is how many passes have failed in a row. `refresh` is how often a page
    reloads itself.
    """

    now: datetime
    account: str
    started: datetime
    refresh: timedelta
    healthy: bool = True
    reasons: tuple[str, ...] = ()
    revision: str | None = None
    accepted_at: datetime | None = None
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[str, ...] = ()
    last: PassView | None = None
    failures: int = 0
    seen_at: datetime | None = None
    next_at: datetime | None = None
    concerns: tuple[Concern, ...] = ()
    rows: tuple[StatusRow, ...] = ()
    plan: Plan = field(default_factory=Plan)
    desired: Mapping[Address, Resource] = field(default_factory=dict)
    owned: Mapping[Address, Ownership] = field(default_factory=dict)
    observed: Mapping[str, RemoteSchedule] = field(default_factory=dict)
    results: Mapping[Address, ResultFiles] = field(default_factory=dict)
