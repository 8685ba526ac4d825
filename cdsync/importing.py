"""Reads what is on the account and nobody's yet: what the API shows of a schedule, and what its latest run shows."""

from __future__ import annotations

from collections.abc import Iterable

from cdsync.core.context import owned_uids
from cdsync.core.imported import Imported, name_for, undeclarable
from cdsync.core.model import RemoteRun, RemoteSchedule
from cdsync.errors import CdsyncError
from cdsync.reconciler import Pass


async def read_unowned(work: Pass, uids: Iterable[str]) -> tuple[Imported, ...]:
    """The live schedules that nobody owns, by name: all, or those with these UIDs.

    Raises:
        CdsyncError: a UID is not among them.
        ApiError: the account could not be read.
    """
    ours = owned_uids(work.store.owned())
    unowned = {uid: row for uid, row in (await work.api.schedules()).items() if uid not in ours}
    named = tuple(uids)
    wanted = named or tuple(unowned)
    for uid in wanted:
        if uid not in unowned:
            why = "owned already" if uid in ours else "no live schedule of this account"
            raise CdsyncError(f"{uid} cannot be imported: {why}", remedy="cdsync import without a UID lists all")
    chosen = sorted((unowned[uid] for uid in wanted), key=lambda row: (row.action, row.cron or "", row.uid))
    runs = await _latest_runs(work, chosen)
    taken = {address.name for address in work.desired.resources}
    found: list[Imported] = []
    for remote in chosen:
        name = name_for(remote, taken, owner=work.policy.owner)
        taken.add(name)
        found.append(await _recovered(work, remote, runs.get(remote.uid), name=name, asked_for=bool(named)))
    return tuple(found)


async def _latest_runs(work: Pass, schedules: list[RemoteSchedule]) -> dict[str, RemoteRun]:
    """The newest run of each schedule, as far as the API remembers."""
    runs = await work.api.runs(actions={row.action for row in schedules}) if schedules else {}
    latest: dict[str, RemoteRun] = {}
    for run in runs.values():
        known = latest.get(run.schedule_uid or "")
        if run.schedule_uid and (known is None or str(run.created_at) > str(known.created_at)):
            latest[run.schedule_uid] = run
    return latest


async def _recovered(
    work: Pass, remote: RemoteSchedule, run: RemoteRun | None, *, name: str, asked_for: bool
) -> Imported:
    inputs = await work.api.run_inputs(run.uid) if run is not None else None
    return Imported(
        name=name,
        remote=remote,
        inputs=inputs or None,
        parameters=(run.parameters or {}) if run else {},
        callback_url=run.callback_url if run else None,
        skipped=undeclarable(remote, owner=work.policy.owner, asked_for=asked_for),
    )
