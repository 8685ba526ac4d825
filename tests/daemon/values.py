"""Values that tests of the daemon start from, with what matters said in place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdsync.config import Configuration
from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Drift, Plan, Reason
from cdsync.core.model import Address, DesiredState, Kind, ObservedState, OwnedState
from cdsync.core.status import Health, StatusRow
from cdsync.daemon.feed import Delivery
from cdsync.daemon.standing import PassRecord, Result, Standing
from cdsync.daemon.triggers import Cause
from cdsync.observer import Sight
from cdsync.reconciler import Planned
from cdsync.settings import Settings, default_results, default_state

NOW = datetime(2026, 6, 1, 7, 0, 1, tzinfo=UTC)
ROOT = Path("/nowhere")


def address(name: str = "a") -> Address:
    """The address of a schedule."""
    return Address(Kind.SCHEDULE, name)


def action(name: str = "a", kind: ActionKind = ActionKind.CREATE) -> Action:
    """One row of a plan."""
    return Action(address=address(name), kind=kind, reason=Reason.NEW, why="declared, and not on the account")


def blocked(name: str = "a", reason: BlockedReason = BlockedReason.LOOKALIKE, message: str = "it is there") -> Blocked:
    """One row that is not done."""
    return Blocked(address=address(name), reason=reason, message=message, remedy="adopt it")


def drift(name: str = "a", found: str = "PAUSED") -> Drift:
    """One field that moved."""
    return Drift(address=address(name), path="status", applied="ACTIVE", found=found)


def planned(plan: Plan | None = None) -> Planned:
    """A look with this plan; an empty account otherwise."""
    return Planned(
        plan=plan or Plan(),
        account="https://api.example.com/v4 as cdsync",
        desired=DesiredState(),
        owned=OwnedState(),
        sight=Sight(observed=ObservedState()),
    )


def record(result: Result = Result.UNCHANGED, *, plan: Plan | None = None, **changes: Any) -> PassRecord:
    """A pass that ended so, and left this plan."""
    made = PassRecord(
        number=1,
        causes=(Cause.TIMER,),
        began=NOW,
        server_now=NOW,
        seconds=0.5,
        result=result,
        revision="abc123",
        found=planned(plan),
        seen=planned(plan),
    )
    return replace(made, **changes)


def delivery(settings: Settings | None = None) -> Delivery:
    """An empty declaration."""
    settings = settings or Settings(root=ROOT, state=default_state(ROOT), results=default_results(ROOT))
    empty = Configuration(settings=settings, desired=DesiredState(), files={}, sources={})
    return Delivery(configuration=empty, revision="abc123")


def standing(last: PassRecord | None = None, **changes: Any) -> Standing:
    """How things stand after a pass."""
    good = last is not None and last.result.decided
    made = Standing(
        started=NOW,
        delivery=delivery(),
        last=last,
        looked=last if last is not None and last.seen else None,
        good_passes=int(good),
        good_at=NOW if good else None,
    )
    return replace(made, **changes)


def status(name: str = "a", health: Health = Health.OK, remote: str = "active", **changes: Any) -> StatusRow:
    """How one resource stands."""
    return StatusRow(address=address(name), declared="active", remote=remote, health=health, **changes)
