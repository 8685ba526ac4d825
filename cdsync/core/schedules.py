"""What is done about one schedule: the rows of the decision table in `plan` that concern schedules."""

from __future__ import annotations

from datetime import datetime

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Decision, Drift, Reason, drift_rows
from cdsync.core.context import Context, work_key
from cdsync.core.cron import same_timezone
from cdsync.core.diff import STATUS_OF_STATE, FieldChange, declaration_moved, diff_schedule, diff_visible
from cdsync.core.fingerprint import synopsis_of
from cdsync.core.halfway import settle_replacement
from cdsync.core.labels import labels_for
from cdsync.core.model import Ownership, RemoteSchedule, Schedule
from cdsync.core.obstacles import missing_secret, open_question
from cdsync.core.timing import deferred_until, first_fire


def decide_schedule(schedule: Schedule, context: Context) -> Decision:
    """Decide for a declared schedule."""
    address = schedule.address
    owned = context.owned.get(address)
    if question := open_question(address, context):
        return Decision(blocked=(question,))
    if missing := missing_secret(address, context):
        return _without_secret(schedule, owned, missing, context)
    if owned is None:
        return Decision() if schedule.state == "absent" else _decide_unowned(schedule, context)
    if (half := settle_replacement(owned, context)) is not None:
        renaming = address in context.renamed
        return Decision(actions=(_rename(schedule, context) if renaming else half,))
    remote = context.observed.schedules.get(owned.uid)
    if remote is not None and remote.live:
        return _decide_live(schedule, owned, remote, context)
    if remote is None and owned.uid in context.observed.gone:
        return _decide_gone(schedule, owned, context)
    status = f"the status {remote.status}, which this version does not know" if remote else "not been looked for"
    message = f"{owned.uid} has {status}, so it is left alone"
    return _blocked(schedule, BlockedReason.NEEDS_ATTENTION, message, "look at it, and report it if it stays so")


def _without_secret(schedule: Schedule, owned: Ownership | None, missing: Blocked, context: Context) -> Decision:
    """A secret that is missing keeps anything from being made or changed, but nothing from being stopped."""
    remote = context.observed.schedules.get(owned.uid) if owned else None
    if owned is not None and remote is not None and remote.live:
        if schedule.state == "absent":
            return _delete_absent(schedule, remote, ())
        if schedule.state == "paused" and remote.status == "ACTIVE":
            change = (FieldChange("state", "active", "paused"),)
            return Decision(actions=(_switch(schedule, owned, remote, change, Reason.CHANGED),))
    return Decision(blocked=(missing,))


def _decide_unowned(schedule: Schedule, context: Context) -> Decision:
    matches = tuple(
        remote
        for label in labels_for(schedule, owner=context.policy.owner)
        for remote in context.by_label.get(label, ())
        if remote.cron is not None
    )
    if len(matches) == 1 and _does_otherwise(schedule, matches[0]):
        return _blocked(
            schedule,
            BlockedReason.LOOKALIKE,
            f"{matches[0].uid} carries its label {matches[0].label!r}, but does something else, so it may be another's",
            f"if it is yours: cdsync adopt {schedule.address} {matches[0].uid}",
            changes=diff_visible(schedule, matches[0]),
        )
    if len(matches) == 1:
        why = f"carries the label {matches[0].label!r}; what the API does not show is taken to be as declared"
        changes = diff_visible(schedule, matches[0])
        adopt = Action(
            address=schedule.address,
            kind=ActionKind.ADOPT,
            reason=Reason.LABEL_MATCH,
            why=why,
            uid=matches[0].uid,
            changes=changes,
        )
        return Decision(actions=(adopt,))
    if matches:
        return _blocked(
            schedule,
            BlockedReason.AMBIGUOUS,
            f"{len(matches)} live schedules carry its label: {_uids(matches)}",
            f"pick one: cdsync adopt {schedule.address} UID",
        )
    return _create(schedule, context, Reason.NEW, "declared, and not on the account")


def _does_otherwise(schedule: Schedule, remote: RemoteSchedule) -> bool:
    return any(change.path != "state" for change in diff_visible(schedule, remote))


