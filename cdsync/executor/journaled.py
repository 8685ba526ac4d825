"""The one way in which a request that changes something is sent: intent, request, outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from cdsync.api import Api
from cdsync.core.actions import Action
from cdsync.core.events import Event
from cdsync.core.labels import label_of
from cdsync.core.match import matching_runs, matching_schedules
from cdsync.core.model import Address, DesiredState, FollowedRun, ObservedState, Ownership, RemoteRun, RemoteSchedule
from cdsync.core.records import HistoryEntry, Intent, changes_in_words
from cdsync.errors import ApiError, NotFound, OutcomeUnknown, Rejected, StoreError
from cdsync.executor.doubts import Doubts
from cdsync.references import References
from cdsync.store import Store

ABOUT_LABEL = ("name", "additional propert", "unknown field", "unexpected")
"""Words by which a refusal says that it is about the label, and not about something that will pass."""


@dataclass(slots=True, kw_only=True)
class Workshop:
    """What carrying out a plan needs at hand.

    `labels` is learnt on the way: whether the API takes and echoes them. `stopping` says that no further action may
    begin, and no further page of one be asked for.

    For live runs: `results` is the folder of their files, `settle` how long a lost request may take to show up,
    `live_timeout` how long one is waited for, `patience` how long to wait when the API asks for it, `slice` how long
    one run may be worked on in this pass (None: to its end), `tell` takes their progress, `fetched` are those that are
    to be asked for.
    """

    api: Api
    store: Store
    references: References
    desired: DesiredState
    observed: ObservedState
    owner: str
    revision: str | None
    labels: bool | None
    results: Path
    settle: timedelta
    live_timeout: timedelta
    patience: timedelta
    slice: timedelta | None
    stopping: Callable[[], bool]
    tell: Callable[[Event], None]
    fetched: Set[Address] = frozenset()
    doubts: Doubts = field(init=False)
    _there: dict[str, tuple[list[RemoteRun], list[RemoteSchedule]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.doubts = Doubts(pending.intent for pending in self.store.pending())
        self._there = {}
        for run in self.observed.runs.values():
            self._there.setdefault(run.action, ([], []))[0].append(run)
        for schedule in self.observed.schedules.values():
            self._there.setdefault(schedule.action, ([], []))[1].append(schedule)

    def already_there(self, intent: Intent) -> tuple[str, ...]:
        """What would be taken for the effect of a creation if its answer were lost, for the clocks are not exact."""
        # By action, because going through all for each creation takes minutes where there are thousands of both.
        runs, schedules = self._there.get(intent.record.action, ([], [])) if intent.record is not None else ([], [])
        if intent.step == "launch":
            return tuple(run.uid for run in matching_runs(intent, runs, labels=self.labels))
        return tuple(schedule.uid for schedule in matching_schedules(intent, schedules, labels=self.labels))

    def now(self) -> datetime:
        """The present moment on the server's clock."""
        return self.api.server_now()

    def latest(self) -> datetime:
        """The present moment on that of both clocks which is ahead: nothing that counts from it comes too soon."""
        return max(self.api.server_now(), self.api.local_now())

    def owned(self, action: Action) -> Ownership:
        """What the resource of an action owns now; the plan says that it owns something."""
        owned = self.store.owned_by(action.address)
        if owned is None:
            raise ValueError(f"{action.address} owns nothing, but the plan would {action.kind} it")
        return owned

    def commit_soon(self) -> None:
        """Put on disk what is due once nothing else can be done at once, if nothing else was written before.

        The next creation is written down in between, so that both together cost one wait for the disk.
        """
        asyncio.get_running_loop().call_soon(self._commit)

    def _commit(self) -> None:
        # What could not be written stays due: with the next request it is tried again, which is not sent otherwise.
        with suppress(StoreError):
            self.store.commit()

    def label_for(self, action: Action) -> str | None:
        """The label to send with a creation; None once the API is known to take or echo none."""
        return None if self.labels is False else label_of(self.owner, action.address)

    def entry(self, action: Action, result: str, *, uid: str | None, detail: str | None = None) -> HistoryEntry:
        """The line of history about an action: what happened, if that is told, and what it changed or would have."""
        told = (detail, changes_in_words(action.changes))
        return HistoryEntry(
            at=self.now(),
            address=action.address,
            action=action.kind.value,
            result=result,
            uid=uid,
            why=action.why,
            detail="; ".join(filter(None, told)) or None,
            revision=self.revision,
        )


