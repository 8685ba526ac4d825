"""What is left alone although it was decided.

What a person holds, what two applies did not bring about, and what failed a moment ago.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import datetime

from cdsync.core.actions import BRINGS_INTO_BEING, Action, ActionKind, Blocked, BlockedReason, Decision, Plan
from cdsync.core.fingerprint import canonical
from cdsync.core.model import Address, Effort, Hold, OwnedState
from cdsync.core.setbacks import Setback

PATIENCE = 2
"""How many applies may try the same change before it is said not to converge."""

REPEATABLE = frozenset({ActionKind.CREATE, ActionKind.UPDATE, ActionKind.REPLACE, ActionKind.RESUME, ActionKind.PAUSE})

QUIETED = frozenset({BlockedReason.NEEDS_ATTENTION, BlockedReason.LAUNCHED_CHANGED, BlockedReason.LAUNCHED_UNDECLARED})
"""What only asks for a person's attention, which a hold spares them."""


def restrained(decision: Decision, state: OwnedState, now: datetime, *, renamed: Mapping[Address, Address]) -> Decision:
    """The decision without the actions that must not be taken now; each stands in `blocked` instead.

    A hold goes with its resource to a new name, and one on that name counts as well; the renaming itself touches
    nothing but the store.
    """
    if not decision.actions and not (decision.blocked and state.held):
        return decision
    actions: list[Action] = []
    blocked = [_quieted(row, state, now) for row in decision.blocked]
    for action in decision.actions:
        hold = _longest_hold(state, {action.address, renamed.get(action.address, action.address)})
        effort = state.efforts.get(action.address)
        if hold is not None and in_force(hold, now) and action.kind is not ActionKind.RENAME:
            blocked.append(_held(action, hold))
        elif effort is not None and effort.count >= PATIENCE and effort.signature == signature_of(action):
            blocked.append(_not_converging(action, effort))
        elif (setback := state.setbacks.get((action.address, action.kind))) is not None and now < setback.until:
            blocked.append(_backing_off(action, setback))
        else:
            actions.append(action)
    return Decision(actions=tuple(actions), blocked=tuple(blocked), drift=decision.drift)


def safe_now(plan: Plan, state: OwnedState) -> tuple[Action, ...]:
    """The actions of a plan; without removals as long as some creation has failed, or nobody knows whether it has."""
    missing = any(_may_be_missing(row, state) for row in plan.blocked)
    return tuple(row for row in plan.actions if not (missing and row.removes))


def _may_be_missing(row: Blocked, state: OwnedState) -> bool:
    if row.reason is BlockedReason.BACKING_OFF:
        return any((row.address, kind) in state.setbacks for kind in BRINGS_INTO_BEING)
    return row.reason is BlockedReason.UNRESOLVED_OUTCOME


def _quieted(row: Blocked, state: OwnedState, now: datetime) -> Blocked:
    """What a person was told of, and has said to leave alone, is told as held."""
    hold = state.held.get(row.address)
    if row.reason not in QUIETED or hold is None or not in_force(hold, now):
        return row
    message = f"{_until(hold)}; {row.reason.value}: {row.message}"
    remedy = f"{row.remedy}; to hear of it again: cdsync release {row.address}"
    return replace(row, reason=BlockedReason.HELD, message=message, remedy=remedy, until=hold.until)


def _longest_hold(state: OwnedState, addresses: Set[Address]) -> Hold | None:
    holds = [state.held[address] for address in addresses if address in state.held]
    return max(holds, key=lambda hold: (hold.until is None, hold.until), default=None)


def in_force(hold: Hold, now: datetime) -> bool:
    """Whether a hold has not run out."""
    return hold.until is None or now < hold.until


def signature_of(action: Action) -> str:
    """What an action would change from what to what: another declaration or another remote gives another one."""
    changes = [[change.path, change.before, change.after] for change in action.changes]
    return hashlib.sha256(canonical([action.kind, changes]).encode()).hexdigest()[:16]


def _held(action: Action, hold: Hold) -> Blocked:
    return Blocked(
        address=action.address,
        reason=BlockedReason.HELD,
        message=f"{_until(hold)}; would {action.kind.value}: {action.why}",
        remedy=f"cdsync release {action.address}",
        until=hold.until,
        changes=action.changes,
    )


def _until(hold: Hold) -> str:
    return f"until {hold.until:%Y-%m-%d %H:%M} UTC" if hold.until else "until it is released"


def _not_converging(action: Action, effort: Effort) -> Blocked:
    return Blocked(
        address=action.address,
        reason=BlockedReason.NOT_CONVERGING,
        message=f"{action.kind.value} was done {effort.count} times, and the account still shows the same difference",
        remedy="change the declaration to what the account shows, or look for who changes it back",
        changes=action.changes,
    )


def _backing_off(action: Action, setback: Setback) -> Blocked:
    times = "once" if setback.count == 1 else f"{setback.count} times"
    return Blocked(
        address=action.address,
        reason=BlockedReason.BACKING_OFF,
        message=f"{action.kind.value} failed {times}: {setback.message}",
        remedy=f"it is tried again at {setback.until:%Y-%m-%d %H:%M:%S} UTC; mend the cause, or the declaration",
        until=setback.until,
        changes=action.changes,
    )
