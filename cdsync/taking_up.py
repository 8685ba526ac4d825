"""Runs that stand still, taken up by a person's word, whatever the policy says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cdsync.core.actions import Action, ActionKind, Reason
from cdsync.core.diff import FieldChange
from cdsync.core.events import Event
from cdsync.core.model import Address
from cdsync.core.progress import taken_up
from cdsync.core.resuming import STANDING_STILL
from cdsync.executor import Report, execute
from cdsync.reconciler import Pass, plan_pass, remember_seen, workshop_for
from cdsync.store import Store


async def resume_pass(work: Pass, address: Address, *, on_event: Callable[[Event], None]) -> Report:
    """Resume the runs of a resource that stand still, now, because a person says so; it counts as an attempt.

    Raises:
        ApiError, StoreError: the pass could not be made.
    """
    _take_up(work.store, address)
    planned = await plan_pass(work)
    remember_seen(work, planned)
    fetching = [row for row in planned.plan.actions if row.address == address and row.kind is ActionKind.FETCH]
    standing = [run for run in planned.sight.runs if run.address == address and run.status in STANDING_STILL]
    actions = fetching + [
        Action(
            address=address,
            kind=ActionKind.RESUME_RUN,
            reason=Reason.STOPPED,
            why=f"run {run.uid} is {run.status}; resumed by hand",
            uid=run.uid,
            changes=(FieldChange("status", run.status, "SCHEDULED"),),
        )
        for run in standing
    ]
    return await execute(actions, workshop_for(work, planned, patient=True, tell=on_event), on_event=on_event)


def _take_up(store: Store, address: Address) -> None:
    """Let a live run go on, and runs that were not to be resumed be, because a person says so."""
    if (progress := store.live(address)) is not None:
        store.save_live(address, taken_up(progress))
    refused = tuple(run for run in store.owned().runs.values() if run.address == address and run.refusal is not None)
    if refused:
        store.follow(tuple(replace(run, refusal=None) for run in refused), owned=())
