"""What is done about a declared schedule that is not ours yet: adopted, created, or blocked because it may exist."""

from __future__ import annotations

from datetime import datetime

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Decision, Reason
from cdsync.core.context import Context, work_key
from cdsync.core.diff import FieldChange, diff_visible
from cdsync.core.fingerprint import synopsis_of
from cdsync.core.imported import lacks_inputs
from cdsync.core.labels import labels_for
from cdsync.core.model import RemoteSchedule, Schedule
from cdsync.core.timing import first_fire
from cdsync.core.zones import same_timezone


def decide_unowned(schedule: Schedule, context: Context) -> Decision:
    """Decide for a declared schedule that the store does not know: adopt what is ours, never double what may be."""
    matches = labelled(schedule, context)
    if len(matches) == 1 and _does_otherwise(schedule, matches[0]):
        return block(
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
        return block(
            schedule,
            BlockedReason.AMBIGUOUS,
            f"{len(matches)} live schedules carry its label: {_uids(matches)}",
            f"pick one: cdsync adopt {schedule.address} UID",
        )
    why = "declared, and not on the account"
    leaving = context.leaving.get(work_key(schedule.work.action, schedule.cron))
    if leaving is not None and same_timezone(context.owned[leaving].timezone, schedule.timezone):
        why += f"; {leaving} did the same and is no longer declared: if it was renamed, say was: {leaving.name}"
    return create(schedule, context, Reason.NEW, why)


def labelled(schedule: Schedule, context: Context) -> tuple[RemoteSchedule, ...]:
    """The live schedules that carry the label of a resource and are not known to be ours."""
    if not context.by_label:
        return ()
    return tuple(
        remote
        for label in labels_for(schedule, owner=context.policy.owner)
        for remote in context.by_label.get(label, ())
        if remote.cron is not None
    )


def _does_otherwise(schedule: Schedule, remote: RemoteSchedule) -> bool:
    return any(change.path != "state" for change in diff_visible(schedule, remote))


def create(schedule: Schedule, context: Context, reason: Reason, why: str) -> Decision:
    """Create a schedule, unless one that is not ours does the same at the same times."""
    alike = tuple(
        remote
        for remote in context.by_work.get(work_key(schedule.work.action, schedule.cron), ())
        if same_timezone(remote.timezone, schedule.timezone)
    )
    if alike and not context.policy.allow_lookalikes:
        return block(
            schedule,
            BlockedReason.LOOKALIKE,
            f"a live schedule that is not ours does the same at the same times: {_uids(alike)}",
            f"{_advice(schedule, alike[0])}; or apply --allow-lookalikes to create another",
        )
    if lacks_inputs(schedule.work):
        return without_inputs(schedule, "would be created", ())
    fires = None
    at_once = schedule.first_fire == "immediate" and reason is Reason.NEW
    if schedule.state == "active" and not at_once:
        fires = first_fire(schedule.cron, schedule.timezone, now=context.latest)
    create = Action(
        address=schedule.address,
        kind=ActionKind.CREATE,
        reason=reason,
        why=why,
        changes=_declared_fields(schedule),
        first_fire=fires,
    )
    return Decision(actions=(create,))


def without_inputs(schedule: Schedule, would: str, changes: tuple[FieldChange, ...]) -> Decision:
    """The row for a schedule whose inputs are still to be filled in; `would` says what was held back."""
    message = f"{would}, but its inputs are still to be filled in"
    remedy = f"fill in its inputs where {schedule.location} declares it"
    return block(schedule, BlockedReason.INPUTS_MISSING, message, remedy, changes=changes)


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
        "first_fire": "immediate" if schedule.first_fire == "immediate" else None,
        **synopsis_of(schedule),
    }
    return tuple(FieldChange(path, None, value) for path, value in shown.items() if value not in (None, {}, []))


def _uids(remotes: tuple[RemoteSchedule, ...]) -> str:
    return ", ".join(sorted(remote.uid for remote in remotes))


def block(
    schedule: Schedule,
    reason: BlockedReason,
    message: str,
    remedy: str,
    *,
    until: datetime | None = None,
    changes: tuple[FieldChange, ...] = (),
) -> Decision:
    """A decision to leave a schedule alone."""
    blocked = Blocked(
        address=schedule.address, reason=reason, message=message, remedy=remedy, until=until, changes=changes
    )
    return Decision(blocked=(blocked,))
