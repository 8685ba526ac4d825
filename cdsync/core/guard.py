"""The limits that stop a plan as a whole before its first request: too much removed, rewritten, or nothing declared."""

from __future__ import annotations

from collections.abc import Iterable

from cdsync.core.actions import Action, ActionKind, Reason, Violation
from cdsync.core.model import DesiredState, Kind, OwnedState
from cdsync.core.policy import Policy


def check_limits(
    actions: Iterable[Action], desired: DesiredState, state: OwnedState, policy: Policy
) -> tuple[Violation, ...]:
    """The limits that these actions would pass.

    A removal counts once, when it starts: the deletion after its grace was allowed with it.
    """
    actions = tuple(actions)
    owned = sum(1 for resource in state.resources.values() if resource.object is Kind.SCHEDULE)
    removals = sum(1 for action in actions if _starts_removal(action))
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
    if removals and not policy.max_removals.allows(removals, owned=owned):
        found.append(
            Violation(
                limit="policy.max_removals",
                counted=removals,
                allowed=policy.max_removals.ceiling(owned),
                message=f"{removals} of {owned} owned schedules would be removed; policy.max_removals is "
                f"{policy.max_removals}, which allows {policy.max_removals.ceiling(owned)}",
                remedy=f"apply --allow-removals {removals}",
            )
        )
    if changes and not policy.max_changes.allows(changes, owned=owned):
        found.append(
            Violation(
                limit="policy.max_changes",
                counted=changes,
                allowed=policy.max_changes.ceiling(owned),
                message=f"{changes} of {owned} owned schedules would be updated or replaced; policy.max_changes is "
                f"{policy.max_changes}, which allows {policy.max_changes.ceiling(owned)}",
                remedy=f"apply --allow-changes {changes}",
            )
        )
    return tuple(found)


def _starts_removal(action: Action) -> bool:
    return action.removes and action.reason is not Reason.GRACE_OVER