async def create_journaled(
    shop: Workshop, action: Action, intent: Intent, request: Callable[[str | None], Awaitable[str]]
) -> Ownership:
    """Send a creation with its label, once; gives the ownership that follows from it.

    An API of an older age refuses the label as an unknown field. That refusal has had no effect, so the creation is
    sent once more without it, and the API is remembered to take none.

    Raises:
        OutcomeUnknown: it may have been made; the journal keeps it open.
        ApiError: it was not made.
    """
    try:
        return await _create_once(shop, action, intent, request)
    except Rejected as error:
        if intent.label is None or shop.labels is not None or error.status not in {400, 422}:
            raise
        about_label = any(word in str(error).lower() for word in ABOUT_LABEL)
    unlabelled = replace(intent, label=None, record=replace(intent.to_own, label=None), sent_at=shop.now())
    owned = await _create_once(shop, action, unlabelled, request)
    if about_label:
        shop.labels = False
        shop.store.remember("labels", "no")
    return owned


async def _create_once(
    shop: Workshop, action: Action, intent: Intent, request: Callable[[str | None], Awaitable[str]]
) -> Ownership:
    number = shop.store.begin(replace(intent, already_there=shop.already_there(intent)))
    shop.doubts.begin(intent)
    try:
        uid = await request(intent.label)
    except OutcomeUnknown as error:
        if error.over:
            shop.store.lost(number)
        raise
    except ApiError as error:
        shop.store.finish(number, "refused", entry=shop.entry(action, "failed", uid=None, detail=str(error)))
        shop.doubts.end(intent)
        raise
    owned = replace(intent.to_own, uid=uid, made_at=shop.latest())
    shop.store.finish(
        number,
        "done",
        owned=owned,
        run=first_sight(owned),
        entry=shop.entry(action, "done", uid=uid),
        with_next=True,
    )
    shop.commit_soon()
    shop.doubts.end(intent)
    return owned


def first_sight(owned: Ownership) -> FollowedRun | None:
    """A run that was just launched, as the store follows it from then on; None for a schedule."""
    if owned.object.value != "run":
        return None
    return FollowedRun(uid=owned.uid, address=owned.address, status="CREATED", created_at=owned.created_at)


async def change_journaled(
    shop: Workshop,
    action: Action,
    step: str,
    uid: str,
    request: Callable[[], Awaitable[object]],
    *,
    owned: Ownership | None = None,
    doubtful: Ownership | None = None,
    run: FollowedRun | None = None,
    entry: bool = True,
) -> None:
    """Send a change of an existing object, once, and record what follows from it.

    `owned` and `run` are written when it succeeds. A lost answer needs no resolution: the next listing shows what is,
    and a change that is sent again sets the same values again. For what no listing shows, `doubtful` is what is known
    as long as the answer is not.

    Raises:
        ApiError: it had no effect, or, as OutcomeUnknown, may have had one.
    """
    before = shop.owned(action) if doubtful is not None else None
    intent = Intent(address=action.address, step=step, uid=uid, sent_at=shop.now())
    number = shop.store.begin(intent, owned=doubtful)
    try:
        await request()
    except ApiError as error:
        outcome = "unknown" if isinstance(error, OutcomeUnknown) else "refused"
        known = before if outcome == "refused" else None
        shop.store.finish(number, outcome, owned=known, entry=shop.entry(action, outcome, uid=uid, detail=str(error)))
        raise
    done = shop.entry(action, "done", uid=uid) if entry else None
    shop.store.finish(number, "done", owned=owned, run=run, entry=done)


async def reach_status(shop: Workshop, uid: str, request: Awaitable[None], *, wanted: frozenset[str]) -> None:
    """Send a transition; one that is refused because the object is there already has succeeded.

    What the API answers to a repeated pause or cancel is not documented, so a refusal is settled by looking.
    """
    try:
        await request
    except Rejected as error:
        found = await shop.api.schedule(uid)
        gone = found is None and isinstance(error, NotFound) and "CANCELLED" in wanted
        if not gone and (found is None or found.status not in wanted):
            raise
