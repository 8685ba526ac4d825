"""How every resource stands: declared, remote, health, last and next fire, last run. Values in, values out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cdsync.core.actions import BlockedReason, Plan
from cdsync.core.model import (
    Address,
    DesiredState,
    FollowedRun,
    Kind,
    ObservedState,
    OwnedState,
    Ownership,
    RemoteRun,
    Resource,
    Schedule,
)
from cdsync.core.restraint import in_force
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
    BlockedReason.NOT_CONVERGING: Health.ATTENTION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One resource. `declared` and `remote` are words; `note` is why it is not ok. Times are aware, in UTC."""

    address: Address
    declared: str
    remote: str
    health: Health
    uid: str | None = None
    last_fire: datetime | None = None
    next_fire: datetime | None = None
    last_run: str | None = None
    note: str | None = None


def make_status(
    desired: DesiredState, observed: ObservedState, owned: OwnedState, plan: Plan, now: datetime
) -> tuple[StatusRow, ...]:
    """A row for everything that is declared or owned, by address."""
    notes = _notes(plan, owned, now)
    last_runs = _last_runs(owned, observed)
    addresses = sorted({*desired.resources, *owned.resources})
    return tuple(
        _row(
            address,
            desired.resources.get(address),
            observed,
            owned.resources.get(address),
            noted=notes.get(address, (Health.OK, None)),
            last_run=last_runs.get(address),
            now=now,
        )
        for address in addresses
    )


def _notes(plan: Plan, owned: OwnedState, now: datetime) -> Mapping[Address, tuple[Health, str]]:
    notes: dict[Address, tuple[Health, str]] = {
        address: (Health.HELD, f"held until {hold.until:%Y-%m-%d %H:%M} UTC" if hold.until else "held until released")
        for address, hold in owned.held.items()
        if in_force(hold, now)
    }
    for action in plan.actions:
        notes.setdefault(action.address, (Health.PENDING, f"{action.kind.value}: {action.why}"))
    for blocked in plan.blocked:
        health = _HEALTH.get(blocked.reason, Health.BLOCKED if blocked.reason.pending else Health.ATTENTION)
        notes[blocked.address] = (health, f"{blocked.reason.value}: {blocked.message}")
    return notes


def _last_runs(owned: OwnedState, observed: ObservedState) -> Mapping[Address, str]:
    by_address: defaultdict[Address, list[FollowedRun]] = defaultdict(list)
    for run in owned.runs.values():
        by_address[run.address].append(run)
    words: dict[Address, str] = {}
    for address, runs in by_address.items():
        newest = max(runs, key=lambda run: (run.created_at is not None, run.created_at, run.uid))
        words[address] = _run_words(observed.runs.get(newest.uid), newest)
    return words


def _run_words(seen: RemoteRun | None, known: FollowedRun) -> str:
    status = seen.status if seen else known.status
    label = f" ({seen.last_error.label})" if seen and seen.last_error and seen.last_error.label else ""
    return f"{status}{label}" + (f", resumed {known.resumes}x" if known.resumes else "")


def _row(
    address: Address,
    resource: Resource | None,
    observed: ObservedState,
    owned: Ownership | None,
    *,
    noted: tuple[Health, str | None],
    last_run: str | None,
    now: datetime,
) -> StatusRow:
    remote = observed.schedules.get(owned.uid) if owned else None
    health, note = noted
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
        health=health,
        uid=owned.uid if owned else None,
        last_fire=remote.last_executed_at if remote else None,
        next_fire=next_tick(remote, now=now) if remote and ticking else None,
        last_run=last_run,
        note=note,
    )
