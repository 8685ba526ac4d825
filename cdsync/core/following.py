"""What a look shows about the runs of ours, and what is worth remembering of it. Values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from cdsync.core.model import FORGOTTEN, Address, FollowedRun, Kind, OwnedState, Ownership, RemoteRun, RemoteSchedule

MEMORY = timedelta(days=90)
"""How long the API shows a run (API contract section 7, retention)."""

LAG = timedelta(minutes=1)
"""How far apart the API may date a firing and the run that it made."""


def due_for_a_look(runs: Iterable[FollowedRun], *, most: int) -> tuple[str, ...]:
    """The runs under way to look at now, by UID: at most so many, those first that were seen longest ago."""
    under_way = [run for run in runs if not run.finished]
    under_way.sort(key=lambda run: (run.seen_at is not None, run.seen_at, run.uid))
    return tuple(run.uid for run in under_way[:most])


def still_a_schedule(owned: Ownership) -> bool:
    """Whether the API object is a schedule that can still fire, as far as is known."""
    return owned.object is Kind.SCHEDULE and owned.state != "completed"


def fired_since(owned: Ownership, schedules: Mapping[str, RemoteSchedule], gone: Mapping[str, str | None]) -> bool:
    """Whether a schedule of ours has fired since its runs were last looked for, or came to its end."""
    if not still_a_schedule(owned):
        return False
    if owned.uid in gone:
        return owned.address.kind is Kind.RUN and gone[owned.uid] == "COMPLETED"
    last = schedules[owned.uid].last_executed_at
    return last is not None and (owned.runs_checked_at is None or last > owned.runs_checked_at)


def remembered(
    owned: OwnedState,
    schedules: Mapping[str, RemoteSchedule],
    gone: Mapping[str, str | None],
    runs: Mapping[str, RemoteRun],
    *,
    looked_for: Collection[str] = (),
    now: datetime,
    complete_until: datetime | None = None,
) -> tuple[tuple[FollowedRun, ...], tuple[Ownership, ...]]:
    """The runs of ours as now seen, and the ownerships whose last firing has been accounted for.

    `looked_for` are the runs that were asked for by UID; one that the API no longer lists is followed no more. What was
    made before `complete_until` (None: now) is shown for certain.
    """
    shown_until = complete_until or now
    by_uid = {row.uid: row for row in owned.resources.values()}
    followed = [
        _followed(run, owned, by_uid, now)
        for run in runs.values()
        if run.uid in owned.runs or run.schedule_uid in by_uid
    ]
    followed += [_out_of_sight(owned.runs[uid], now) for uid in looked_for if uid not in runs]
    latest: dict[Address, datetime] = {}
    for run in followed:
        moment = run.created_at or now
        latest[run.address] = max(moment, latest.get(run.address, moment))
    updated: list[Ownership] = []
    for known in owned.resources.values():
        row = _without_predecessor(known, gone, shown_until)
        if row is not known:
            updated.append(row)
        if not fired_since(row, schedules, gone):
            continue
        if row.uid in gone:
            if row.address in latest or now - row.created_at > MEMORY:
                updated.append(replace(row, state="completed"))
            continue
        last = schedules[row.uid].last_executed_at
        newest = latest.get(row.address)
        if last is not None and (_made_by(last, newest, shown_until) or now - last > 10 * LAG):
            updated.append(replace(row, runs_checked_at=last))
    return tuple(followed), tuple(updated)


def _without_predecessor(known: Ownership, gone: Mapping[str, str | None], shown_until: datetime) -> Ownership:
    """An ownership whose predecessor needs no cancelling any more, because it is gone: shown as such, or not found by a
    look that had to show even its replacement, which is younger."""
    if known.retiring_uid is None or known.retiring_uid not in gone or known.uid in gone:
        return known
    if gone[known.retiring_uid] is None and known.created_at > shown_until:
        return known
    return replace(known, retiring_uid=None)


def _made_by(fired_at: datetime, newest: datetime | None, complete_until: datetime) -> bool:
    """Whether the newest run is that of a firing: one that is dated before it may be of another, while its own is not
    shown yet."""
    if newest is None or newest < fired_at - LAG:
        return False
    return newest >= fired_at or fired_at <= complete_until


def _followed(run: RemoteRun, owned: OwnedState, by_uid: dict[str, Ownership], now: datetime) -> FollowedRun:
    known = owned.runs.get(run.uid)
    address = known.address if known else by_uid[run.schedule_uid or ""].address
    before = known or FollowedRun(uid=run.uid, address=address, status=run.status)
    return replace(
        before,
        status=run.status,
        created_at=run.created_at or before.created_at,
        seen_at=now,
        outputs=run.output_count if run.output_count is not None else before.outputs,
        error=run.last_error.label if run.last_error is not None else None,
        postponed_until=run.postponed_until,
    )


def _out_of_sight(run: FollowedRun, now: datetime) -> FollowedRun:
    forgotten = run.created_at is not None and now - run.created_at > MEMORY
    return replace(run, seen_at=now, status=FORGOTTEN if forgotten else run.status)
