"""A replacement that was cut off in the middle is brought to one end or the other, before anything else is decided."""

from __future__ import annotations

from cdsync.core.actions import Action, ActionKind, Reason
from cdsync.core.context import Context
from cdsync.core.model import Ownership


def settle_replacement(owned: Ownership, context: Context) -> Action | None:
    """Cancel the predecessor, or go back to it when its replacement is gone; None when no predecessor is left.

    A replacement that has come to its own end (a one-off that fired) is not gone, and one that was not looked for is
    neither.
    """
    if owned.retiring_uid is None or owned.retiring_uid not in context.observed.schedules:
        return None
    completed = owned.state == "completed" or context.observed.gone.get(owned.uid) == "COMPLETED"
    in_place = completed or owned.uid in context.observed.schedules
    if not in_place and owned.uid not in context.observed.gone:
        return None
    return Action(
        address=owned.address,
        kind=ActionKind.DELETE if in_place else ActionKind.ADOPT,
        reason=Reason.HALF_REPLACED,
        why="its replacement is in place; the predecessor is still to be cancelled"
        if in_place
        else "its replacement is gone; the predecessor is still there",
        uid=owned.retiring_uid,
    )
