"""What is done about one schedule: the rows of the decision table in `plan` that concern schedules."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Decision, Drift, Reason, drift_rows
from cdsync.core.context import Context
from cdsync.core.creation import block, create, decide_unowned, labelled, without_inputs
from cdsync.core.diff import STATUS_OF_STATE, FieldChange, declaration_moved, diff_schedule
from cdsync.core.halfway import settle_replacement
from cdsync.core.imported import lacks_inputs
from cdsync.core.model import Ownership, RemoteSchedule, Schedule
from cdsync.core.obstacles import missing_secret, not_shown_yet, open_question
from cdsync.core.timing import deferred_until, first_fire


def decide_schedule(schedule: Schedule, context: Context) -> Decision:
    """Decide for a declared schedule."""
    if question := open_question(schedule.address, context):
        return Decision(blocked=(question,))
    decision = _decide(schedule, context)
    if schedule.address not in context.renamed:
        return decision
    # The store must know the new name before anything is done under it; what else only the store learns comes next.
    later = tuple(action for action in decision.actions if action.phase > 0)
    return replace(decision, actions=(_rename(schedule, context), *later))


def _decide(schedule: Schedule, context: Context) -> Decision:
    owned = context.owned.get(schedule.address)
    if schedule.state != "absent" and (missing := missing_secret(schedule.address, context)):
        return _without_secret(schedule, owned, missing, context)
    if owned is None:
        return Decision() if schedule.state == "absent" else decide_unowned(schedule, context)
    if waiting := not_shown_yet(owned, context):
        return Decision(blocked=(waiting,))
    if half := settle_replacement(owned, context):
        return Decision(actions=(half,))
    remote = context.observed.schedules.get(owned.uid)
    if remote is not None and remote.live:
        doubles = labelled(schedule, context) if schedule.state == "active" else ()
        return _doubled(schedule, remote, doubles) if doubles else _decide_live(schedule, owned, remote, context)
    if remote is None and owned.uid in context.observed.gone:
        return _decide_gone(schedule, owned, context)
    status = f"the status {remote.status}, which this version does not know" if remote else "not been looked for"
    message = f"{owned.uid} has {status}, so it is left alone"
    return block(schedule, BlockedReason.NEEDS_ATTENTION, message, "look at it, and report it if it stays so")


def _without_secret(schedule: Schedule, owned: Ownership | None, missing: Blocked, context: Context) -> Decision:
    """A secret that is missing keeps anything from being made or changed, but nothing from being stopped."""
    remote = context.observed.schedules.get(owned.uid) if owned else None
    if owned and remote and schedule.state == "paused" and remote.status == "ACTIVE":
        change = (FieldChange("state", "active", "paused"),)
        return Decision(actions=(_switch(schedule, owned, remote, change, Reason.CHANGED),))
    return Decision(blocked=(missing,))


def _doubled(schedule: Schedule, remote: RemoteSchedule, doubles: tuple[RemoteSchedule, ...]) -> Decision:
    uids = ", ".join(sorted(row.uid for row in doubles))
    return block(
        schedule,
        BlockedReason.AMBIGUOUS,
        f"it owns {remote.uid}, but {uids} is live too and carries its label: both may fire",
        "keep one: cancel the other on the account, or cdsync forget and adopt to keep that one",
    )


def _decide_gone(schedule: Schedule, owned: Ownership, context: Context) -> Decision:
    found = status_text(context.observed.gone.get(owned.uid))
    drift = (Drift(address=schedule.address, path="status", applied=STATUS_OF_STATE.get(owned.state), found=found),)
    if schedule.state == "absent":
        gone = Action(
            address=schedule.address,
            kind=ActionKind.FORGET,
            reason=Reason.DECLARED_ABSENT,
            why=f"declared absent, and {found}",
            uid=owned.uid,
        )
        return Decision(actions=(gone,))
    if labelled(schedule, context):
        # An older state was restored, or somebody made it anew with our label: what is there is not doubled.
        found_again = decide_unowned(schedule, context)
        return Decision(actions=found_again.actions, blocked=found_again.blocked, drift=drift)
    again = create(schedule, context, Reason.GONE, f"{owned.uid} is {found}")
    return Decision(actions=again.actions, blocked=again.blocked, drift=drift)


def _decide_live(schedule: Schedule, owned: Ownership, remote: RemoteSchedule, context: Context) -> Decision:
    drift = () if owned.removed_at else drift_rows(owned, remote)
    if schedule.state == "absent":
        return _delete_absent(schedule, remote, drift)
    fingerprints = context.desired.fingerprints.get(schedule.address, {})
    changes = diff_schedule(schedule, remote, owned, fingerprints=fingerprints)
    if not changes and owned.removed_at is None:
        return Decision(drift=drift)
    actions: list[Action] = []
    blocked: tuple[Blocked, ...] = ()
    settings = tuple(change for change in changes if change.path != "state")
    if settings and lacks_inputs(schedule.work):
        return Decision(blocked=without_inputs(schedule, "would be changed", changes).blocked, drift=drift)
    reason = Reason.CHANGED if declaration_moved(schedule, owned, changes) else Reason.DRIFTED
    if settings and not {_root(change.path) for change in settings} <= context.observed.capabilities.update_in_place:
        replacing = _replace(schedule, remote, changes, reason, context)
        actions.extend(replacing.actions)
        blocked = replacing.blocked
        if blocked and schedule.state == "paused" and remote.status == "ACTIVE":
            # What is declared paused fires no more, whatever else has to wait.
            state = tuple(change for change in changes if change.path == "state")
            actions.append(_switch(schedule, owned, remote, state, reason))
    elif settings:
        why = _why(changes, reason, "changed in place")
        actions.append(_action(schedule, ActionKind.UPDATE, reason, why, uid=remote.uid, changes=changes))
    else:
        actions.append(_switch(schedule, owned, remote, changes, reason))
    return Decision(actions=tuple(actions), blocked=blocked, drift=drift)


def _delete_absent(schedule: Schedule, remote: RemoteSchedule, drift: tuple[Drift, ...]) -> Decision:
    if schedule.protect:
        return block(schedule, BlockedReason.PROTECTED, "declared absent, but protected", "remove protect")
    change = (FieldChange("state", remote.status.lower(), "absent"),)
    delete = _action(
        schedule, ActionKind.DELETE, Reason.DECLARED_ABSENT, "declared absent", uid=remote.uid, changes=change
    )
    return Decision(actions=(delete,), drift=drift)


def _replace(
    schedule: Schedule, remote: RemoteSchedule, changes: tuple[FieldChange, ...], reason: Reason, context: Context
) -> Decision:
    if schedule.protect:
        paths = ", ".join(change.path for change in changes)
        return block(
            schedule,
            BlockedReason.PROTECTED,
            f"would be replaced, because {paths} changed and this API cannot change it in place",
            "remove protect",
            changes=changes,
        )
    if until := deferred_until(remote, now=context.now):
        return block(
            schedule,
            BlockedReason.DEFERRED,
            "its replacement waits for the next tick, so that it neither fires twice nor misses one",
            f"apply after {until:%H:%M:%S} UTC",
            until=until,
            changes=changes,
        )
    why = _why(changes, reason, "this API cannot change it in place: pause, create anew, verify, cancel")
    active = schedule.state == "active"
    fires = first_fire(schedule.cron, schedule.timezone, now=context.latest) if active else None
    replacing = _action(schedule, ActionKind.REPLACE, reason, why, uid=remote.uid, changes=changes, fires=fires)
    return Decision(actions=(replacing,))


def _switch(
    schedule: Schedule,
    owned: Ownership,
    remote: RemoteSchedule,
    changes: tuple[FieldChange, ...],
    reason: Reason,
) -> Action:
    kind = ActionKind.RESUME if schedule.state == "active" else ActionKind.PAUSE
    if owned.removed_at is not None:
        why = "declared again before it was deleted"
        return _action(schedule, kind, Reason.DECLARED_AGAIN, why, uid=remote.uid, changes=changes)
    return _action(schedule, kind, reason, _why(changes, reason, ""), uid=remote.uid, changes=changes)


def _rename(schedule: Schedule, context: Context) -> Action:
    old = context.renamed[schedule.address]
    change = (FieldChange("name", old.name, schedule.address.name),)
    return _action(
        schedule, ActionKind.RENAME, Reason.RENAMED, f"was {old}; the API object is kept", uid=None, changes=change
    )


def _action(
    schedule: Schedule,
    kind: ActionKind,
    reason: Reason,
    why: str,
    *,
    uid: str | None,
    changes: tuple[FieldChange, ...],
    fires: datetime | None = None,
) -> Action:
    return Action(
        address=schedule.address, kind=kind, reason=reason, why=why, uid=uid, changes=changes, first_fire=fires
    )


def _why(changes: tuple[FieldChange, ...], reason: Reason, how: str) -> str:
    paths = ", ".join(dict.fromkeys(_root(change.path) for change in changes))
    what = f"{paths} was changed on the account" if reason is Reason.DRIFTED else f"{paths} changed in the declaration"
    return f"{what}; {how}" if how else what


def _root(path: str) -> str:
    return path.split(".", 1)[0]


def status_text(status: str | None) -> str:
    """A status that a request by UID confirmed, for a sentence; None is an object that the API does not know."""
    return status.lower() if status else "unknown to the API"
