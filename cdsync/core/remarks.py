"""What a reader of a plan is told beside it: when things fire, where rows come from, what could not be seen.

Nothing of it is part of what the plan decides, nor of its fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Plan
from cdsync.core.crowding import DAYS, MANY, Crowd, crowd_in
from cdsync.core.labels import name_in
from cdsync.core.model import DesiredState, ObservedState
from cdsync.core.origin import Since, beyond
from cdsync.core.preview import Preview, RowKey, preview_of, row_key

NO_STATE = (
    "no state here: ownership is not known, so that declared resources show as adopted, blocked or new",
    "what is no longer declared does not show, nor do holds, or runs that would be resumed",
    "hidden drift: changes of inputs, parameters, callback and identities cannot be seen",
)
"""What a plan cannot see where nobody ever applied, such as on a fresh CI runner."""

FIRST_TIME = ("what earlier applies have left, if there were any: there is no state here, as it is before the first",)
"""The same where nothing suggests that anybody ever applied."""

NAMED = 3
"""How many resources a warning names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """What is told beside a plan. `cannot_see` are sentences; `crowd` is a minute in which many schedules fire."""

    previews: Mapping[RowKey, Preview] = field(default_factory=dict)
    since: Since | None = None
    cannot_see: tuple[str, ...] = ()
    crowd: Crowd | None = None


def remarks_on(
    plan: Plan,
    desired: DesiredState,
    *,
    now: datetime,
    without_state: ObservedState | None = None,
    owner: str = "",
    since: Since | None = None,
) -> Remarks:
    """All that is to be told beside a plan; `now` is aware.

    `without_state` is what the account shows, where there is no state that says what of it is ours, this `owner`'s.
    """
    looks_new = without_state is None or _looks_new(plan, without_state, owner)
    return Remarks(
        previews=previews_of(plan, desired, now=now),
        since=since,
        cannot_see=() if without_state is None else FIRST_TIME if looks_new else NO_STATE,
        crowd=crowd_in(desired.resources.values(), now=now),
    )


def _looks_new(plan: Plan, seen: ObservedState, owner: str) -> bool:
    """Whether nothing on the account looks like what is declared, nor carries a label of ours."""
    alike = any(row.reason in {BlockedReason.LOOKALIKE, BlockedReason.AMBIGUOUS} for row in plan.blocked)
    adopted = any(action.kind is ActionKind.ADOPT for action in plan.actions)
    return not (alike or adopted or any(name_in(row.label, owner=owner) for row in seen.schedules.values()))


def previews_of(plan: Plan, desired: DesiredState, *, now: datetime) -> Mapping[RowKey, Preview]:
    """When schedules fire before and after, for each row that makes or changes their times."""
    rows: tuple[Action | Blocked, ...] = (*plan.actions, *plan.blocked)
    found = {row_key(row): preview_of(row, desired, now=now) for row in rows}
    return {key: preview for key, preview in found.items() if preview is not None}


def reach_sentence(plan: Plan, since: Since) -> str | None:
    """The warning that a plan reaches beyond the change under review; None when it does not."""
    number = beyond(plan, since)
    if not number:
        return None
    verb = "does" if number == 1 else "do"
    return (
        f"the plan reaches beyond the change: {number} of {len(plan.actions)} actions {verb} not come from files "
        "changed since that commit"
    )


def crowd_sentence(crowd: Crowd) -> str:
    """The warning that many schedules fire in one minute, with what to do about it."""
    count = len(crowd.addresses)
    names = ", ".join(map(str, crowd.addresses[:NAMED]))
    others = f" and {count - NAMED} more" if count > NAMED else ""
    further = crowd.minutes - 1
    have = "other minute has" if further == 1 else "other minutes have"
    more = f"; {further} {have} {MANY} or more within {DAYS} days" if further else ""
    return (
        f"{count} schedules fire in the same minute, {crowd.minute:%a %Y-%m-%d %H:%M} UTC ({names}{others}){more}: "
        "spread them, because they share the account's limits"
    )
