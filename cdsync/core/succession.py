"""What leaves is not taken away before what does the same has come.

A schedule that is renamed without `was` is a removal and a creation. As long as the creation is blocked, the removal
would only stop what is still wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cdsync.core.actions import Action, Blocked, BlockedReason, Decision, Reason
from cdsync.core.context import Context, work_key
from cdsync.core.model import Address, Schedule
from cdsync.core.zones import same_timezone


def wait_for_successors(decisions: Iterable[Decision], context: Context) -> tuple[Decision, ...]:
    """The decisions, with each beginning removal held back whose successor, by action and times, is blocked."""
    decisions = tuple(decisions)
    successors = _blocked_successors(decisions, context)
    if not successors:
        return decisions
    return tuple(_held_back(decision, successors, context) for decision in decisions)


def _blocked_successors(decisions: tuple[Decision, ...], context: Context) -> dict[tuple[str, str], list[Schedule]]:
    found: dict[tuple[str, str], list[Schedule]] = {}
    for decision in decisions:
        for row in decision.blocked:
            resource = context.desired.resources.get(row.address)
            if row.reason.pending and isinstance(resource, Schedule) and row.address not in context.owned:
                found.setdefault(work_key(resource.work.action, resource.cron), []).append(resource)
    return found


def _held_back(decision: Decision, successors: dict[tuple[str, str], list[Schedule]], context: Context) -> Decision:
    actions: list[Action] = []
    blocked = list(decision.blocked)
    for action in decision.actions:
        owned = context.owned.get(action.address)
        alike = successors.get(work_key(owned.action, owned.cron), []) if owned is not None else []
        successor = next((row for row in alike if owned and same_timezone(row.timezone, owned.timezone)), None)
        if successor is not None and action.removes and action.reason is Reason.UNDECLARED:
            blocked.append(_waiting(action, successor.address))
        else:
            actions.append(action)
    return replace(decision, actions=tuple(actions), blocked=tuple(blocked))


def _waiting(action: Action, successor: Address) -> Blocked:
    return Blocked(
        address=action.address,
        reason=BlockedReason.WAITING,
        message=f"no longer declared, but goes on until {successor}, which does the same, is settled",
        remedy=f"settle {successor}; if {action.address} was renamed to it, say was: {action.address.name}",
    )
