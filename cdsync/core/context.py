"""All that a decision may look at, with the look-ups it needs made once, so that a plan stays linear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from cdsync.core.cron import CronError, parse_cron
from cdsync.core.labels import labels_for
from cdsync.core.model import (
    Address,
    DesiredState,
    Kind,
    ObservedState,
    OwnedState,
    Ownership,
    RemoteRun,
    RemoteSchedule,
)
from cdsync.core.policy import Policy
from cdsync.core.progress import LIVE, LiveProgress

SKEW = timedelta(seconds=45)
"""How far apart the API's clocks may date one event."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The three states, the policy and the time, and who is whose.

    `owned` already carries renames: a resource declared with `was` is found under its new address. `unresolved` does
    too, so that what may have been created under the old name is not created again under the new one.
    `contested` are resources that cannot be renamed, because their new name owns something else.
    `earliest` is when the look began, by the earlier of the server's time and this machine's: what must not come too
    soon waits for both, and what was not seen was absent then.
    `latest` is the later of them: what is to lie ahead lies ahead of both.
    `by_label` and `by_work` index what is live, not owned, and so could be ours without our knowing: what carries the
    label of a declared resource, and all else by what it does. `leaving` indexes likewise what is declared no more.
    """

    desired: DesiredState
    observed: ObservedState
    owned: Mapping[Address, Ownership]
    state: OwnedState
    unresolved: Mapping[Address, str]
    renamed: Mapping[Address, Address]
    contested: Mapping[Address, Address]
    policy: Policy
    now: datetime
    earliest: datetime
    latest: datetime
    by_label: Mapping[str, tuple[RemoteSchedule, ...]]
    by_work: Mapping[tuple[str, str], tuple[RemoteSchedule, ...]]
    runs_by_action: Mapping[str, tuple[RemoteRun, ...]]
    leaving: Mapping[tuple[str, str], Address]

    def progress_of(self, address: Address) -> LiveProgress | None:
        """How far a live run has come, also under the name that it had before."""
        return self.state.live.get(self.renamed.get(address, address))


def make_context(
    desired: DesiredState,
    observed: ObservedState,
    state: OwnedState,
    policy: Policy,
    now: datetime,
    *,
    local_now: datetime | None = None,
) -> Context:
    """Index the states once; `now` is in the server's time, `local_now` in this machine's."""
    owned, renamed = _with_renames(desired, state)
    uids = owned_uids(state)
    unowned = [remote for remote in observed.schedules.values() if remote.uid not in uids]
    # Where all is owned, as on most days, nobody asks for labels.
    named = desired.resources.values() if unowned else ()
    declared_labels = {label for resource in named for label in labels_for(resource, owner=policy.owner)}
    return Context(
        desired=desired,
        observed=observed,
        owned=owned,
        state=state,
        unresolved=_unresolved_with_renames(desired, state),
        renamed=renamed,
        contested=_contested(desired, state),
        policy=policy,
        now=now,
        earliest=min(now, local_now or now) - observed.took,
        latest=max(now, local_now or now),
        by_label=_group((remote.label, remote) for remote in unowned if remote.label in declared_labels),
        by_work=_group(
            (work_key(remote.action, remote.cron), remote) for remote in unowned if remote.label not in declared_labels
        ),
        runs_by_action=_group((run.action, run) for run in observed.runs.values() if not _is_ours(run, state, uids)),
        leaving={
            work_key(row.action, row.cron): address
            for address, row in owned.items()
            if address not in desired.resources and address.kind is Kind.SCHEDULE
        },
    )


def _is_ours(run: RemoteRun, state: OwnedState, uids: frozenset[str]) -> bool:
    """Whether a run is known to be ours, or that of a schedule."""
    return run.schedule_uid is not None or run.uid in uids or run.uid in state.runs or _fetched_by_us(run, state)


def _fetched_by_us(run: RemoteRun, state: OwnedState) -> bool:
    """Whether it is one of our live requests, which answer with rows and no UID: by its action, and by when it was."""
    return (
        run.mode == LIVE
        and run.created_at is not None
        and any(
            progress.action == run.action and progress.begun_at - SKEW <= run.created_at <= progress.active_at + SKEW
            for progress in state.live.values()
        )
    )


def owned_uids(state: OwnedState) -> frozenset[str]:
    """Every UID that is ours: of resources, and of predecessors that a replacement has yet to cancel."""
    uids = {owned.uid for owned in state.resources.values()}
    return frozenset(uids | {owned.retiring_uid for owned in state.resources.values() if owned.retiring_uid})


def _with_renames(
    desired: DesiredState, state: OwnedState
) -> tuple[Mapping[Address, Ownership], Mapping[Address, Address]]:
    owned = dict(state.resources)
    renamed: dict[Address, Address] = {}
    for address, resource in desired.resources.items():
        if resource.was is None or address in owned:
            continue
        old = Address(address.kind, resource.was)
        if old in owned and old not in desired.resources:
            owned[address] = replace(owned.pop(old), address=address)
            renamed[address] = old
    return owned, renamed


def _contested(desired: DesiredState, state: OwnedState) -> Mapping[Address, Address]:
    """Resources declared with `was` whose new name and old name both own something: a person must say which."""
    return {
        address: old
        for address, resource in desired.resources.items()
        if resource.was is not None
        and (old := Address(address.kind, resource.was)) in state.resources
        and address in state.resources
        and old not in desired.resources
    }


def _unresolved_with_renames(desired: DesiredState, state: OwnedState) -> Mapping[Address, str]:
    unresolved = dict(state.unresolved)
    if not unresolved:
        return unresolved
    for address, resource in desired.resources.items():
        old = Address(address.kind, resource.was or address.name)
        if old in unresolved and old not in desired.resources:
            unresolved[address] = unresolved.pop(old)
    return unresolved


def work_key(action: str, cron: str | None) -> tuple[str, str]:
    """What two schedules must share to resemble each other, as a key: the action, and the meaning of the cron."""
    try:
        return action, parse_cron(cron).expression if cron else ""
    except CronError:
        return action, cron or ""


def _group(pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(values) for key, values in groups.items()}
