"""The plan: from what is declared, observed and owned to what is done. Pure; the same values give the same plan.

The decisions, row by row (the test of this module is driven by this very table). "failed" is owned, and the same
failed before; "secret" is owned, and declared with a secret that is missing; "twice" is a resource whose old and new
name both own something; "gone" is cancelled::

    declared  owned      observed                            decision
    --------  ---------  ----------------------------------  --------------------------------------
    active    no         nothing alike                       create
    active    no         one live with our label             adopt
    active    no         one with our label, paused          adopt
    active    no         one with our label, other cron      blocked: lookalike
    active    no         one with our label, other zone      blocked: lookalike
    active    no         one with our label, other action    blocked: lookalike
    active    no         several live with our label         blocked: ambiguous
    active    no         unowned, same work and times        blocked: lookalike
    active    no         same, but with another's label       blocked: lookalike
    active    yes        as declared                         nothing
    active    yes        as declared, another with our label blocked: ambiguous
    active    yes        paused                              resume
    active    yes        gone                                create
    active    yes        gone, unowned lookalike             blocked: lookalike
    active    yes        gone, one with our label            adopt
    active    made       not shown yet                       blocked: unresolved-outcome
    active    made       gone                                create
    active    made       not shown, settle time over         create
    active    yes        not looked for                      blocked: needs-attention
    active    yes        in a status that nobody knows       blocked: needs-attention
    active    yes        other cron, changeable in place     update
    active    yes        other cron                          replace
    active    yes        other cron, tick is near            blocked: deferred
    active    yes        other cron, protected               blocked: protected
    active    yes        other inputs than applied           replace
    active    half-way   both live                           delete
    active    half-way   replacement gone                    adopt
    active    half-way   replacement not looked for          blocked: needs-attention
    active    half-made  replacement not shown yet           blocked: unresolved-outcome
    active    removed    paused                              resume
    active    unknown    anything                            blocked: unresolved-outcome
    active    secret     anything                            blocked: unresolved-reference
    active    held       other cron                          blocked: held
    active    tried      same difference after two applies   blocked: not-converging
    active    failed     other cron, a moment ago            blocked: backing-off
    active    failed     other cron, and time has passed     replace
    paused    yes        active                              pause
    paused    secret     active                              pause
    paused    secret     paused                              blocked: unresolved-reference
    paused    secret     gone                                blocked: unresolved-reference
    absent    no         anything                            nothing
    absent    yes        live                                delete
    absent    yes        gone                                forget
    absent    made       not shown yet                       blocked: unresolved-outcome
    absent    yes        not looked for                      blocked: needs-attention
    absent    yes        a run it fired stopped              delete, blocked: needs-attention
    absent    secret     live                                delete
    absent    secret     gone                                forget
    renamed   yes        as declared                         rename
    renamed   yes        other cron                          rename, replace
    renamed   yes        gone                                rename, create
    renamed   half-way   both live                           rename
    renamed   twice      both live                           blocked: ambiguous
    -         yes        live                                pause
    -         yes        live, no grace                      delete
    -         yes        live, prune keeps                   blocked: kept
    -         yes        live, protected                     blocked: protected
    -         removed    paused, within the grace            blocked: waiting
    -         removed    active again, within the grace      pause
    -         removed    paused, grace over                  delete
    -         yes        gone                                forget
    -         yes        not looked for                      blocked: needs-attention
    -         yes        in a status that nobody knows       blocked: needs-attention
    -         half-way   both live                           delete
    -         half-way   replacement gone                    adopt
    -         made       not shown yet                       blocked: unresolved-outcome
    -         half-made  replacement not shown yet           blocked: unresolved-outcome
    run       no         nothing alike                       launch
    run       no         one with our label                  adopt
    run       no         unowned, same work                  blocked: lookalike
    run       no         unowned, defaults echoed as well    blocked: lookalike
    run       no         unowned, nothing echoed             blocked: lookalike
    run       no         unowned, other parameters           launch
    run       no         its time has passed                 blocked: too-late
    run       yes        anything                            nothing
    run       yes        anything, declaration changed       blocked: launched-changed
    -         run        still running                       blocked: launched-undeclared
    -         run        finished                            nothing
    run       yes        failed                              blocked: needs-attention
    run       yes        failed, because there was nothing   nothing
    run       yes        failed, and left alone              nothing
    run       yes        failed, long ago                    blocked: needs-attention
    run       yes        stopped                             resume-run
    run       yes        stopped, resumed a moment ago       nothing
    run       yes        stopped, attempts used up           blocked: needs-attention
    run       yes        stopped, label needs a person       blocked: needs-attention
    run       yes        stopped, postponed                  nothing
    run       yes        blocked, a limit is reached         nothing
    active    yes        a run it fired stopped              resume-run
    live      no         nothing alike                       launch, fetch
    live      no         unowned, same work                  launch, fetch
    live      no         unowned and live, same work         blocked: lookalike
    live      fetching   anything                            fetch
    live      fetching   anything, declaration changed       blocked: launched-changed
    live      limited    anything                            blocked: limited
    live      halted     anything                            blocked: needs-attention
    live      fetched    anything                            nothing
    live      fetched    anything, declaration changed       blocked: launched-changed
    -         fetching   anything                            blocked: launched-undeclared
    run later yes        as declared                         nothing
    run later yes        paused                              resume
    run later yes        paused, its time has passed         blocked: needs-attention
    run later yes        gone                                blocked: needs-attention
    run later yes        fired                               nothing
    run later half-way   both live                           delete
    run later half-way   replacement fired                   delete
    run later half-way   replacement fired, and remembered   delete
    run later half-way   replacement gone                    adopt
    run later half-made  replacement not shown yet           blocked: unresolved-outcome
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime

from cdsync.core.actions import (
    Action,
    ActionKind,
    Blocked,
    BlockedReason,
    Decision,
    Drift,
    Plan,
    Reason,
    Violation,
)
from cdsync.core.context import Context, make_context
from cdsync.core.diff import FieldChange
from cdsync.core.ended import decide_ended
from cdsync.core.fingerprint import canonical
from cdsync.core.guard import check_limits
from cdsync.core.model import Address, DesiredState, Kind, ObservedState, OwnedState, Schedule
from cdsync.core.policy import Limit, Policy, PruneMode
from cdsync.core.prune import decide_undeclared
from cdsync.core.restraint import restrained
from cdsync.core.resuming import decide_followed
from cdsync.core.runs import decide_run, decide_undeclared_run
from cdsync.core.schedules import decide_schedule
from cdsync.core.succession import wait_for_successors
from cdsync.core.targets import selection
from cdsync.core.work import Json

__all__ = [
    "Action",
    "ActionKind",
    "Blocked",
    "BlockedReason",
    "Drift",
    "Limit",
    "Plan",
    "Policy",
    "PruneMode",
    "Reason",
    "Violation",
    "fingerprint_of_plan",
    "make_plan",
    "summarise",
]


def make_plan(
    desired: DesiredState,
    observed: ObservedState,
    owned: OwnedState,
    policy: Policy,
    now: datetime,
    *,
    local_now: datetime | None = None,
    targets: tuple[str, ...] = (),
) -> Plan:
    """Decide for every resource that is declared or owned, and for every run of ours that was looked at.

    `now` is aware and in the server's time, `local_now` in this machine's: a grace is over when both say so. `targets`
    are globs of addresses that the plan is confined to; none is all.
    Actions come in the order in which they are carried out, then by address.

    Raises:
        UnknownAddress: a glob matches nothing.
    """
    context = make_context(desired, observed, owned, policy, now, local_now=local_now)
    decided = wait_for_successors(_decide_all(context), context)
    decisions = tuple(restrained(decision, owned, now, renamed=context.renamed) for decision in decided)
    if targets:
        wanted = selection(targets, known={*desired.resources, *owned.resources})
        decisions = tuple(_only(decision, wanted) for decision in decisions)
    actions = sorted(
        (action for decision in decisions for action in decision.actions),
        key=lambda action: (action.phase, action.address, action.kind, action.uid or ""),
    )
    blocked = (row for decision in decisions for row in decision.blocked)
    drift = (row for decision in decisions for row in decision.drift)
    return Plan(
        actions=tuple(actions),
        blocked=tuple(sorted(blocked, key=lambda row: (row.address, row.reason, row.message))),
        drift=tuple(sorted(drift, key=lambda row: (row.address, row.path))),
        violations=check_limits(actions, desired, owned, policy),
    )


def _only(decision: Decision, wanted: Callable[[Address], bool]) -> Decision:
    return Decision(
        actions=tuple(row for row in decision.actions if wanted(row.address)),
        blocked=tuple(row for row in decision.blocked if wanted(row.address)),
        drift=tuple(row for row in decision.drift if wanted(row.address)),
    )


def _decide_all(context: Context) -> Iterator[Decision]:
    contested = frozenset(context.contested.values())
    for resource in context.desired.resources.values():
        yield decide_schedule(resource, context) if isinstance(resource, Schedule) else decide_run(resource, context)
    for address, owned in context.owned.items():
        if address in context.desired.resources or address in contested:
            continue
        if address.kind is Kind.SCHEDULE or {owned.uid, owned.retiring_uid} & context.observed.schedules.keys():
            yield decide_undeclared(owned, context)
        else:
            yield decide_undeclared_run(owned, context)
    for address, message in context.unresolved.items():
        if address not in context.desired.resources and address not in context.owned:
            yield Decision(blocked=(_unresolved(address, message),))
    owners = _owners(context)
    for run in context.observed.runs.values():
        owner = owners.get(run.uid) or owners.get(run.schedule_uid or "")
        if owner is not None:
            yield decide_followed(run, owner, context)
    yield from decide_ended(owners, context)


def _unresolved(address: Address, message: str) -> Blocked:
    return Blocked(
        address=address,
        reason=BlockedReason.UNRESOLVED_OUTCOME,
        message=message,
        remedy="the next apply looks for it first",
    )


def _owners(context: Context) -> dict[str, Address]:
    owners = {run.uid: run.address for run in context.state.runs.values()}
    for address, owned in context.owned.items():
        owners[owned.uid] = address
        if owned.retiring_uid is not None:
            owners[owned.retiring_uid] = address
    return owners


def fingerprint_of_plan(plan: Plan) -> str:
    """A digest of what the plan decides: kinds, objects and changes; no sentences, no times, nothing volatile.

    A replacement that has to wait for a tick is the same decision as one that need not.
    """
    rows = [
        [str(action.address), action.kind, action.reason, action.uid, _plain(action.changes)]
        for action in plan.actions
        if action.kind is not ActionKind.REPLACE
    ]
    blocked = [[str(row.address), row.reason] for row in plan.blocked if row.reason is not BlockedReason.DEFERRED]
    replaced = [(row.address, row.changes) for row in plan.actions if row.kind is ActionKind.REPLACE]
    replaced += [(row.address, row.changes) for row in plan.blocked if row.reason is BlockedReason.DEFERRED]
    replacements = [[str(address), _plain(changes)] for address, changes in sorted(replaced, key=lambda row: row[0])]
    return hashlib.sha256(canonical([rows, blocked, replacements]).encode()).hexdigest()[:16]


def _plain(changes: tuple[FieldChange, ...]) -> list[list[Json]]:
    return [[change.path, change.before, change.after] for change in changes]


def summarise(plan: Plan) -> dict[str, int]:
    """How many actions of each kind, and how many rows are blocked or drifted."""
    counts = {kind.value: 0 for kind in ActionKind}
    for action in plan.actions:
        counts[action.kind.value] += 1
    return {**counts, "blocked": len(plan.blocked), "drift": len(plan.drift)}
