"""Where a row of a plan comes from: the change under review, the account that moved, or anything else.

A reviewer answers for the change. What a plan would do beyond it stands apart, so that nobody approves it unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cdsync.core.actions import Action, Blocked, BlockedReason, Plan, Reason
from cdsync.core.model import Address


class Origin(StrEnum):
    """Where a row comes from; the value is its name in plan.json."""

    CHANGE = "change"
    DRIFT = "drift"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What changed in a config root since a commit.

    `ref` is the commit as it was asked for, `base` its id where the histories part. `files` are the changed files of
    the root, relative to it. `addresses` are the resources that these files declare now, or declared then.
    """

    ref: str
    base: str
    files: tuple[str, ...]
    addresses: frozenset[Address]


_DRIFTED = frozenset({Reason.DRIFTED, Reason.GONE})
_UNRELATED = frozenset(
    {
        Reason.STOPPED,
        Reason.HALF_REPLACED,
        Reason.UNFINISHED,
        BlockedReason.NEEDS_ATTENTION,
        BlockedReason.UNRESOLVED_OUTCOME,
        BlockedReason.WAITING,
    }
)
"""What happened on the account or in an earlier apply, whatever a file says."""


def origin_of(row: Action | Blocked, since: Since) -> Origin:
    """Where a row comes from."""
    if row.reason in _DRIFTED:
        return Origin.DRIFT
    return Origin.CHANGE if row.address in since.addresses and row.reason not in _UNRELATED else Origin.OTHER


def beyond(plan: Plan, since: Since) -> int:
    """How many actions of a plan do not come from the change."""
    return sum(1 for action in plan.actions if origin_of(action, since) is not Origin.CHANGE)
