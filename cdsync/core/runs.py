"""What is done about one-off runs, and about runs that stopped: the rows of the decision table that concern runs.

A one-off is launched once, ever. Whatever is declared later, a launched one is only reported.
"""

from __future__ import annotations

from datetime import timedelta

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Decision, Reason, drift_rows
from cdsync.core.advice import Help, advice_on
from cdsync.core.context import Context
from cdsync.core.diff import FieldChange, diff_hidden
from cdsync.core.fingerprint import HIDDEN_FIELDS, LAUNCH_FIELDS, synopsis_of
from cdsync.core.halfway import settle_replacement
from cdsync.core.labels import labels_for
from cdsync.core.match import contains
from cdsync.core.model import (
    NEVER_RESUME,
    Address,
    Kind,
    OneOffRun,
    Ownership,
    RemoteRun,
    RemoteSchedule,
    ResumePolicy,
    Schedule,
)
from cdsync.core.obstacles import missing_secret, open_question
from cdsync.core.timing import LEAD, deferred_until
from cdsync.core.work import Reference

STANDING_STILL = frozenset({"STOPPED", "BLOCKED"})
"""The statuses that a resume can move on (API contract section 5.2)."""


def decide_run(run: OneOffRun, context: Context) -> Decision:
    """Decide for a declared one-off."""
    if question := open_question(run.address, context) or missing_secret(run.address, context):
        return Decision(blocked=(question,))
    owned = context.owned.get(run.address)
    if owned is not None:
        return _decide_owned(run, owned, context)
    if run.mode == "live":
        return _blocked(run, BlockedReason.NOT_SUPPORTED, "mode live is not supported yet", "use mode: async")
    return _decide_unowned(run, context)


def _decide_unowned(run: OneOffRun, context: Context) -> Decision:
    labels = labels_for(run, owner=context.policy.owner)
    candidates = context.runs_by_action.get(run.work.action, ())
    matches = [remote.uid for remote in candidates if remote.label in labels]
    matches += [remote.uid for label in labels for remote in context.by_label.get(label, ()) if remote.cron is None]
    if len(matches) == 1:
        why = "carries its label, so it was launched before; what the API does not show is taken to be as declared"
        adopt = Action(address=run.address, kind=ActionKind.ADOPT, reason=Reason.LABEL_MATCH, why=why, uid=matches[0])
        return Decision(actions=(adopt,))
    if matches:
        message = f"{len(matches)} objects carry its label: {', '.join(sorted(matches))}"
        return _blocked(run, BlockedReason.AMBIGUOUS, message, f"pick one: cdsync adopt {run.address} UID")
    alike = () if context.policy.allow_lookalikes else _lookalikes(run, candidates, context)
    if alike:
        message = f"it may have been launched already, as {', '.join(alike)}, which nobody owns"
        remedy = f"cdsync adopt {run.address} {alike[0]}, or apply --allow-lookalikes to launch another"
        return _blocked(run, BlockedReason.LOOKALIKE, message, remedy)
    if run.schedule_at is not None and run.schedule_at <= context.now + LEAD:
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
        return tuple(sorted(remote.uid for remote in scheduled if remote.next_execution_at in {run.schedule_at, None}))
    url = run.work.callback.url if run.work.callback is not None else None
    return tuple(
        sorted(
            remote.uid
            for remote in candidates
            if (isinstance(url, Reference) or remote.callback_url in {url, None})
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
    if half := settle_replacement(owned, context):
        return Decision(actions=renamed or (half,))
    if context.observed.gone.get(owned.uid) == "CANCELLED":
        message = f"its one-time schedule {owned.uid} was cancelled on the account before its time: it was not launched"
        remedy = f"to launch it after all: cdsync forget {run.address}, and apply with a later schedule_at"
        return Decision(actions=renamed, blocked=_blocked(run, BlockedReason.NEEDS_ATTENTION, message, remedy).blocked)
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
    late = run.schedule_at is None or run.schedule_at <= context.now + LEAD
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
    if not followed:
        return Decision()
    blocked = Blocked(
        address=owned.address,
        reason=BlockedReason.LAUNCHED_UNDECLARED,
        message=f"no longer declared, but launched and still {followed[0].status}; it is not cancelled",
        remedy=f"declare it again, or cdsync forget {owned.address}",
    )
    return Decision(blocked=(blocked,))


def decide_followed(run: RemoteRun, address: Address, context: Context) -> Decision:
    """Decide for a run of ours that was looked at: resume it, wait, or say that it needs a person."""
    if run.status not in STANDING_STILL:
        return Decision()
    policy = resume_policy(address, context)
    advice = advice_on(run.last_error)
    if run.postponed_until is not None and run.postponed_until > context.now:
        return Decision()
    label = f" with {run.last_error.label}" if run.last_error and run.last_error.label else ""
    state = f"run {run.uid} is {run.status}{label}"
    if advice.help is Help.PERSON:
        return _attention(address, state, advice.text)
    if advice.help is Help.WAIT:
        return Decision()
    if run.status not in policy.statuses:
        return _attention(address, f"{state}; the policy does not resume it", advice.text)
    followed = context.state.runs.get(run.uid)
    resumes = followed.resumes if followed else 0
    if resumes >= policy.attempts:
        return _attention(address, f"{state} again after {resumes} resumes", advice.text)
    if followed and followed.resumed_at and context.now < followed.resumed_at + _pause(policy, resumes):
        return Decision()
    resume = Action(
        address=address,
        kind=ActionKind.RESUME_RUN,
        reason=Reason.STOPPED,
        why=f"{state}; resume {resumes + 1} of {policy.attempts}",
        uid=run.uid,
        changes=(FieldChange("status", run.status, "SCHEDULED"),),
    )
    return Decision(actions=(resume,))


def resume_policy(address: Address, context: Context) -> ResumePolicy:
    """The policy for the runs of a resource: its own, else the global one; nothing declared is nothing resumed."""
    resource = context.desired.resources.get(address)
    if resource is None or (isinstance(resource, Schedule) and resource.state == "absent"):
        return NEVER_RESUME
    return resource.resume or context.policy.resume


def _pause(policy: ResumePolicy, resumes: int) -> timedelta:
    return policy.backoff * 2 ** (resumes - 1) if resumes else timedelta()


def _attention(address: Address, message: str, remedy: str) -> Decision:
    blocked = Blocked(address=address, reason=BlockedReason.NEEDS_ATTENTION, message=message, remedy=remedy)
    return Decision(blocked=(blocked,))


def _blocked(
    run: OneOffRun, reason: BlockedReason, message: str, remedy: str, *, changes: tuple[FieldChange, ...] = ()
) -> Decision:
    blocked = Blocked(address=run.address, reason=reason, message=message, remedy=remedy, changes=changes)
    return Decision(blocked=(blocked,))
