"""What is done about an owned schedule that is declared no more: the rows of the decision table that concern removal.

Prune is the permission, delete the act: undeclared means paused now, and cancelled only after the grace.
"""

from __future__ import annotations

from datetime import timedelta

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Decision, Reason
from cdsync.core.context import Context
from cdsync.core.diff import FieldChange
from cdsync.core.halfway import settle_replacement
from cdsync.core.model import Ownership, RemoteSchedule
from cdsync.core.obstacles import not_shown_yet
from cdsync.core.policy import PruneMode, duration_text
from cdsync.core.schedules import status_text


def decide_undeclared(owned: Ownership, context: Context) -> Decision:
    """Decide for an owned schedule that is declared no more: pause it now, cancel it after the grace."""
    address, policy = owned.address, context.policy
    remote = context.observed.schedules.get(owned.uid)
    if message := context.unresolved.get(address):
        left = Blocked(
            address=address,
            reason=BlockedReason.UNRESOLVED_OUTCOME,
            message=message,
            remedy="the next apply looks for it first",
        )
        return Decision(blocked=(left,))
    if waiting := not_shown_yet(owned, context):
        return Decision(blocked=(waiting,))
    if half := settle_replacement(owned, context):
        return Decision(actions=(half,))
    if remote is None and owned.uid in context.observed.gone:
        why = f"no longer declared, and {status_text(context.observed.gone.get(owned.uid))}"
        forget = Action(address=address, kind=ActionKind.FORGET, reason=Reason.UNDECLARED, why=why, uid=owned.uid)
        return Decision(actions=(forget,))
    if remote is None or not remote.live:
        status = f"is {remote.status}, a status that this version does not know" if remote else "was not looked for"
        left = Blocked(
            address=address,
            reason=BlockedReason.NEEDS_ATTENTION,
            message=f"no longer declared; {owned.uid} {status}",
            remedy="look at it; cdsync leaves it alone",
        )
        return Decision(blocked=(left,))
    if owned.protect or policy.prune is PruneMode.KEEP:
        what = "protected" if owned.protect else "policy.prune.mode is keep"
        kept = Blocked(
            address=address,
            reason=BlockedReason.PROTECTED if owned.protect else BlockedReason.KEPT,
            message=f"no longer declared; {what}, so {owned.uid} is left as it is",
            remedy=f"declare it again, or cdsync forget {address}",
        )
        return Decision(blocked=(kept,))
    return _remove(owned, remote, context)


def _remove(owned: Ownership, remote: RemoteSchedule, context: Context) -> Decision:
    grace = context.policy.grace if context.policy.prune is PruneMode.DELETE else None
    started = owned.removed_at is not None
    gone_for = context.earliest - owned.removed_at if owned.removed_at is not None else timedelta()
    over = grace is not None and (gone_for >= grace if started else not grace)
    change = (FieldChange("state", remote.status.lower(), "absent" if over else "paused"),)
    if over:
        reason = Reason.GRACE_OVER if started else Reason.UNDECLARED
        why = f"no longer declared; {'the grace of ' + duration_text(grace) + ' is over' if grace else 'no grace'}"
        kind = ActionKind.DELETE
    elif not started or remote.status == "ACTIVE":
        reason, kind = Reason.UNDECLARED, ActionKind.PAUSE
        then = f"paused now, deleted after {duration_text(grace)}" if grace else "paused; policy.prune.mode is pause"
        why = f"no longer declared: {then}"
    else:
        return Decision(blocked=(_waiting(owned, remote, grace),))
    action = Action(address=owned.address, kind=kind, reason=reason, why=why, uid=remote.uid, changes=change)
    return Decision(actions=(action,))


def _waiting(owned: Ownership, remote: RemoteSchedule, grace: timedelta | None) -> Blocked:
    until = owned.removed_at + grace if owned.removed_at is not None and grace is not None else None
    then = f"deleted by the first apply after {until:%Y-%m-%d %H:%M} UTC" if until else "policy.prune.mode is pause"
    return Blocked(
        address=owned.address,
        reason=BlockedReason.WAITING,
        message=f"no longer declared; {remote.uid} is paused; {then}",
        remedy="declare it again to resume it",
        until=until,
    )
