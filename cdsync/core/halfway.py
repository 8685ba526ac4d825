"""A replacement that was cut off in the middle is brought to one end or the other, before anything else is decided."""

from __future__ import annotations

from cdsync.core.actions import Action, ActionKind, Reason
from cdsync.core.context import Context
from cdsync.core.model import Ownership


def settle_replacement(owned: Ownership, context: Context) -> Action | None:
    """Cancel the predecessor, or go back to it when its replacement is gone; None when no predecessor is left.

    A replacement that has come to its own end (a one-off that fired) is not gone.
    """
    if owned.retiring_uid is None or owned.retiring_uid not in context.observed.schedules:
        return None
    in_place = owned.uid in context.observed.schedules or context.observed.gone.get(owned.uid) == "COMPLETED"
    return Action(
        address=owned.address,
        kind=ActionKind.DELETE if in_place else ActionKind.ADOPT,
        reason=Reason.HALF_REPLACED,
        why="its replacement is in place; the predecessor is still to be cancelled"
        if in_place
        else "its replacement is gone; the predecessor is still there",
        uid=owned.retiring_uid,
    )
