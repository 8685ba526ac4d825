"""Asks the API for what the decisions need, and for nothing else: the fewest calls that are safe.

The live schedules are always listed. An owned one that is not there is asked for by UID. Runs are looked at only when
they are ours and under way, when an owned schedule has fired since the last look, or before a launch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cdsync.api import Api
from cdsync.core.following import LAG, due_for_a_look, fired_since, remembered, still_a_schedule
from cdsync.core.model import (
    Address,
    Capabilities,
    DesiredState,
    FollowedRun,
    ObservedState,
    OneOffRun,
    OwnedState,
    Ownership,
    RemoteRun,
    RemoteSchedule,
    Resource,
)
from cdsync.errors import WrongWorkspace

CANCELLATION = timedelta(minutes=10)
"""After how long a schedule that we have cancelled, and that is still shown as live, is taken to be so: it may have
waited for its turn to be sent, and reads may lag behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen, and what the store should remember of it."""

    observed: ObservedState
    runs: tuple[FollowedRun, ...] = ()
    owned: tuple[Ownership, ...] = ()
    workspace: str | None = None


async def look(
    api: Api,
    desired: DesiredState,
    owned: OwnedState,
    *,
    labels: bool | None,
    workspace: str | None,
    most_runs: int,
    settle: timedelta = timedelta(),
    thorough: bool = False,
) -> Sight:
    """List what is there.

    `settle` is how long what was just made may not be shown yet. `workspace` is the one that the state belongs to, None
    until it was seen. `most_runs` is how many of the runs under way are looked at, so that they never use up the
    requests that schedules need. `thorough` reads everything to its end also when nothing depends on objects that are
    not ours.

    Raises:
        WrongWorkspace: the key opens another one.
        ApiError: anything could not be read; nothing may be concluded then.
    """
    watch = api.stopwatch()
    expected = frozenset(row.uid for row in owned.resources.values() if still_a_schedule(row))
    ours = expected | {row.retiring_uid for row in owned.resources.values() if row.retiring_uid}
    needs_all = thorough or bool(owned.unresolved) or any(_unowned(row, owned) for row in desired.resources.values())
    schedules = await _listed(api, owned, ours, everything=needs_all)
    missing = ours - schedules.keys()
    workspace, confirmed = await _check_workspace(api, schedules, known=workspace, doubtful=bool(missing))
    gone = await _confirm(api, schedules, missing)
    if not confirmed and all(uid in gone and gone[uid] is None for uid in expected):
        _refuse_if_any_was_there(owned, expected, min(api.server_now(), api.local_now()) - watch() - settle)
    due = due_for_a_look(owned.runs.values(), most=most_runs)
    runs = await _look_at_runs(api, desired, owned, schedules, gone, due=due)
    observed = ObservedState(
        schedules=schedules,
        gone=gone,
        runs=runs,
        capabilities=Capabilities(update_in_place=api.dialect.update_in_place, labels=labels),
        took=watch(),
    )
    complete_until = (now := api.server_now()) - observed.took - settle
    seen = remembered(owned, schedules, gone, runs, looked_for=due, now=now, complete_until=complete_until)
    return Sight(observed=observed, runs=seen[0], owned=seen[1], workspace=workspace)


async def _listed(api: Api, owned: OwnedState, ours: frozenset[str], *, everything: bool) -> dict[str, RemoteSchedule]:
    """The live schedules. What we cancelled a while ago and own no more is none, although a read may still show it."""
    schedules = await api.schedules(expected=None if everything else ours)
    since = min(api.server_now(), api.local_now()) - CANCELLATION
    for uid, cancelled_at in owned.cancelled.items():
        if uid not in ours and cancelled_at > since:
            schedules.pop(uid, None)
    return schedules


def _refuse_if_any_was_there(owned: OwnedState, unknown: frozenset[str], since: datetime) -> None:
    """Make sure that all of ours, which are `unknown` to the API, were made after `since` and so may only lag."""
    if all(row.made_at is not None and row.made_at > since for row in owned.resources.values() if row.uid in unknown):
        return
    raise WrongWorkspace(
        f"the API knows none of the {len(unknown)} schedules that the state owns, nor does it say which workspace this "
        "is; nothing is concluded from it",
        remedy="check api.key and api.base_url; if they really are gone: cdsync forget each of them",
    )


def _unowned(resource: Resource, owned: OwnedState) -> bool:
    was = Address(resource.address.kind, resource.was) if resource.was else resource.address
    return resource.address not in owned.resources and was not in owned.resources


async def _check_workspace(
    api: Api, schedules: Mapping[str, RemoteSchedule], *, known: str | None, doubtful: bool
) -> tuple[str | None, bool]:
    """Make sure that the key opens the workspace that the state belongs to; gives it, and whether the API said so.

    The rows say so themselves. Only when none does, and something of ours is missing, is the API asked.
    """
    shown = {row.workspace_uid for row in schedules.values() if row.workspace_uid}
    if not shown and doubtful:
        asked = await api.workspace()
        shown = {asked} if asked else set()
    if known is not None and shown - {known}:
        raise WrongWorkspace(
            f"the key opens workspace {', '.join(sorted(shown - {known}))}, but the state belongs to {known}; "
            "nothing is concluded from it",
            remedy="use the key of that workspace, or another state (CDSYNC_STATE) for this one",
        )
    return known or (next(iter(shown)) if len(shown) == 1 else None), bool(shown)


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
    *,
    due: tuple[str, ...],
) -> dict[str, RemoteRun]:
    runs = await api.runs(uids=due) if due else {}
    if fired := [row for row in owned.resources.values() if fired_since(row, schedules, gone)]:
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
