"""What is done about a run that stands still: resumed within its budget, waited for, or shown to a person.

The budget is per run, and the store remembers what is left of it.
"""

from __future__ import annotations

from datetime import timedelta

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Decision, Reason
from cdsync.core.advice import Advice, Help, advice_on
from cdsync.core.context import Context
from cdsync.core.diff import FieldChange
from cdsync.core.model import LEFT_ALONE, NEVER_RESUME, Address, FollowedRun, RemoteRun, ResumePolicy, Schedule

STANDING_STILL = frozenset({"STOPPED", "BLOCKED"})
"""The statuses that a resume can move on (API contract section 5.2)."""


def decide_followed(run: RemoteRun, address: Address, context: Context) -> Decision:
    """Decide for a run of ours that was looked at: resume it, wait, or say that it needs a person."""
    if run.status not in STANDING_STILL or (run.postponed_until is not None and run.postponed_until > context.now):
        return Decision()
    followed = context.state.runs.get(run.uid)
    if followed is not None and followed.refusal == LEFT_ALONE:
        return Decision()
    policy = resume_policy(address, context)
    advice = advice_on(run.last_error)
    resumes = followed.resumes if followed else 0
    label = f" with {run.last_error.label}" if run.last_error and run.last_error.label else ""
    state = f"run {run.uid} is {run.status}{label}"
    hindrance = _hindrance(run, followed, policy, advice)
    if hindrance is not None:
        return _attention(address, f"{state}{hindrance}", advice.words(address))
    if advice.help is Help.WAIT or _too_soon(followed, policy, context):
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


def _hindrance(run: RemoteRun, followed: FollowedRun | None, policy: ResumePolicy, advice: Advice) -> str | None:
    """Why only a person can move it on, as the end of a sentence about it; None when it need not be one."""
    if followed is not None and followed.refusal is not None:
        return f"; {followed.refusal}"
    if advice.help is Help.PERSON:
        return ""
    if advice.help is Help.WAIT:
        return None
    if run.status not in policy.statuses:
        return "; the policy does not resume it"
    resumes = followed.resumes if followed else 0
    return f" again after {resumes} resume{'' if resumes == 1 else 's'}" if resumes >= policy.attempts else None


def _too_soon(followed: FollowedRun | None, policy: ResumePolicy, context: Context) -> bool:
    """Whether the pause after the last resume is not over; it doubles with each."""
    if followed is None or followed.resumed_at is None:
        return False
    pause = policy.backoff * 2 ** (followed.resumes - 1) if followed.resumes else timedelta()
    return context.now < followed.resumed_at + pause


def resume_policy(address: Address, context: Context) -> ResumePolicy:
    """The policy for the runs of a resource: its own, else the global one; nothing declared is nothing resumed."""
    resource = context.desired.resources.get(address)
    if resource is None or (isinstance(resource, Schedule) and resource.state == "absent"):
        return NEVER_RESUME
    return resource.resume or context.policy.resume


def _attention(address: Address, message: str, remedy: str) -> Decision:
    blocked = Blocked(address=address, reason=BlockedReason.NEEDS_ATTENTION, message=message, remedy=remedy)
    return Decision(blocked=(blocked,))
