"""Asks the API for what the decisions need, and for nothing else: the fewest calls that are safe.

The live schedules are always listed. An owned one that is not there is asked for by UID. Runs are looked at only when
they are ours and under way, when an owned schedule has fired since the last look, or before a launch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cdsync.api import Api
from cdsync.core.model import (
    Address,
    Capabilities,
    DesiredState,
    FollowedRun,
    Kind,
    ObservedState,
    OneOffRun,
    OwnedState,
    Ownership,
    RemoteRun,
    RemoteSchedule,
    Resource,
)

MEMORY = timedelta(days=90)
"""How long the API shows a run (API contract section 7, retention)."""

LAG = timedelta(minutes=1)
"""How far apart the API may date a firing and the run that it made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen, and what the store should remember of it."""

    observed: ObservedState
    runs: tuple[FollowedRun, ...] = ()
    owned: tuple[Ownership, ...] = ()


async def look(
    api: Api, desired: DesiredState, owned: OwnedState, *, labels: bool | None, thorough: bool = False
) -> Sight:
    """List what is there.

    `thorough` reads everything to its end also when nothing depends on objects that are not ours.

    Raises:
        ApiError: anything could not be read; nothing may be concluded then.
    """
    expected = frozenset(row.uid for row in owned.resources.values() if _still_a_schedule(row))
    retiring = frozenset(row.retiring_uid for row in owned.resources.values() if row.retiring_uid)
    needs_all = thorough or bool(owned.unresolved) or any(_unowned(row, owned) for row in desired.resources.values())
    schedules = await api.schedules(expected=None if needs_all else expected | retiring)
    gone = await _confirm(api, schedules, (expected | retiring) - schedules.keys())
    runs = await _look_at_runs(api, desired, owned, schedules, gone)
    observed = ObservedState(
        schedules=schedules,
        gone=gone,
        runs=runs,
        capabilities=Capabilities(update_in_place=api.dialect.update_in_place, labels=labels),
    )
    followed, updated = _remembered(owned, schedules, gone, runs, now=api.server_now())
    return Sight(observed=observed, runs=followed, owned=updated)


def _still_a_schedule(owned: Ownership) -> bool:
    return owned.object is Kind.SCHEDULE and owned.state != "completed"


def _unowned(resource: Resource, owned: OwnedState) -> bool:
    was = Address(resource.address.kind, resource.was) if resource.was else resource.address
    return resource.address not in owned.resources and was not in owned.resources


async def _confirm(api: Api, schedules: dict[str, RemoteSchedule], missing: Iterable[str]) -> dict[str, str | None]:
    """Ask by UID for schedules of ours that a listing did not show: one that lives after all is added to it."""
    uids = sorted(missing)
    gone: dict[str, str | None] = {}
    for uid, found in zip(uids, await asyncio.gather(*map(api.schedule, uids)), strict=True):
        if found is None or found.status in {"CANCELLED", "COMPLETED"}:
            gone[uid] = found.status if found else None
        else:
            schedules[uid] = found
    return gone


async def _look_at_runs(
    api: Api,
    desired: DesiredState,
    owned: OwnedState,
    schedules: dict[str, RemoteSchedule],
    gone: dict[str, str | None],
) -> dict[str, RemoteRun]:
    under_way = [run.uid for run in owned.runs.values() if not run.finished]
    runs = await api.runs(uids=under_way) if under_way else {}
    if fired := [row for row in owned.resources.values() if _fired_since(row, schedules, gone)]:
        since = min(row.runs_checked_at or row.created_at for row in fired)
        recent = await api.runs(actions={row.action for row in fired}, since=since - LAG)
        ours = {row.uid for row in fired}
        runs.update({run.uid: run for run in recent.values() if run.schedule_uid in ours})
    launches = {
        resource.work.action
        for resource in desired.resources.values()
        if isinstance(resource, OneOffRun) and _unowned(resource, owned)
    }
    if launches:
        runs.update(await api.runs(actions=launches))
    return runs


def _fired_since(owned: Ownership, schedules: dict[str, RemoteSchedule], gone: dict[str, str | None]) -> bool:
    if not _still_a_schedule(owned):
        return False
    if owned.uid in gone:
        return owned.address.kind is Kind.RUN and gone[owned.uid] == "COMPLETED"
    last = schedules[owned.uid].last_executed_at
    return last is not None and (owned.runs_checked_at is None or last > owned.runs_checked_at)


def _remembered(
    owned: OwnedState,
    schedules: dict[str, RemoteSchedule],
    gone: dict[str, str | None],
    runs: dict[str, RemoteRun],
    *,
    now: datetime,
) -> tuple[tuple[FollowedRun, ...], tuple[Ownership, ...]]:
    """The runs of ours as now seen, and the ownerships whose last firing has been accounted for."""
    by_uid = {row.uid: row for row in owned.resources.values()}
    followed = [
        _followed(run, owned, by_uid) for run in runs.values() if run.uid in owned.runs or run.schedule_uid in by_uid
    ]
    updated: list[Ownership] = []
    for row in owned.resources.values():
        if not _fired_since(row, schedules, gone):
            continue
        if row.uid in gone:
            fired = next((run for run in followed if run.address == row.address), None)
            if fired is not None or now - row.created_at > MEMORY:
                updated.append(replace(row, state="completed"))
            continue
        last = schedules[row.uid].last_executed_at
        shown = any(
            run.address == row.address and run.created_at and last and run.created_at >= last - LAG for run in followed
        )
        if last is not None and (shown or now - last > 10 * LAG):
            updated.append(replace(row, runs_checked_at=last))
    return tuple(followed), tuple(updated)


def _followed(run: RemoteRun, owned: OwnedState, by_uid: dict[str, Ownership]) -> FollowedRun:
    known = owned.runs.get(run.uid)
    address = known.address if known else by_uid[run.schedule_uid or ""].address
    if known is not None:
        return replace(known, status=run.status, created_at=run.created_at or known.created_at)
    return FollowedRun(uid=run.uid, address=address, status=run.status, created_at=run.created_at)
