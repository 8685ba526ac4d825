"""How each action on a schedule is carried out, request by request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from cdsync.api.bodies import creation_body, update_fields
from cdsync.core.actions import Action, Reason
from cdsync.core.fingerprint import HIDDEN_FIELDS, synopsis_of
from cdsync.core.model import FollowedRun, Kind, OneOffRun, Ownership, Schedule
from cdsync.core.records import Intent
from cdsync.core.timing import QUIET, deferred_until, first_fire
from cdsync.errors import ApiError, GuardRefused, OutcomeUnknown
from cdsync.executor.journaled import Workshop, change_journaled, create_journaled, reach_status
from cdsync.executor.verification import verify

PAUSED = frozenset({"PAUSED"})
ACTIVE = frozenset({"ACTIVE"})
CANCELLED = frozenset({"CANCELLED", "COMPLETED"})


async def create(shop: Workshop, action: Action) -> str:
    """Create a schedule that fires first at its next tick; one that is declared paused is paused at once."""
    owned = await _create(shop, action, retiring=None)
    await _pause_if_declared(shop, action, owned)
    return owned.uid


async def _create(shop: Workshop, action: Action, *, retiring: str | None) -> Ownership:
    resource = shop.desired.resources[action.address]
    work = shop.references.resolve_work(resource.work)
    anew = retiring is None and action.reason is Reason.NEW
    label = shop.label_for(action)
    cron = resource.cron if isinstance(resource, Schedule) else None
    timezone = resource.timezone if isinstance(resource, Schedule) else None
    record = Ownership(
        address=action.address,
        uid="",
        object=Kind.SCHEDULE,
        action=work.action,
        cron=cron,
        timezone=timezone,
        fingerprints=shop.desired.fingerprints[action.address],
        synopsis=synopsis_of(resource),
        label=label,
        created_at=shop.now(),
        retiring_uid=retiring,
        protect=resource.protect,
    )

    async def send(label: str | None) -> str:
        def body() -> dict[str, object]:
            fires = _first_firing(resource, anew=anew, now=shop.latest())
            return creation_body(work, label=label, cron=cron, timezone=timezone, schedule_at=fires)

        return (await shop.api.create_schedule(work.action, body)).uid

    intent = Intent(
        address=action.address,
        step="create",
        uid=None,
        sent_at=shop.now(),
        record=record,
        label=label,
        schedule_at=_first_firing(resource, anew=anew, now=shop.latest()),
    )
    return await create_journaled(shop, action, intent, send)


async def _pause_if_declared(shop: Workshop, action: Action, made: Ownership) -> Ownership:
    """Pause what was just made, if it is declared so: the API cannot make it paused."""
    resource = shop.desired.resources[action.address]
    if not isinstance(resource, Schedule) or resource.state != "paused":
        return made
    owned = replace(made, state="paused")
    await _transit(shop, action, "pause", owned.uid, shop.api.pause_schedule, wanted=PAUSED, owned=owned)
    return owned


def _first_firing(resource: Schedule | OneOffRun, *, anew: bool, now: datetime) -> datetime | None:
    """The first firing to ask for; a schedule that is to be paused gets one that leaves time for it.

    Only what is made for the very first time (`anew`) may fire at once, if it says so.
    """
    if isinstance(resource, OneOffRun):
        return resource.schedule_at
    if anew and resource.first_fire == "immediate" and resource.state == "active":
        return None
    margin = QUIET if resource.state == "paused" else timedelta()
    return first_fire(resource.cron, resource.timezone, now=now + margin)


async def update(shop: Workshop, action: Action) -> str:
    """Change a schedule in place, with one request for its fields and, if need be, one for its state.

    One that is declared paused is paused first, so that it never fires by the new fields.
    """
    schedule = _schedule(shop, action)
    remote = shop.observed.schedules[_uid(action)]
    work = shop.references.resolve_work(schedule.work)
    changed = {change.path.split(".", 1)[0] for change in action.changes}
    fields = update_fields(work, cron=schedule.cron, timezone=schedule.timezone, changed=changed)
    state = {"ACTIVE": "active", "PAUSED": "paused"}[remote.status]
    if schedule.state == "paused" and state == "active":
        await switch(shop, action)
        state = "paused"
    owned = replace(_applied(shop, action, schedule), state=state)

    async def send() -> None:
        await shop.api.update_schedule(remote.uid, fields)

    doubtful = _in_doubt(shop.owned(action), changed)
    await change_journaled(shop, action, "update", remote.uid, send, owned=owned, doubtful=doubtful)
    if schedule.state != state:
        await switch(shop, action)
    return remote.uid


async def switch(shop: Workshop, action: Action) -> str:
    """Pause or resume a schedule as declared; one that is so already is only remembered to be declared."""
    uid = _uid(action)
    resource = shop.desired.resources[action.address]
    active = not isinstance(resource, Schedule) or resource.state == "active"
    owned = replace(shop.owned(action), removed_at=None, state="active" if active else "paused")
    if shop.observed.schedules[uid].status in (ACTIVE if active else PAUSED):
        shop.store.save(owned)
    elif active:
        await _transit(shop, action, "resume", uid, shop.api.resume_schedule, wanted=ACTIVE, owned=owned, entry=True)
    else:
        await _transit(shop, action, "pause", uid, shop.api.pause_schedule, wanted=PAUSED, owned=owned, entry=True)
    return uid


async def begin_removal(shop: Workshop, action: Action) -> str:
    """Pause a schedule that is declared no more, and remember since when."""
    uid = _uid(action)
    before = shop.owned(action)
    owned = replace(before, removed_at=before.removed_at or shop.latest(), state="paused")
    if shop.observed.schedules[uid].status == "PAUSED":
        shop.store.save(owned)
    else:
        await _transit(shop, action, "pause", uid, shop.api.pause_schedule, wanted=PAUSED, owned=owned, entry=True)
    return uid


async def delete(shop: Workshop, action: Action) -> str:
    """Cancel a schedule: the predecessor of a replacement, or one that is to be removed and then is ours no more."""
    uid = _uid(action)
    if action.reason is Reason.HALF_REPLACED:
        owned = replace(shop.owned(action), retiring_uid=None)
        await _transit(shop, action, "delete", uid, shop.api.delete_schedule, wanted=CANCELLED, owned=owned, entry=True)
    else:
        await _transit(shop, action, "delete", uid, shop.api.delete_schedule, wanted=CANCELLED, entry=True)
        shop.store.forget(action.address)
    return uid


async def replace_schedule(shop: Workshop, action: Action) -> str:
    """Pause the old, create the new with its first firing ahead, verify it, cancel the old; undone when refused.

    What is declared paused stays paused then.

    Raises:
        GuardRefused: meanwhile the next tick has come too close.
        ApiError: a step failed; the journal and the ownership say which, and the next pass goes on from there.
    """
    old = shop.observed.schedules[_uid(action)]
    if old.status != "ACTIVE":
        # A listing may be behind the truth, and what still fires must be paused before there is another.
        old = await shop.api.schedule(old.uid) or old
    if (until := deferred_until(old, now=shop.now())) is not None:
        raise GuardRefused(
            f"deferred until {until:%H:%M:%S} UTC: its next tick is too close", remedy="apply again then"
        )
    resource = shop.desired.resources[action.address]
    stays = isinstance(resource, Schedule) and resource.state == "paused"
    # Reads may also lag behind our own resume of a moment ago.
    if old.status == "ACTIVE" or shop.owned(action).state == "active":
        paused = replace(shop.owned(action), state="paused") if stays else None
        await _transit(shop, action, "pause", old.uid, shop.api.pause_schedule, wanted=PAUSED, owned=paused)
    try:
        new = await _create(shop, action, retiring=old.uid)
    except OutcomeUnknown:
        raise
    except ApiError:
        if old.status == "ACTIVE" and not stays:
            await _transit(shop, action, "resume", old.uid, shop.api.resume_schedule, wanted=ACTIVE)
        raise
    # From here on the new one is there, so that going back would let both fire.
    new = await _pause_if_declared(shop, action, new)
    await verify(shop, new)
    settled = replace(new, retiring_uid=None)
    await _transit(shop, action, "delete", old.uid, shop.api.delete_schedule, wanted=CANCELLED, owned=settled)
    return new.uid


async def adopt(shop: Workshop, action: Action) -> str:
    """Take ownership of an object that is there already, as the API shows it; what it hides is taken as declared.

    A predecessor that is gone back to is known to differ from the declaration in what is hidden.
    """
    uid = _uid(action)
    resource = shop.desired.resources.get(action.address)
    known = shop.store.owned_by(action.address)
    back = action.reason is Reason.HALF_REPLACED
    remote = shop.observed.schedules.get(uid)
    run = shop.observed.runs.get(uid)
    found = remote or run
    if found is None:
        raise ApiError(f"{uid} is not on the account any more")
    fingerprints = dict.fromkeys(HIDDEN_FIELDS, "") if back else shop.desired.fingerprints.get(action.address, {})
    owned = Ownership(
        address=action.address,
        uid=uid,
        object=Kind.SCHEDULE if remote else Kind.RUN,
        action=found.action,
        cron=remote.cron if remote else None,
        timezone=remote.timezone if remote else None,
        state="paused" if remote and remote.status == "PAUSED" else "active",
        fingerprints=fingerprints,
        synopsis=synopsis_of(resource) if resource and not back else {},
        label=found.label,
        created_at=found.created_at or shop.now(),
        removed_at=known.removed_at if known else None,
        protect=bool(resource and resource.protect),
    )
    shop.store.save(owned)
    if run is not None:
        seen = FollowedRun(uid=uid, address=action.address, status=run.status, created_at=run.created_at)
        shop.store.follow((seen,), owned=())
    shop.store.add_history(shop.entry(action, "done", uid=uid))
    return uid


async def _transit(
    shop: Workshop,
    action: Action,
    step: str,
    uid: str,
    call: Callable[[str], Awaitable[None]],
    *,
    wanted: frozenset[str],
    owned: Ownership | None = None,
    entry: bool = False,
) -> None:
    async def send() -> None:
        await reach_status(shop, uid, call(uid), wanted=wanted)

    await change_journaled(shop, action, step, uid, send, owned=owned, entry=entry)


def _applied(shop: Workshop, action: Action, schedule: Schedule) -> Ownership:
    before = shop.owned(action)
    return replace(
        before,
        action=schedule.work.action,
        cron=schedule.cron,
        timezone=schedule.timezone,
        fingerprints=shop.desired.fingerprints[action.address],
        synopsis=synopsis_of(schedule),
        protect=schedule.protect,
        removed_at=None,
    )


def _in_doubt(owned: Ownership, changed: set[str]) -> Ownership:
    """What is known while these fields are being changed: of those that no listing shows, nothing any more.

    Were the answer lost and the declaration taken back, the account would be left with what is declared no more.
    """
    unknown = [field for field in owned.fingerprints if field.split(".", 1)[0] in changed]
    return replace(owned, fingerprints={**owned.fingerprints, **dict.fromkeys(unknown, "")})


def _schedule(shop: Workshop, action: Action) -> Schedule:
    resource = shop.desired.resources[action.address]
    if not isinstance(resource, Schedule):
        raise TypeError(f"{action.address} is no schedule")
    return resource


def _uid(action: Action) -> str:
    if action.uid is None:
        raise ValueError(f"the plan names no object to {action.kind} for {action.address}")
    return action.uid
