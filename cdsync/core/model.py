"""The nouns: what is declared (desired), what the API lists (observed), what the store remembers (owned).

Values only: frozen, comparable, printable. Nothing here decides anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from cdsync.core.progress import LiveProgress
from cdsync.core.remote import (
    FINAL_RUN_STATUSES,
    FORGOTTEN,
    SCHEDULE_STATUSES,
    Capabilities,
    RemoteRun,
    RemoteSchedule,
    RunError,
)
from cdsync.core.setbacks import Setback
from cdsync.core.values import value_class
from cdsync.core.work import Json, Work

__all__ = [
    "FINAL_RUN_STATUSES",
    "FORGOTTEN",
    "NAME",
    "NEVER_RESUME",
    "SCHEDULE_STATUSES",
    "Address",
    "Capabilities",
    "DesiredState",
    "Effort",
    "Fingerprints",
    "FollowedRun",
    "Hold",
    "Kind",
    "ObservedState",
    "OneOffRun",
    "OwnedState",
    "Ownership",
    "RemoteRun",
    "RemoteSchedule",
    "Resource",
    "ResumePolicy",
    "RunError",
    "Schedule",
    "SourceLocation",
    "Synopsis",
]

NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9])?")


class Kind(StrEnum):
    """The kinds of resource; the value is the first part of an address."""

    SCHEDULE = "schedule"
    RUN = "run"


_KINDS = {kind.value: kind for kind in Kind}


class Address(NamedTuple):
    """`schedule/NAME` or `run/NAME`: how every message, plan row, log line and command refers to a resource.

    A tuple, because it is looked up and sorted by more often than anything else.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `schedule/NAME` or `run/NAME`.

        Raises:
            ValueError: it is neither.
        """
        word, _, name = text.partition("/")
        kind = _KINDS.get(word)
        if kind is None or not NAME.fullmatch(name):
            raise ValueError(f"{text!r} is no address; expected schedule/NAME or run/NAME")
        return cls(kind, name)


@value_class(frozen=True, slots=True, kw_only=True, order=True)
class SourceLocation:
    """Where a value was declared: the file as a path relative to the config root, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePolicy:
    """When a run that stopped is resumed: in these statuses, so often, and with a growing pause in between.

    `backoff` is the pause after the first resume; it doubles with each further one.
    """

    statuses: tuple[str, ...] = ("STOPPED",)
    attempts: int = 3
    backoff: timedelta = timedelta(minutes=5)


NEVER_RESUME = ResumePolicy(statuses=(), attempts=0)


