"""What is done about one-off runs, and about runs that stopped: the rows of the decision table that concern runs.

A one-off is launched once, ever. Whatever is declared later, a launched one is only reported.
"""

from __future__ import annotations

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Decision, Reason, drift_rows
from cdsync.core.context import Context
from cdsync.core.diff import FieldChange, diff_hidden
from cdsync.core.echo import same_moment, same_url
from cdsync.core.fingerprint import HIDDEN_FIELDS, LAUNCH_FIELDS, synopsis_of
from cdsync.core.halfway import settle_replacement
from cdsync.core.labels import labels_for
from cdsync.core.live import decide_live, launch_live, undeclared_live
from cdsync.core.match import contains
from cdsync.core.model import (
    FINAL_RUN_STATUSES,
    Address,
    Kind,
    OneOffRun,
    Ownership,
    RemoteRun,
    RemoteSchedule,
)
from cdsync.core.obstacles import missing_secret, not_shown_yet, open_question
from cdsync.core.progress import LIVE
from cdsync.core.timing import LEAD, deferred_until
from cdsync.core.work import Reference


def decide_run(run: OneOffRun, context: Context) -> Decision:
    """Decide for a declared one-off."""
    if question := open_question(run.address, context) or missing_secret(run.address, context):
        return Decision(blocked=(question,))
    owned = context.owned.get(run.address)
    if owned is not None:
        return _decide_owned(run, owned, context)
    return _decide_unowned(run, context)


def _decide_unowned(run: OneOffRun, context: Context) -> Decision:
    labels = labels_for(run, owner=context.policy.owner)
    candidates = context.runs_by_action.get(run.work.action, ())
    matches = [remote.uid for remote in candidates if remote.label in labels]
    matches += [remote.uid for label in labels for remote in context.by_label.get(label, ()) if remote.cron is None]
    alike = () if context.policy.allow_lookalikes else _lookalikes(run, candidates, context)
    if run.mode == "live":
        return launch_live(run, alike)
    if len(matches) == 1:
        why = "carries its label, so it was launched before; what the API does not show is taken to be as declared"
        adopt = Action(address=run.address, kind=ActionKind.ADOPT, reason=Reason.LABEL_MATCH, why=why, uid=matches[0])
        return Decision(actions=(adopt,))
    if matches:
        message = f"{len(matches)} objects carry its label: {', '.join(sorted(matches))}"
        return _blocked(run, BlockedReason.AMBIGUOUS, message, f"pick one: cdsync adopt {run.address} UID")
    if alike:
        message = f"it may have been launched already, as {', '.join(alike)}, which nobody owns"
        remedy = f"cdsync adopt {run.address} {alike[0]}, or apply --allow-lookalikes to launch another"
        return _blocked(run, BlockedReason.LOOKALIKE, message, remedy)
    if run.schedule_at is not None and run.schedule_at <= context.latest + LEAD:
        message = f"its time {run.schedule_at.isoformat()} has passed, and it was not launched"
        return _blocked(run, BlockedReason.TOO_LATE, message, "set a later schedule_at, or remove it to launch now")
    return Decision(actions=(_launch(run),))


def _launch(run: OneOffRun) -> Action:
    when = f"once, at {run.schedule_at.isoformat()}" if run.schedule_at else "once, now"
    shown = synopsis_of(run)
    changes = tuple(FieldChange(path, None, value) for path, value in shown.items() if value not in (None, {}, []))
    return Action(
        address=run.address,
        kind=ActionKind.LAUNCH,
        reason=Reason.NEW,
        why=f"declared, and never launched: {when}",
        changes=changes,
        first_fire=run.schedule_at,
    )


def _lookalikes(run: OneOffRun, candidates: tuple[RemoteRun, ...], context: Context) -> tuple[str, ...]:
    if run.schedule_at is not None:
        scheduled = context.by_work.get((run.work.action, ""), ())
        times = ((remote.uid, remote.next_execution_at) for remote in scheduled)
        return tuple(sorted(uid for uid, at in times if at is None or same_moment(at, run.schedule_at)))
    url = run.work.callback.url if run.work.callback is not None else None
    return tuple(
        sorted(
            remote.uid
            for remote in candidates
            if (remote.mode is None or (remote.mode == LIVE) == (run.mode == "live"))
            and (isinstance(url, Reference) or remote.callback_url is None or same_url(remote.callback_url, url))
            and (remote.parameters is None or contains(remote.parameters, run.work.parameters))
        )
    )