def _create(schedule: Schedule, context: Context, reason: Reason, why: str) -> Decision:
    alike = tuple(
        remote
        for remote in context.by_work.get(work_key(schedule.work.action, schedule.cron), ())
        if same_timezone(remote.timezone, schedule.timezone)
    )
    if alike and not context.policy.allow_lookalikes:
        return _blocked(
            schedule,
            BlockedReason.LOOKALIKE,
            f"a live schedule that is not ours does the same at the same times: {_uids(alike)}",
            f"{_advice(schedule, alike[0])}; or apply --allow-lookalikes to create another",
        )
    fires = None
    if schedule.first_fire == "next-tick" and schedule.state == "active":
        fires = first_fire(schedule.cron, schedule.timezone, now=context.now)
    create = Action(
        address=schedule.address,
        kind=ActionKind.CREATE,
        reason=reason,
        why=why,
        changes=_declared_fields(schedule),
        first_fire=fires,
    )
    return Decision(actions=(create,))


def _advice(schedule: Schedule, remote: RemoteSchedule) -> str:
    if remote.label is not None:
        return f"its label is {remote.label!r}: ask whose it is, and adopt it only if it is yours"
    return f"cdsync adopt {schedule.address} {remote.uid}"


def _declared_fields(schedule: Schedule) -> tuple[FieldChange, ...]:
    shown = {
        "action": schedule.work.action,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "state": schedule.state,
        **synopsis_of(schedule),
    }
    return tuple(FieldChange(path, None, value) for path, value in shown.items() if value not in (None, {}, []))


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
    if schedule.protect:
        message = f"{owned.uid} is {found}; protected, so it is not created again"
        blocked = _blocked(schedule, BlockedReason.PROTECTED, message, "remove protect, or adopt another UID")
        return Decision(blocked=blocked.blocked, drift=drift)
    again = _create(schedule, context, Reason.GONE, f"{owned.uid} is {found}")
    return Decision(actions=again.actions, blocked=again.blocked, drift=drift)


def _decide_live(schedule: Schedule, owned: Ownership, remote: RemoteSchedule, context: Context) -> Decision:
    address = schedule.address
    drift = () if owned.removed_at else drift_rows(owned, remote)
    if schedule.state == "absent":
        return _delete_absent(schedule, remote, drift)
    changes = diff_schedule(
        schedule,
        remote,
        owned,
        fingerprints=context.desired.fingerprints.get(address, {}),
    )
    actions: list[Action] = []
    blocked: tuple[Blocked, ...] = ()
    if address in context.renamed:
        actions.append(_rename(schedule, context))
    settings = tuple(change for change in changes if change.path != "state")
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
    elif changes or owned.removed_at is not None:
        actions.append(_switch(schedule, owned, remote, changes, reason))
    return Decision(actions=tuple(actions), blocked=blocked, drift=drift)


def _delete_absent(schedule: Schedule, remote: RemoteSchedule, drift: tuple[Drift, ...]) -> Decision:
    if schedule.protect:
        return _blocked(schedule, BlockedReason.PROTECTED, "declared absent, but protected", "remove protect")
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
        return _blocked(
            schedule,
            BlockedReason.PROTECTED,
            f"would be replaced, because {paths} changed and this API cannot change it in place",
            "remove protect",
            changes=changes,
        )
    if until := deferred_until(remote, now=context.now):
        return _blocked(
            schedule,
            BlockedReason.DEFERRED,
            "its replacement waits for the next tick, so that it neither fires twice nor misses one",
            f"apply after {until:%H:%M:%S} UTC",
            until=until,
            changes=changes,
        )
    why = _why(changes, reason, "this API cannot change it in place: pause, create anew, verify, cancel")
    fires = first_fire(schedule.cron, schedule.timezone, now=context.now)
    replace = _action(schedule, ActionKind.REPLACE, reason, why, uid=remote.uid, changes=changes, fires=fires)
    return Decision(actions=(replace,))


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


def _uids(remotes: tuple[RemoteSchedule, ...]) -> str:
    return ", ".join(sorted(remote.uid for remote in remotes))


def _blocked(
    schedule: Schedule,
    reason: BlockedReason,
    message: str,
    remedy: str,
    *,
    until: datetime | None = None,
    changes: tuple[FieldChange, ...] = (),
) -> Decision:
    blocked = Blocked(
        address=schedule.address, reason=reason, message=message, remedy=remedy, until=until, changes=changes
    )
    return Decision(blocked=(blocked,))