@value_class(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A declared recurring execution.

    `timezone` is an IANA name. `first_fire` is `next-tick` (the creation itself never fires) or `immediate`.
    `was` is the name it had before. `resume` overrides the policy for the runs that it fires.
    """

    address: Address
    work: Work
    cron: str
    timezone: str = "UTC"
    state: Literal["active", "paused", "absent"] = "active"
    first_fire: Literal["next-tick", "immediate"] = "next-tick"
    protect: bool = False
    was: str | None = None
    resume: ResumePolicy | None = None
    location: SourceLocation


@value_class(frozen=True, slots=True, kw_only=True)
class OneOffRun:
    """A declared execution that is launched once, ever: now, or at `schedule_at` (aware)."""

    address: Address
    work: Work
    mode: Literal["async", "live"] = "async"
    schedule_at: datetime | None = None
    timezone: str = "UTC"
    protect: bool = False
    was: str | None = None
    resume: ResumePolicy | None = None
    location: SourceLocation


Resource: TypeAlias = Schedule | OneOffRun

Fingerprints: TypeAlias = Mapping[str, str]
"""Field of the declaration -> keyed digest of its value; the fields are those that the API never shows again."""

Synopsis: TypeAlias = Mapping[str, Json]
"""The same fields -> what a plan may show of the value: never anything sensitive; of the inputs only their number and a
digest."""


@dataclass(frozen=True, slots=True)
class MissingSecret:
    """Why a reference of a resource has no value, and what to do about it."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredState:
    """All that is declared, by address.

    `contents` tells of what each was read, by a digest: where that is the same, the resource of the same name is.
    `fingerprints` has a row for each resource whose references could be resolved, `unresolved` the reason for each
    other one.
    """

    resources: Mapping[Address, Resource] = field(default_factory=dict)
    contents: Mapping[Address, str] = field(default_factory=dict)
    fingerprints: Mapping[Address, Fingerprints] = field(default_factory=dict)
    unresolved: Mapping[Address, MissingSecret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedState:
    """All that a complete listing showed.

    `schedules` are the live ones by UID. `gone` are owned schedules that the listing did not show and that a request by
    UID confirmed as cancelled, completed or unknown: UID -> the last status, None for unknown. `runs` are those looked
    for. `took` is how long it took to look: what appeared meanwhile may not be among it.
    """

    schedules: Mapping[str, RemoteSchedule] = field(default_factory=dict)
    gone: Mapping[str, str | None] = field(default_factory=dict)
    runs: Mapping[str, RemoteRun] = field(default_factory=dict)
    capabilities: Capabilities = field(default_factory=Capabilities)
    took: timedelta = timedelta()


LEFT_ALONE = "it was left alone by hand"
"""The refusal of a run that a person wants to hear of no more."""


@value_class(frozen=True, slots=True, kw_only=True)
class FollowedRun:
    """A run of ours as last seen: those under way, and the last finished one of each resource.

    `resumes` counts how often cdsync has resumed it, `resumed_at` is when it last did, `seen_at` when it was last
    looked at. `refusal` is why it is not resumed whatever the policy says. `outputs` (rows), `error` (its label) and
    `postponed_until` are as last seen.
    """

    uid: str
    address: Address
    status: str
    resumes: int = 0
    resumed_at: datetime | None = None
    created_at: datetime | None = None
    seen_at: datetime | None = None
    refusal: str | None = None
    outputs: int | None = None
    error: str | None = None
    postponed_until: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether it moves no more."""
        return self.status in FINAL_RUN_STATUSES or self.status == FORGOTTEN


@value_class(frozen=True, slots=True, kw_only=True)
class Ownership:
    """That an API object is ours, and what was last applied to it.

    `object` is which family of the API `uid` belongs to: a one-off with `schedule_at` is a schedule there.
    `action`, `cron`, `timezone`, `state`, `fingerprints` and `synopsis` are as last applied. `removed_at` is when prune
    paused it, `retiring_uid` the predecessor that a replacement still has to cancel, `runs_checked_at` the firing up to
    which all of its runs are known to be finished. `made_at` is when we were told, or saw, that we had made it, by the
    later of both clocks; None for what was adopted.
    """

    address: Address
    uid: str
    object: Kind
    action: str
    cron: str | None = None
    timezone: str | None = None
    state: str = "active"
    fingerprints: Fingerprints = field(default_factory=dict)
    synopsis: Synopsis = field(default_factory=dict)
    label: str | None = None
    created_at: datetime
    removed_at: datetime | None = None
    retiring_uid: str | None = None
    protect: bool = False
    runs_checked_at: datetime | None = None
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That a person wants a resource left alone: since when, and until when (None: until released)."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Effort:
    """How often in a row the same change was made to a resource, without the next look showing it made."""

    signature: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedState:
    """All that the store remembers about what is ours.

    `unresolved` are addresses whose last write has an unknown outcome, with what was tried; `held` those that a person
    wants left alone; `efforts` those that were changed and have not been seen as declared since; `live` how far live
    runs have come; `cancelled` when we cancelled schedules of late, by UID. `setbacks`, known only to whoever makes one
    pass after another, are by address and kind of action what failed and is not tried yet.
    """

    resources: Mapping[Address, Ownership] = field(default_factory=dict)
    runs: Mapping[str, FollowedRun] = field(default_factory=dict)
    unresolved: Mapping[Address, str] = field(default_factory=dict)
    held: Mapping[Address, Hold] = field(default_factory=dict)
    efforts: Mapping[Address, Effort] = field(default_factory=dict)
    live: Mapping[Address, LiveProgress] = field(default_factory=dict)
    cancelled: Mapping[str, datetime] = field(default_factory=dict)
    setbacks: Mapping[tuple[Address, str], Setback] = field(default_factory=dict)
