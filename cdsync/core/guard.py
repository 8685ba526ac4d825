"""The limits that stop a plan as a whole before its first request: too much removed, rewritten, or nothing declared."""

from __future__ import annotations

from collections.abc import Iterable

from cdsync.core.actions import Action, ActionKind, Reason, Violation
from cdsync.core.model import DesiredState, Kind, OwnedState
from cdsync.core.policy import Limit, Policy


def check_limits(
    actions: Iterable[Action], desired: DesiredState, state: OwnedState, policy: Policy
) -> tuple[Violation, ...]:
    """The limits that these actions would pass.

    A removal counts once, when it starts: the deletion after its grace was allowed with it.
    """
    actions = tuple(actions)
    owned = sum(1 for resource in state.resources.values() if resource.object is Kind.SCHEDULE)
    removals = sum(1 for action in actions if _starts_removal(action, state))
    changes = sum(1 for action in actions if action.kind in {ActionKind.UPDATE, ActionKind.REPLACE})
    found: list[Violation] = []
    if owned and not desired.resources:
        found.append(
            Violation(
                limit="empty-declaration",
                counted=0,
                allowed=1,
                message=f"nothing is declared, but {owned} schedules are owned: a wrong folder would look the same",
                remedy="apply --allow-empty",
            )
        )
    limits = (
        ("removals", policy.max_removals, removals, "removed"),
        ("changes", policy.max_changes, changes, "updated or replaced"),
    )
    found.extend(
        _passed(name, limit, counted, owned, what)
        for name, limit, counted, what in limits
        if counted and not limit.allows(counted, owned=owned)
    )
    return tuple(found)


def _passed(name: str, limit: Limit, counted: int, owned: int, what: str) -> Violation:
    allowed = limit.ceiling(owned)
    setting = f"policy.max_{name}"
    return Violation(
        limit=setting,
        counted=counted,
        allowed=allowed,
        message=f"{counted} of {owned} owned schedules would be {what}; {setting} is {limit}, which allows {allowed}",
        remedy=f"apply --allow-{name} {counted}",
    )


def _starts_removal(action: Action, state: OwnedState) -> bool:
    owned = state.resources.get(action.address)
    begun = owned is not None and owned.removed_at is not None
    return action.removes and action.reason is not Reason.GRACE_OVER and not begun
