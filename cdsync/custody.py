"""Ownership by a person's word: adopt, forget, hold, release. None of these changes anything on the account."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cdsync.core.diff import FieldChange, diff_visible
from cdsync.core.fingerprint import synopsis_of
from cdsync.core.labels import is_anothers
from cdsync.core.model import (
    LEFT_ALONE,
    Address,
    DesiredState,
    FollowedRun,
    Hold,
    Kind,
    OwnedState,
    Ownership,
    RemoteRun,
    RemoteSchedule,
    Resource,
    Schedule,
)
from cdsync.core.records import HistoryEntry
from cdsync.core.targets import did_you_mean
from cdsync.errors import CdsyncError, UnknownAddress
from cdsync.reconciler import Pass
from cdsync.recording import CLOCK
from cdsync.seals import seal
from cdsync.store import Store


def known_address(text: str, desired: DesiredState, owned: OwnedState) -> Address:
    """The address that a person typed, if it is declared, owned, or about to be.

    Raises:
        UnknownAddress: it is not; names the nearest that is.
    """
    known: Collection[Address] = {*desired.resources, *owned.resources, *owned.unresolved, *owned.held}
    for address in known:
        if str(address) == text:
            return address
    raise UnknownAddress(
        f"{text!r} is neither declared nor owned{did_you_mean(text, known)}",
        remedy="an address is schedule/NAME or run/NAME; cdsync status lists them",
    )


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was adopted, and what the next apply would change of it."""

    owned: Ownership
    changes: tuple[FieldChange, ...] = ()


async def adopt(work: Pass, address: Address, uid: str, *, take_over: bool) -> Adopted:
    """Take ownership of an object that is on the account; a creation of unknown outcome is settled by it.

    What the API hides is taken to be as declared, because nobody can compare it; or, where a creation of unknown
    outcome may have made it, as that was sent. What a replacement has made is adopted beside its predecessor, which the
    next apply cancels; of the predecessor itself all that is known stays known. `take_over` allows one that carries the
    label of another owner.

    Raises:
        CdsyncError: another resource owns it, this one owns another, its label is another owner's, or it is not there.
    """
    state = work.store.owned()
    sent = _record_sent(work.store, address)
    _refuse_double_custody(state, address, uid, replaceable=sent is not None)
    remote = await _find(work, address, uid)
    if is_anothers(remote.label, owner=work.policy.owner) and not take_over:
        raise CdsyncError(
            f"{uid} carries the label {remote.label!r}, so another repository may keep it",
            remedy="make sure that nobody else does, then: adopt --take-over",
        )
    desired = seal(work.desired, work.references, key=work.store.fingerprint_key())
    resource = desired.resources.get(address)
    owned = _ownership(remote, address, resource, desired, now=work.api.server_now())
    if sent is not None:
        owned = _as_sent(owned, sent, before=state.resources.get(address))
    work.store.settle(address, outcome="adopted")
    work.store.save(owned)
    if isinstance(remote, RemoteRun):
        seen = FollowedRun(uid=uid, address=address, status=remote.status, created_at=remote.created_at)
        work.store.follow((seen,), owned=())
    now = work.api.server_now()
    work.store.add_history(_by_hand(address, "adopt", "adopted by hand", now=now, revision=work.revision, uid=uid))
    if isinstance(resource, Schedule) and isinstance(remote, RemoteSchedule):
        return Adopted(owned, diff_visible(resource, remote))
    return Adopted(owned)


def _record_sent(store: Store, address: Address) -> Ownership | None:
    """What a creation of unknown outcome sent, and with it what a replacement still has to cancel."""
    records = (row.intent.record for row in store.pending() if row.intent.address == address)
    return next((record for record in records if record is not None), None)


def _as_sent(adopted: Ownership, sent: Ownership, *, before: Ownership | None) -> Ownership:
    if before is not None and before.uid == adopted.uid:
        return before  # the creation made nothing, so there still is what there was
    return replace(adopted, fingerprints=sent.fingerprints, synopsis=sent.synopsis, retiring_uid=sent.retiring_uid)


