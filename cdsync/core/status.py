"""How every resource stands: declared, remote, health, last and next fire, last run. Values in, values out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from cdsync.core.actions import BlockedReason, Plan
from cdsync.core.model import (
    Address,
    DesiredState,
    FollowedRun,
    Kind,
    ObservedState,
    OwnedState,
    Ownership,
    Resource,
    ResumePolicy,
    Schedule,
)
from cdsync.core.progress import LiveProgress
from cdsync.core.restraint import in_force
from cdsync.core.standing import RunStanding, standing_of
from cdsync.core.timing import next_tick


class Health(StrEnum):
    """How a resource stands, the worst first."""

    ATTENTION = "attention"
    BLOCKED = "blocked"
    HELD = "held"
    PENDING = "pending"
    OK = "ok"


_HEALTH = {
    BlockedReason.HELD: Health.HELD,
    BlockedReason.WAITING: Health.PENDING,
    BlockedReason.LIMITED: Health.PENDING,
    BlockedReason.NOT_CONVERGING: Health.ATTENTION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One resource. `declared` and `remote` are words; `note` is why it is not ok, `remedy` what to do about it. Times
    are aware, in UTC.

    `runs` are those under way and the newest, that one first; `live` is how far a live run has come.
    """

    address: Address
    declared: str
    remote: str
    health: Health
    uid: str | None = None
    last_fire: datetime | None = None
    next_fire: datetime | None = None
    runs: tuple[RunStanding, ...] = ()
    live: LiveProgress | None = None
    note: str | None = None
    remedy: str | None = None

    @property
    def last_run(self) -> str | None:
        """Its newest run, or how far a live one has come, in one line."""
        if self.live is not None:
            return self.live.words
        return self.runs[0].words if self.runs else None


def make_status(
    desired: DesiredState,
    observed: ObservedState,
    owned: OwnedState,
    plan: Plan,
    now: datetime,
    *,
    resume: ResumePolicy = ResumePolicy(),  # noqa: B008 # a frozen value
) -> tuple[StatusRow, ...]:
    """A row for everything that is declared or owned, by address; `resume` is the policy where none of its own is."""
    notes = _notes(plan, owned, now)
    standing = _standing(desired, observed, owned, resume)
    addresses = sorted({*desired.resources, *owned.resources})
    return tuple(
        _row(
            address,
            desired.resources.get(address),
            observed,
            owned.resources.get(address),
            noted=notes.get(address, _FINE),
            runs=standing.get(address, ()),
            live=owned.live.get(address),
            now=now,
        )
        for address in addresses
    )


class _Note(NamedTuple):
    health: Health
    text: str | None = None
    remedy: str | None = None


_FINE = _Note(Health.OK)


def _notes(plan: Plan, owned: OwnedState, now: datetime) -> Mapping[Address, _Note]:
    notes = {
        address: _Note(
            Health.HELD,
            f"held until {hold.until:%Y-%m-%d %H:%M} UTC" if hold.until else "held until released",
            f"cdsync release {address}",
        )
        for address, hold in owned.held.items()
        if in_force(hold, now)
    }
    for action in plan.actions:
        notes.setdefault(action.address, _Note(Health.PENDING, f"{action.kind.value}: {action.why}"))
    for blocked in plan.blocked:
        health = _HEALTH.get(blocked.reason, Health.BLOCKED if blocked.reason.pending else Health.ATTENTION)
        notes[blocked.address] = _Note(health, f"{blocked.reason.value}: {blocked.message}", blocked.remedy)
    return notes


def _standing(
    desired: DesiredState, observed: ObservedState, owned: OwnedState, resume: ResumePolicy
) -> Mapping[Address, tuple[RunStanding, ...]]:
    """The runs of each resource, the newest first."""
    by_address: defaultdict[Address, list[FollowedRun]] = defaultdict(list)
    for run in owned.runs.values():
        by_address[run.address].append(run)
    found: dict[Address, tuple[RunStanding, ...]] = {}
    for address, runs in by_address.items():
        resource = desired.resources.get(address)
        policy = (resource.resume if resource is not None else None) or resume
        runs.sort(key=lambda run: (run.created_at is not None, run.created_at, run.uid), reverse=True)
        found[address] = tuple(
            standing_of(run, observed.runs.get(run.uid), owned.resources.get(address), policy=policy) for run in runs
        )
    return found


def _row(
    address: Address,
    resource: Resource | None,
    observed: ObservedState,
    owned: Ownership | None,
    *,
    noted: _Note,
    runs: tuple[RunStanding, ...],
    live: LiveProgress | None,
    now: datetime,
) -> StatusRow:
    remote = observed.schedules.get(owned.uid) if owned else None
    declared = "-" if resource is None else resource.state if isinstance(resource, Schedule) else resource.mode
    if remote is not None:
        word = remote.status.lower()
    elif owned is None:
        word = "-"
    else:
        word = "launched" if address.kind is Kind.RUN else (observed.gone.get(owned.uid) or "gone").lower()
    ticking = remote is not None and remote.status == "ACTIVE"
    return StatusRow(
        address=address,
        declared=declared,
        remote=word,
        health=noted.health,
        uid=owned.uid if owned else None,
        last_fire=remote.last_executed_at if remote else None,
        next_fire=next_tick(remote, now=now) if remote and ticking else None,
        runs=runs,
        live=live,
        note=noted.text,
        remedy=noted.remedy,
    )
