"""What keeps anything from being decided about a declared resource: open questions that come before all others."""

from __future__ import annotations

from cdsync.core.actions import Blocked, BlockedReason
from cdsync.core.context import SKEW, Context
from cdsync.core.model import Address, Ownership


def open_question(address: Address, context: Context) -> Blocked | None:
    """The question about a resource that must be answered first; None when there is none."""
    if address in context.contested:
        return _contested(address, context)
    if message := context.unresolved.get(address):
        return Blocked(
            address=address,
            reason=BlockedReason.UNRESOLVED_OUTCOME,
            message=message,
            remedy="the next apply looks for it first",
        )
    return None


def not_shown_yet(owned: Ownership, context: Context) -> Blocked | None:
    """The row for what we made a moment ago and the API does not know yet; None when it is shown, or gone for good.

    Reads may lag behind what was written for as long as the settle time, so until then a 404 is no absence.
    """
    if context.observed.gone.get(owned.uid, "shown") is not None:
        return None
    # What was adopted may have been made a moment ago, too; a date far ahead is none.
    if (made_at := owned.made_at or owned.created_at) > context.latest + SKEW:
        return None
    until = made_at + context.policy.settle
    if context.earliest >= until:
        return None
    return Blocked(
        address=owned.address,
        reason=BlockedReason.UNRESOLVED_OUTCOME,
        message=f"{owned.uid} was just made, and the API does not show it yet",
        remedy=f"apply after {until:%H:%M:%S} UTC; it counts as gone if it is not shown by then",
        until=until,
    )


def _contested(address: Address, context: Context) -> Blocked:
    old = context.contested[address]
    mine, other = (context.state.resources[name].uid for name in (address, old))
    return Blocked(
        address=address,
        reason=BlockedReason.AMBIGUOUS,
        message=f"was {old}, which owns {other}, but {address} owns {mine} as well",
        remedy=f"cdsync forget {address} to keep {other}, or remove was to keep both apart",
    )


def missing_secret(address: Address, context: Context) -> Blocked | None:
    """The row for a resource with a reference that points at nothing; None when all have their values."""
    missing = context.desired.unresolved.get(address)
    if missing is None:
        return None
    return Blocked(
        address=address,
        reason=BlockedReason.UNRESOLVED_REFERENCE,
        message=missing.message,
        remedy=missing.remedy,
    )
