"""Finds out what became of creations whose answer was lost, by looking: never by sending them again.

Exactly one match is taken as ours. None, seen twice with the settle time in between, means that it was never made; one
whose sender died or lost the connection may be under way for as long as a request may take, which is waited for before.
Several are left for a person, and so is one that was made long after the request.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from cdsync.api import Api
from cdsync.core.context import SKEW, owned_uids
from cdsync.core.match import made_late, matching_runs, matching_schedules
from cdsync.core.model import Address, RemoteRun, RemoteSchedule
from cdsync.core.records import HistoryEntry, Intent, PendingIntent
from cdsync.executor.journaled import first_sight
from cdsync.store import Store


@dataclass(frozen=True, slots=True)
class Resolution:
    """What looking has shown: creations found, ruled out, not seen yet, and those in doubt (the UIDs).

    `wait` is how long it takes until all that was not seen yet can be ruled out.
    """

    found: tuple[Address, ...] = ()
    absent: tuple[Address, ...] = ()
    waiting: tuple[Address, ...] = ()
    ambiguous: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    wait: timedelta = timedelta()

    @property
    def settled(self) -> tuple[Address, ...]:
        """Those about which everything is known now."""
        return self.found + self.absent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """When one listing came to its end, by the server's clock and by ours, and how long it took: what appeared
    meanwhile was not seen for certain."""

    now: datetime
    local: datetime
    took: timedelta


async def resolve(
    api: Api,
    store: Store,
    *,
    labels: bool | None,
    settle: timedelta,
    under_way: timedelta,
    revision: str | None,
    patient: bool,
) -> Resolution:
    """Look for every creation whose outcome is unknown; `patient` waits for the second look where one is needed.

    `under_way` is how long one request may take, `settle` how long its effect may take to show.

    Raises:
        ApiError: the API could not be looked at; nothing was concluded.
    """
    look = partial(_look, api, store, labels=labels, settle=settle, under_way=under_way, revision=revision)
    first = await look()
    if not (patient and first.waiting):
        return first
    # The server's clock is known to the second only, so a second more makes sure of the whole time.
    await asyncio.sleep(first.wait.total_seconds() + 1)
    second = await look()
    return Resolution(
        found=first.found + second.found,
        absent=first.absent + second.absent,
        waiting=second.waiting,
        ambiguous=second.ambiguous,
        wait=second.wait,
    )


async def _look(
    api: Api, store: Store, *, labels: bool | None, settle: timedelta, under_way: timedelta, revision: str | None
) -> Resolution:
    found: list[Address] = []
    absent: list[Address] = []
    waiting: list[Address] = []
    ambiguous: dict[Address, tuple[str, ...]] = {}
    longest = timedelta()
    state = store.owned()
    # What we knew before, also what we have cancelled since, cannot be what these requests made.
    known = {*owned_uids(state), *state.runs, *store.known_uids()}
    for group in _by_listing(store.pending()):
        watch = api.stopwatch()
        listed = await _listed(api, group, labels=labels)
        moment = _Look(now=api.server_now(), local=api.local_now(), took=watch())
        for pending in group:
            address = pending.intent.address
            matches = _matches(pending.intent, listed, known, labels=labels)
            if len(matches) == 1 and not made_late(pending.intent, matches[0]):
                known.add(matches[0].uid)
                _own(store, pending, matches[0].uid, revision=revision, api=api)
                found.append(address)
            elif matches:
                ambiguous[address] = tuple(remote.uid for remote in matches)
            elif (wait := _wait(store, pending, moment, settle=settle, under_way=under_way)) > timedelta():
                longest = max(longest, wait)
                waiting.append(address)
            else:
                entry = _entry(pending, "absent", uid=None, revision=revision, api=api)
                store.finish(pending.id, "absent", entry=entry)
                absent.append(address)
    return Resolution(tuple(found), tuple(absent), tuple(waiting), ambiguous, longest)


def _by_listing(pendings: Iterable[PendingIntent]) -> Iterable[list[PendingIntent]]:
    """Those that one listing can answer for: of one kind and one action."""
    groups: defaultdict[tuple[str, str], list[PendingIntent]] = defaultdict(list)
    for pending in pendings:
        groups[pending.intent.step, pending.intent.to_own.action].append(pending)
    return groups.values()


async def _listed(
    api: Api, group: Sequence[PendingIntent], *, labels: bool | None
) -> Collection[RemoteSchedule] | Collection[RemoteRun]:
    """Everything that a group of creations may have made."""
    intents = [pending.intent for pending in group]
    # A label is looked for among all, because then no clock has to be believed.
    labelled = labels is not False and any(intent.label is not None for intent in intents)
    since = None if labelled else min(intent.sent_at for intent in intents) - SKEW
    action = intents[0].to_own.action
    if intents[0].step == "launch":
        return (await api.runs(actions=[action], since=since)).values()
    return (await api.schedules_made(action, since=since)).values()


def _matches(
    intent: Intent,
    listed: Collection[RemoteSchedule] | Collection[RemoteRun],
    known: Set[str],
    *,
    labels: bool | None,
) -> tuple[RemoteSchedule, ...] | tuple[RemoteRun, ...]:
    unowned = [remote for remote in listed if remote.uid not in known and remote.uid not in intent.already_there]
    if intent.step == "launch":
        return matching_runs(intent, [one for one in unowned if isinstance(one, RemoteRun)], labels=labels)
    return matching_schedules(intent, [one for one in unowned if isinstance(one, RemoteSchedule)], labels=labels)


def _wait(store: Store, pending: PendingIntent, look: _Look, *, settle: timedelta, under_way: timedelta) -> timedelta:
    """How long after this look in vain another one rules a creation out; nothing when this one does.

    The first look is dated by its end, and one that rules out by its beginning.
    """
    # Whose end nobody saw may have left right before its sender died or was cut off, and that before the first look.
    whole = settle if pending.lost else under_way + settle
    first, first_local = pending.missed_at, pending.missed_local
    # Either clock may leap, the server's with each answer; a look that lies ahead was noted by one that has gone back.
    if first is None or first_local is None or first > look.now or first_local > look.local:
        store.missed(pending.id, look.now, local=look.local)
        return max(whole, timedelta(microseconds=1))
    return whole + look.took - min(look.now - first, look.local - first_local)


def _own(store: Store, pending: PendingIntent, uid: str, *, revision: str | None, api: Api) -> None:
    owned = replace(pending.intent.to_own, uid=uid, made_at=max(api.server_now(), api.local_now()))
    entry = _entry(pending, "found", uid=uid, revision=revision, api=api)
    store.finish(pending.id, "done", owned=owned, run=first_sight(owned), entry=entry)


def _entry(pending: PendingIntent, result: str, *, uid: str | None, revision: str | None, api: Api) -> HistoryEntry:
    intent = pending.intent
    seen = "and it was found there" if uid else "and two looks did not find it"
    return HistoryEntry(
        at=api.server_now(),
        address=intent.address,
        action=intent.step,
        result=result,
        uid=uid,
        why=f"the answer to the request of {intent.sent_at:%Y-%m-%d %H:%M:%S} UTC was lost, {seen}",
        revision=revision,
    )