def _refuse_double_custody(state: OwnedState, address: Address, uid: str, *, replaceable: bool) -> None:
    for other in state.resources.values():
        if uid in {other.uid, other.retiring_uid} and other.address != address:
            raise CdsyncError(f"{uid} is owned by {other.address}", remedy=f"cdsync forget {other.address} first")
    mine = state.resources.get(address)
    if mine is not None and mine.uid != uid and not replaceable:
        raise CdsyncError(f"{address} owns {mine.uid} already", remedy=f"cdsync forget {address} first")


async def _find(work: Pass, address: Address, uid: str) -> RemoteSchedule | RemoteRun:
    schedule = await work.api.schedule(uid)
    if schedule is not None and schedule.live:
        return schedule
    if address.kind is Kind.RUN:
        runs = await work.api.runs(uids=[uid])
        if uid in runs:
            return runs[uid]
    state = f"its status is {schedule.status}" if schedule else "the API does not know it"
    raise CdsyncError(f"{uid} cannot be adopted: {state}", remedy="cdsync import lists what nobody owns yet")


def _ownership(
    remote: RemoteSchedule | RemoteRun,
    address: Address,
    resource: Resource | None,
    desired: DesiredState,
    *,
    now: datetime,
) -> Ownership:
    schedule = remote if isinstance(remote, RemoteSchedule) else None
    return Ownership(
        address=address,
        uid=remote.uid,
        object=Kind.SCHEDULE if schedule else Kind.RUN,
        action=remote.action,
        cron=schedule.cron if schedule else None,
        timezone=schedule.timezone if schedule else None,
        state="paused" if remote.status == "PAUSED" else "active",
        fingerprints=desired.fingerprints.get(address, {}),
        synopsis=synopsis_of(resource) if resource else {},
        label=remote.label,
        created_at=remote.created_at or now,
        protect=bool(resource and resource.protect),
    )


def server_time(store: Store, local: datetime) -> datetime:
    """The server's time, where the API is not asked: this machine's, put right by what the last pass has seen."""
    ahead = store.fact(CLOCK)
    return local + timedelta(seconds=int(ahead)) if ahead is not None else local


def forget(store: Store, address: Address, *, now: datetime, revision: str | None) -> str | None:
    """Drop ownership, and with it a creation of unknown outcome; gives the UID that is now nobody's."""
    owned = store.owned_by(address)
    store.settle(address, outcome="forgotten")
    store.forget(address)
    uid = owned.uid if owned else None
    store.add_history(_by_hand(address, "forget", "forgotten by hand", now=now, revision=revision, uid=uid))
    return uid


def leave_run(store: Store, address: Address, uid: str, *, now: datetime, revision: str | None) -> None:
    """Leave one run of a resource alone: whatever the policy says, it is not resumed until a person resumes it.

    Raises:
        CdsyncError: it is no run of this resource that is followed.
    """
    run = store.followed_run(uid)
    if run is None or run.address != address:
        raise CdsyncError(f"{uid} is no run of {address} that is followed", remedy="cdsync status --format json")
    store.follow((replace(run, refusal=LEFT_ALONE),), owned=())
    why = "this run is left alone, by hand"
    store.add_history(_by_hand(address, "forget", why, now=now, revision=revision, uid=uid))


def hold(store: Store, address: Address, *, now: datetime, duration: timedelta | None, revision: str | None) -> Hold:
    """Leave a resource alone from now on, for a while or until it is released."""
    made = Hold(since=now, until=now + duration if duration else None)
    store.hold(address, made)
    until = f"until {made.until:%Y-%m-%d %H:%M} UTC" if made.until else "until it is released"
    store.add_history(_by_hand(address, "hold", f"held by hand, {until}", now=now, revision=revision))
    return made


def release(store: Store, address: Address, *, now: datetime, revision: str | None) -> bool:
    """End a hold; gives whether there was one."""
    held = store.release(address)
    if held:
        store.add_history(_by_hand(address, "release", "released by hand", now=now, revision=revision))
    return held


def _by_hand(
    address: Address, action: str, why: str, *, now: datetime, revision: str | None, uid: str | None = None
) -> HistoryEntry:
    return HistoryEntry(at=now, address=address, action=action, result="done", uid=uid, why=why, revision=revision)
