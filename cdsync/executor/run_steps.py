"""How each action on a run is carried out: a launch, once ever; a resume, counted before it leaves."""

from __future__ import annotations

from dataclasses import replace

from cdsync.api.bodies import creation_body
from cdsync.core.actions import Action
from cdsync.core.fingerprint import synopsis_of
from cdsync.core.model import FollowedRun, Kind, OneOffRun, Ownership
from cdsync.core.records import Intent
from cdsync.core.work import Callback
from cdsync.errors import Rejected
from cdsync.executor.journaled import Workshop, change_journaled, create_journaled
from cdsync.executor.live_steps import launch_live
from cdsync.executor.schedule_steps import create


async def launch(shop: Workshop, action: Action) -> str:
    """Launch a one-off: in the background now, as a one-time schedule at its time, or live by writing it down."""
    run = shop.desired.resources[action.address]
    if not isinstance(run, OneOffRun):
        raise TypeError(f"{action.address} is no one-off")
    if run.mode == "live":
        return await launch_live(shop, action)
    if run.schedule_at is not None:
        return await create(shop, action)
    work = shop.references.resolve_work(run.work)
    label = shop.label_for(action)
    record = Ownership(
        address=action.address,
        uid="",
        object=Kind.RUN,
        action=work.action,
        fingerprints=shop.desired.fingerprints[action.address],
        synopsis=synopsis_of(run),
        label=label,
        created_at=shop.now(),
        protect=run.protect,
    )

    async def send(label: str | None) -> str:
        return (await shop.api.launch(work.action, lambda: creation_body(work, label=label))).uid

    intent = Intent(
        address=action.address,
        step="launch",
        uid=None,
        sent_at=shop.now(),
        record=record,
        label=label,
        parameters=work.parameters,
        callback_url=_literal_url(run.work.callback),
    )
    return (await create_journaled(shop, action, intent, send)).uid


def _literal_url(callback: Callback | None) -> str | None:
    """The URL, unless it is a secret: the journal may not hold it."""
    return callback.url if callback is not None and isinstance(callback.url, str) else None


async def resume_run(shop: Workshop, action: Action) -> str:
    """Resume a run that stands still. The attempt counts from before the request, so that a crash cannot reset it."""
    uid = str(action.uid)
    observed = shop.observed.runs[uid]
    known = shop.store.followed_run(uid) or FollowedRun(
        uid=uid, address=action.address, status=observed.status, created_at=observed.created_at
    )
    counted = replace(known, status=observed.status, resumes=known.resumes + 1, resumed_at=shop.now())
    shop.store.follow((counted,), owned=())

    async def send() -> None:
        await shop.api.resume_run(uid)

    try:
        await change_journaled(shop, action, "resume-run", uid, send, run=replace(counted, status="SCHEDULED"))
    except Rejected as error:
        # It would be refused again, as that of a run which belongs to a flow (API contract section 5.2); but not where
        # it only seemed to stand still, because reads lag behind a resume of a moment ago.
        if known.resumed_at is None or shop.latest() > known.resumed_at + shop.settle:
            shop.store.follow((replace(counted, refusal=f"its resume was refused: {error}"),), owned=())
        raise
    return uid