def _decide_owned(run: OneOffRun, owned: Ownership, context: Context) -> Decision:
    remote = context.observed.schedules.get(owned.uid) if owned.object is Kind.SCHEDULE else None
    changes = tuple(
        diff_hidden(
            run,
            owned,
            fingerprints=context.desired.fingerprints.get(run.address, {}),
            fields=(*LAUNCH_FIELDS, *HIDDEN_FIELDS),
        )
    )
    renamed: tuple[Action, ...] = ()
    if run.address in context.renamed:
        renamed = (_rename(run, context.renamed[run.address]),)
    if owned.retiring_uid is not None and (unseen := not_shown_yet(owned, context)):
        return Decision(actions=renamed, blocked=(unseen,))
    if half := settle_replacement(owned, context):
        return Decision(actions=renamed or (half,))
    if context.observed.gone.get(owned.uid) == "CANCELLED":
        message = f"its one-time schedule {owned.uid} was cancelled on the account before its time: it was not launched"
        remedy = f"to launch it after all: cdsync forget {run.address}, and apply with a later schedule_at"
        return Decision(actions=renamed, blocked=_blocked(run, BlockedReason.NEEDS_ATTENTION, message, remedy).blocked)
    if run.mode == "live" and owned.object is Kind.RUN:
        fetching = decide_live(run, changes, context)
        return Decision(actions=renamed + fetching.actions, blocked=fetching.blocked)
    if remote is not None:
        waiting = _decide_waiting(run, owned, remote, changes, context)
        return Decision(actions=renamed + waiting.actions, blocked=waiting.blocked, drift=waiting.drift)
    if changes:
        paths = ", ".join(change.path for change in changes)
        message = f"launched on {owned.created_at:%Y-%m-%d} and never launched again, but its {paths} changed since"
        remedy = "to run it so, declare it under a new name"
        blocked = _blocked(run, BlockedReason.LAUNCHED_CHANGED, message, remedy, changes=changes)
        return Decision(actions=renamed, blocked=blocked.blocked)
    return Decision(actions=renamed)


def _decide_waiting(
    run: OneOffRun, owned: Ownership, remote: RemoteSchedule, changes: tuple[FieldChange, ...], context: Context
) -> Decision:
    """A one-off whose time is yet to come is still a schedule on the API, and can be changed and healed like one."""
    drift = () if owned.removed_at else drift_rows(owned, remote)
    late = run.schedule_at is None or run.schedule_at <= context.latest + LEAD
    if changes and not late and not run.protect:
        if deferred_until(remote, now=context.now) is not None:
            message = "its replacement would come too close to its time, so it is launched as declared before"
            remedy = "declare it under a new name with a later schedule_at"
            return Decision(blocked=_blocked(run, BlockedReason.TOO_LATE, message, remedy).blocked, drift=drift)
        paths = ", ".join(dict.fromkeys(change.path for change in changes))
        replace = Action(
            address=run.address,
            kind=ActionKind.REPLACE,
            reason=Reason.CHANGED,
            why=f"{paths} changed before its time came: pause, create anew, verify, cancel",
            uid=remote.uid,
            changes=changes,
            first_fire=run.schedule_at,
        )
        return Decision(actions=(replace,), drift=drift)
    if changes:
        message = "it waits for its time as it was declared before"
        remedy = "declare it under a new name with a later schedule_at"
        blocked = _blocked(run, BlockedReason.LAUNCHED_CHANGED, message, remedy, changes=changes)
        return Decision(blocked=blocked.blocked, drift=drift)
    if remote.status != "PAUSED":
        return Decision(drift=drift)
    if late:
        when = owned.synopsis.get("schedule_at")
        message = f"its time {when} passed while {remote.uid} was paused: it was not launched"
        remedy = f"to launch it after all: cdsync forget {run.address}, and declare a later schedule_at"
        blocked = _blocked(run, BlockedReason.NEEDS_ATTENTION, message, remedy)
        return Decision(blocked=blocked.blocked, drift=drift)
    return Decision(actions=(_resume(run, owned, remote),), drift=drift)


def _resume(run: OneOffRun, owned: Ownership, remote: RemoteSchedule) -> Action:
    again = owned.removed_at is not None
    return Action(
        address=run.address,
        kind=ActionKind.RESUME,
        reason=Reason.DECLARED_AGAIN if again else Reason.DRIFTED,
        why="declared again before it was deleted" if again else "state was changed on the account",
        uid=remote.uid,
        changes=(FieldChange("state", "paused", "active"),),
    )


def _rename(run: OneOffRun, old: Address) -> Action:
    return Action(
        address=run.address,
        kind=ActionKind.RENAME,
        reason=Reason.RENAMED,
        why=f"was {old}; it is not launched again",
        changes=(FieldChange("name", old.name, run.address.name),),
    )


def decide_undeclared_run(owned: Ownership, context: Context) -> Decision:
    """Decide for a launched one-off that is declared no more: it stays remembered, so it is never launched twice."""
    followed = [run for run in context.state.runs.values() if run.address == owned.address and not run.finished]
    # What was seen just now is newer than what the state remembers.
    seen = [context.observed.runs.get(run.uid, run).status for run in followed]
    under_way = [status for status in seen if status not in FINAL_RUN_STATUSES]
    progress = context.progress_of(owned.address)
    if progress is not None and not progress.finished:
        message = undeclared_live(progress)
    elif under_way:
        message = f"no longer declared, but launched and still {under_way[0]}; it is not cancelled"
    else:
        return Decision()
    blocked = Blocked(
        address=owned.address,
        reason=BlockedReason.LAUNCHED_UNDECLARED,
        message=message,
        remedy=f"declare it again, or cdsync forget {owned.address}",
    )
    return Decision(blocked=(blocked,))


def _blocked(
    run: OneOffRun, reason: BlockedReason, message: str, remedy: str, *, changes: tuple[FieldChange, ...] = ()
) -> Decision:
    blocked = Blocked(address=run.address, reason=reason, message=message, remedy=remedy, changes=changes)
    return Decision(blocked=(blocked,))
