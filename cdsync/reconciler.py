"""One pass, always the same: look, plan, guard, carry out, find out what is unknown, record.

A pass is level-based: it starts from what is there, never from what the last one meant to do. Planning alone changes
nothing anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from cdsync.api import LIVE_PATIENCE, Api
from cdsync.collection import rare_collection, without_collection
from cdsync.core.actions import COSTLY, Action, ActionKind, BlockedReason, Plan, Violation
from cdsync.core.events import Event
from cdsync.core.model import Address, DesiredState, OwnedState
from cdsync.core.plan import make_plan
from cdsync.core.policy import Policy
from cdsync.core.restraint import safe_now
from cdsync.core.setbacks import Setback
from cdsync.errors import GuardRefused
from cdsync.executor import Report, Workshop, execute
from cdsync.observer import Sight, look
from cdsync.recording import count_efforts, remember, remember_clock
from cdsync.references import References
from cdsync.resolution import resolve
from cdsync.seals import Seals
from cdsync.settings import Settings
from cdsync.store import Store

PATIENCE = timedelta(hours=1)
"""How long a patient pass waits when the API asks a live run to wait."""

SLICE = timedelta(seconds=30)
"""How long an impatient pass works on one live run; the next one goes on with it."""

RUNS_OF_A_PAGE = 100
SHARE = 20
"""Of so many requests that a minute allows, one look spends one on a page of runs."""

ROUNDS = 3
"""How often one apply plans anew to finish what it began: after an adoption, or a creation that was ruled out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a pass works with: the declaration, the open API, the open store, the rules.

    `stopping` says whether it has to come to its end: what has begun is finished, nothing more is begun. `setbacks` are
    actions that failed in earlier passes, by address and kind: they wait, and stand in the plan as blocked. `seals`
    remember the fingerprints that earlier passes have made.
    """

    settings: Settings
    desired: DesiredState
    references: References
    api: Api
    store: Store
    policy: Policy
    targets: tuple[str, ...] = ()
    revision: str | None = None
    stopping: Callable[[], bool] = lambda: False
    setbacks: Mapping[tuple[Address, str], Setback] = field(default_factory=dict)
    seals: Seals = field(default_factory=Seals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, the account that it is about, and the three states that it was made from."""

    plan: Plan
    account: str
    revision: str | None = None
    desired: DesiredState
    owned: OwnedState
    sight: Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an apply did: the plan that was approved, what became of it, and what is left.

    `seen` is the last look, from which `left` was decided.
    """

    plan: Plan
    reports: tuple[Report, ...] = ()
    left: Plan = field(default_factory=Plan)
    seen: Planned | None = None

    @property
    def done(self) -> int:
        """How many actions took effect."""
        return sum(report.count("done") for report in self.reports)

    @property
    def complete(self) -> bool:
        """Whether the account is now as declared."""
        return not self.left.pending


def known_labels(store: Store) -> bool | None:
    """Whether the API takes and echoes labels, as far as this store has found out."""
    fact = store.fact("labels")
    return None if fact is None else fact == "yes"


async def plan_pass(work: Pass, *, ambiguous: dict[Address, tuple[str, ...]] | None = None) -> Planned:
    """Look and decide; changes nothing.

    Raises:
        ApiError: the account could not be read completely, so nothing is decided.
    """
    with without_collection():
        owned = replace(work.store.owned(), setbacks=work.setbacks)
        key = work.store.fingerprint_key()
        desired = work.seals.seal(work.desired, work.references, key=key, owned=owned.resources)
    if ambiguous:
        questions = {address: _question(address, uids, owned) for address, uids in ambiguous.items()}
        owned = replace(owned, unresolved={**owned.unresolved, **questions})
    labels, workspace = known_labels(work.store), work.store.fact("workspace")
    most_runs = RUNS_OF_A_PAGE * max(1, work.settings.api.requests_per_minute // SHARE)
    settle = work.settings.api.settle
    with rare_collection():
        sight = await look(
            work.api, desired, owned, labels=labels, workspace=workspace, most_runs=most_runs, settle=settle
        )
    with without_collection():
        plan = make_plan(
            desired,
            sight.observed,
            owned,
            work.policy,
            work.api.server_now(),
            local_now=work.api.local_now(),
            targets=work.targets,
        )
    return Planned(
        plan=plan, account=work.settings.account, revision=work.revision, desired=desired, owned=owned, sight=sight
    )


async def _plan_when_shown(work: Pass, *, ambiguous: dict[Address, tuple[str, ...]], patient: bool) -> Planned:
    """Like `plan_pass`; a patient one waits until what was just made has to be shown, if it is not yet."""
    planned = await plan_pass(work, ambiguous=ambiguous)
    unseen = [row for row in planned.plan.blocked if row.reason is BlockedReason.UNRESOLVED_OUTCOME and row.until]
    if not (patient and unseen):
        return planned
    await asyncio.sleep(work.settings.api.settle.total_seconds() + 1)
    return await plan_pass(work, ambiguous=ambiguous)


def _question(address: Address, uids: tuple[str, ...], owned: OwnedState) -> str:
    before = owned.resources.get(address)
    none = f"adopt {address} {before.uid}" if before is not None else f"forget {address}"
    return (
        f"its creation may have made any of {', '.join(uids)}; pick one: cdsync adopt {address} UID; "
        f"or if it was none of them: cdsync {none}"
    )


async def apply_pass(
    work: Pass,
    *,
    review: Callable[[Planned], None],
    approve: Callable[[Planned], bool],
    lifted: Callable[[Violation], bool],
    on_event: Callable[[Event], None],
    patient: bool = True,
) -> Applied | None:
    """Make the account as declared, as far as one apply can; None when `approve` said no.

    `review` sees every plan, also one that is empty or is then refused, and may refuse it itself by raising. `approve`
    is asked only when there is something to do. `lifted` says whether a person has lifted a limit that the plan passes.
    `patient` waits out the settle time where a creation is neither found nor ruled out, and works on live runs to their
    end.

    Raises:
        GuardRefused: the plan passes a limit; nothing was done.
        ApiError, StoreError: the pass could not be made.
    """
    ambiguous = await _resolve(work, patient=patient)
    planned = await _plan_when_shown(work, ambiguous=ambiguous, patient=patient)
    review(planned)
    _guard(planned.plan, lifted)
    remember_seen(work, planned)
    actions = safe_now(planned.plan, planned.owned)
    if actions and not approve(planned):
        return None
    reports: list[Report] = []
    current = planned
    for _ in range(ROUNDS):
        if not actions:
            break
        shop = workshop_for(work, current, patient=patient, tell=on_event)
        report = await execute(actions, shop, on_event=on_event)
        reports.append(report)
        count_efforts(work.store, current.owned, report)
        ambiguous = await _resolve(work, patient=patient)
        if work.stopping():
            break
        current = await _plan_when_shown(work, ambiguous=ambiguous, patient=patient)
        remember_seen(work, current)
        actions = _unfinished(current, report, approved=planned.plan)
    return Applied(plan=planned.plan, reports=tuple(reports), left=current.plan, seen=current)


def remember_seen(work: Pass, planned: Planned) -> None:
    """Write down what a look has shown."""
    remember_clock(work.store, work.api)
    remember(work.store, planned.plan, planned.desired, planned.owned, planned.sight)


async def _resolve(work: Pass, *, patient: bool) -> dict[Address, tuple[str, ...]]:
    if not work.store.pending():
        return {}
    resolution = await resolve(
        work.api,
        work.store,
        labels=known_labels(work.store),
        settle=work.settings.api.settle,
        under_way=work.settings.api.timeout,
        revision=work.revision,
        patient=patient,
    )
    return dict(resolution.ambiguous)


def _unfinished(planned: Planned, report: Report, *, approved: Plan) -> tuple[Action, ...]:
    """What the approved actions still need: never another resource, and no second try of what failed or was done.

    What was unknown has been found or ruled out by now; what was only remembered, as an adoption is, may show what
    differs. Nothing that may cost credits is done that was not in the `approved` plan.
    """
    agreed = {(row.address, row.kind) for row in approved.actions}
    failed = {result.action.address for result in report.results if result.outcome == "failed"}
    going_on = {
        result.action.address
        for result in report.results
        if result.outcome in {"unknown", "skipped"} or (result.outcome == "done" and result.action.phase == 0)
    }
    return tuple(
        row
        for row in safe_now(planned.plan, planned.owned)
        if row.address in going_on - failed
        and not (row.removes and failed)
        and (row.kind not in COSTLY or (row.address, row.kind) in agreed)
    )


def _guard(plan: Plan, lifted: Callable[[Violation], bool]) -> None:
    standing = [violation for violation in plan.violations if not lifted(violation)]
    if standing:
        raise GuardRefused(
            "\n".join(violation.message for violation in standing),
            remedy=" ".join(["apply", *(violation.remedy.removeprefix("apply ") for violation in standing)]),
        )


def workshop_for(work: Pass, planned: Planned, *, patient: bool, tell: Callable[[Event], None]) -> Workshop:
    """What carrying out a plan needs at hand."""
    return Workshop(
        api=work.api,
        store=work.store,
        references=work.references,
        desired=planned.desired,
        observed=planned.sight.observed,
        owner=work.policy.owner,
        revision=work.revision,
        labels=known_labels(work.store),
        results=work.settings.results,
        settle=work.settings.api.settle,
        live_timeout=work.settings.api.timeout * LIVE_PATIENCE,
        patience=PATIENCE if patient else timedelta(),
        slice=None if patient else SLICE,
        stopping=work.stopping,
        tell=tell,
        fetched={row.address for row in planned.plan.actions if row.kind is ActionKind.FETCH},
    )
