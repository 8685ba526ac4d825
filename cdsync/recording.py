"""What a pass writes down beside what it does: what the look has shown, and how often the same change was tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cdsync.api import Api
from cdsync.core.actions import ActionKind, BlockedReason, Plan
from cdsync.core.model import Address, DesiredState, Effort, OwnedState, Ownership, Schedule
from cdsync.core.restraint import REPEATABLE, signature_of
from cdsync.errors import NotAsCreated
from cdsync.executor import Report
from cdsync.observer import Sight
from cdsync.store import Store

CLOCK = "clock"
"""The fact by how many seconds the server's clock is ahead of this machine's, for what is done without asking it."""

CLOSE = 2
"""The server tells the time in whole seconds, so that less than this is no difference."""


def remember_clock(store: Store, api: Api) -> None:
    """Write down how far ahead the server's clock is, when it is another difference than the one known."""
    ahead = round((api.server_now() - api.local_now()).total_seconds())
    if abs(ahead - int(store.fact(CLOCK) or 0)) >= CLOSE:
        store.remember(CLOCK, str(ahead))


def count_efforts(store: Store, owned: OwnedState, report: Report) -> None:
    """Count how often in a row each change was made; the next look that shows it made ends the count.

    A replacement that is not there as it was sent was made as well: it has cost a schedule, and would cost another.
    """
    made: dict[Address, Effort | None] = {}
    for result in report.results:
        action = result.action
        was_made = result.outcome == "done" or isinstance(result.error, NotAsCreated)
        if was_made and action.kind in REPEATABLE and not action.removes:
            before = owned.efforts.get(action.address)
            signature = signature_of(action)
            again = before is not None and before.signature == signature
            made[action.address] = Effort(signature, before.count + 1 if before and again else 1)
    if made:
        store.set_efforts(made)


def remember(store: Store, plan: Plan, desired: DesiredState, owned: OwnedState, sight: Sight) -> None:
    """Write down what the look has shown about our runs, and what of the declaration holds from now on.

    That is which resources are protected, what moved to where it is declared to be, and that a grace is over early for
    what is declared again, although nothing is done about it now: should it be removed once more, its grace is a new
    one.
    """
    if sight.workspace is not None and store.fact("workspace") is None:
        store.remember("workspace", sight.workspace)
    seen = {row.address: row for row in sight.owned}
    acted_on = {row.address for row in plan.actions}
    for address, known in owned.resources.items():
        declared = desired.resources.get(address)
        if declared is None:
            continue
        removed_at = known.removed_at if address in acted_on else None
        if (declared.protect, removed_at) != (known.protect, known.removed_at):
            seen[address] = replace(seen.get(address, known), protect=declared.protect, removed_at=removed_at)
    for row in _settled_drift(plan, desired, owned, sight):
        seen[row.address] = replace(
            seen.get(row.address, owned.resources[row.address]),
            action=row.action,
            cron=row.cron,
            timezone=row.timezone,
            state=row.state,
        )
    if seen or sight.runs:
        store.follow(sight.runs, owned=tuple(seen.values()))
    # What is said about the runs of a schedule says nothing about the schedule itself.
    differing = {row.address for row in plan.actions if row.kind is not ActionKind.RESUME_RUN}
    differing |= {row.address for row in plan.blocked if row.reason is not BlockedReason.NEEDS_ATTENTION}
    if over := {address: None for address in owned.efforts if address not in differing}:
        store.set_efforts(over)


def _settled_drift(plan: Plan, desired: DesiredState, owned: OwnedState, sight: Sight) -> Iterator[Ownership]:
    """Ownerships as the account shows them, of what has drifted to where it is declared to be: told once, then known.

    So is a change whose answer was lost, when the next look shows that it was made.
    """
    open_rows = {row.address for row in plan.actions} | {row.address for row in plan.blocked}
    for address in {row.address for row in plan.drift} - open_rows:
        resource, known = desired.resources.get(address), owned.resources.get(address)
        remote = sight.observed.schedules.get(known.uid) if known is not None else None
        if isinstance(resource, Schedule) and known is not None and remote is not None:
            yield replace(known, action=remote.action, cron=remote.cron, timezone=remote.timezone, state=resource.state)
