"""The loop itself: wait, look at the declaration, make a pass, tell; until it is told to end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from cdsync.api import Call
from cdsync.assembly import Surroundings
from cdsync.collection import Collector
from cdsync.core.events import Event, Succeeded
from cdsync.core.urls import Endpoint
from cdsync.daemon.backoff import pause_after, pause_until_due
from cdsync.daemon.declared import Declared
from cdsync.daemon.feed import Delivery, Feed
from cdsync.daemon.health import Verdict, judge
from cdsync.daemon.link import Link
from cdsync.daemon.passing import Passing
from cdsync.daemon.pulse import Pulse
from cdsync.daemon.setbacks import Setbacks
from cdsync.daemon.standing import PassRecord, Result, Standing, headline
from cdsync.daemon.systemd import Systemd
from cdsync.daemon.telling import log_event, log_pass
from cdsync.daemon.triggers import BY_A_PERSON, Cause, Triggers
from cdsync.errors import CdsyncError, StoreError
from cdsync.logs import logger
from cdsync.seals import Seals
from cdsync.settings import Settings
from cdsync.store import Store, refused_commit, remember_refused

WATCH_AGAIN = 10.0
"""Seconds after which a feed that cannot be watched is watched again."""


class Loop:
    """Makes pass after pass on one open state. `standing` is replaced after each, never changed.

    `on_event` hears of every action, and `on_turn` of how things stand after each look at the declaration, and of the
    pass, if one was made.
    """

    def __init__(
        self,
        *,
        feed: Feed,
        store: Store,
        around: Surroundings,
        settings: Settings,
        systemd: Systemd,
        triggers: Triggers,
        on_event: Callable[[Event], None] = lambda _event: None,
        on_turn: Callable[[Standing, PassRecord | None], None] = lambda _standing, _record: None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._hear_call = around.on_call
        self._around = replace(around, on_call=self._on_call)
        self._feed = feed
        self._store = store
        self._settings = settings
        self._systemd = systemd
        self._hear_event = on_event
        self._hear_turn = on_turn
        self._draw = draw
        self._setbacks = Setbacks()
        self._restart_for: list[str] = []
        self._collector = Collector()
        self._seals = Seals()
        self._calls = 0
        self._passes = 0
        self.link = Link(store, self._around)
        self.under_way: Passing | None = None
        self.triggers = triggers
        self.pulse = Pulse()
        refused = refused_commit(store) if settings.daemon.git is not None else None
        self.declared = Declared(feed, now=around.now, refused=refused)
        self.standing = Standing(started=around.now())

    async def run(self) -> None:
        """Make passes until the end is asked for."""
        self.triggers.request(Cause.START)
        pause = 0.0
        try:
            while causes := await self._next(within=pause):
                pause = self._pause(await self.turn(causes))
                self._tell(due_in=pause)
        finally:
            await self.link.close()

    def _pause(self, record: PassRecord | None) -> float:
        interval = self.settings.daemon.interval.total_seconds()
        pause = pause_after(self.standing.failures, interval=interval, draw=self._draw())
        due = None
        if record is not None and record.result.decided:
            due = pause_until_due(record, settle=self.settings.api.settle)
        return pause if due is None else min(pause, due)

    async def single(self) -> None:
        """Make one pass."""
        try:
            await self.turn((Cause.START,))
        finally:
            await self.link.close()

    @property
    def settings(self) -> Settings:
        """The settings of the last good declaration, or those of the start."""
        delivery = self.declared.delivery
        return delivery.configuration.settings if delivery else self._settings

    async def _next(self, *, within: float) -> tuple[Cause, ...]:
        self.pulse.wait(within)
        causes = await self.triggers.next(within=within)
        self.pulse.work()
        return causes

    async def turn(self, causes: tuple[Cause, ...]) -> PassRecord | None:
        """Look at the declaration and make one pass with the last good one; None when there is none."""
        if BY_A_PERSON & set(causes):
            self._setbacks.forget()
        await self.triggers.unless_closed(self.refresh())
        delivery = self.declared.delivery
        if self.triggers.closed:
            return None
        record = await self._pass(causes, delivery) if delivery is not None else None
        self._hear_turn(self.standing, record)
        return record

    async def _pass(self, causes: tuple[Cause, ...], delivery: Delivery) -> PassRecord:
        self._passes, self._calls = self._passes + 1, 0
        self.standing = replace(self.standing, next_at=None)
        self._systemd.status(f"pass {self._passes} is under way; {headline(self.standing)}")
        self.under_way = self._passing(causes, delivery)
        try:
            record = replace(await self.under_way.run(), calls=self._calls)
            self._learn(self.under_way, record)
        finally:
            self.under_way = None
        self._take_note(record)
        self._collector.collect()
        return record

    def _passing(self, causes: tuple[Cause, ...], delivery: Delivery) -> Passing:
        return Passing(
            number=self._passes,
            causes=causes,
            delivery=delivery,
            around=self._around,
            store=self._store,
            link=self.link,
            setbacks=self._setbacks.in_force(delivery.configuration.desired),
            seals=self._seals,
            on_event=self._on_event,
            stopping=lambda: self.triggers.closed,
        )

    async def refresh(self) -> None:
        """Take up the newest declaration if it is good."""
        await self.declared.refresh()
        declared = self.declared
        self.standing = replace(
            self.standing,
            delivery=declared.delivery,
            fault=declared.fault,
            refused=declared.refused,
            accepted_at=declared.accepted_at,
        )
        # A state that cannot be written is told by the pass, and what is not written now is by a later look.
        with suppress(StoreError):
            remember_refused(self._store, declared.refused)
        self.pulse.beat()
        self._warn_of_restart()

    def _warn_of_restart(self) -> None:
        """What is opened once cannot be changed by a declaration; who changes it there is told, once."""
        started, now = self._settings, self.settings
        changed = [
            name
            for name, before, after in (
                ("state", started.state, now.state),
                ("daemon.listen", started.daemon.listen, now.daemon.listen),
            )
            if before != after
        ]
        if changed and changed != self._restart_for:
            logger().warning("settings.restart_needed", changed=changed)
        self._restart_for = changed

    def listens_on(self, endpoint: Endpoint) -> None:
        """Take note of where this daemon can be asked."""
        self.standing = replace(self.standing, listens=endpoint)

    def verdict(self) -> Verdict:
        """Whether it gets on."""
        interval = self.settings.daemon.interval.total_seconds()
        # Who waits for the next minute's requests gets on: the wait is over within it.
        since = 0.0 if self.link.waits_for_its_turn else self.pulse.since_progress()
        return judge(self.standing, interval=interval, since_progress=since)

    async def reload(self) -> None:
        """Look at the declaration at once, without waiting for a pass that is under way, and ask for another."""
        self._systemd.reloading()
        await self.refresh()
        self._systemd.ready()
        self._systemd.status(headline(self.standing))
        self.triggers.request(Cause.SIGNAL)

    async def watch(self) -> None:
        """Ask for a pass whenever the feed tells of a change; what cannot be watched is tried again after a while."""
        told: str | None = None
        while True:
            try:
                async for cause in self._feed.changes():
                    told = None
                    self.triggers.request(cause)
            except CdsyncError as error:
                if str(error) != told:
                    logger().warning("watch.failed", error=str(error), remedy=error.remedy)
                told = str(error)
            await asyncio.sleep(WATCH_AGAIN)

    def _learn(self, passing: Passing, record: PassRecord) -> None:
        self._setbacks.learn(
            passing.events,
            passing.delivery.configuration.desired,
            left=record.seen.plan if record.seen else None,
            now=passing.server_now(),
            interval=self.settings.daemon.interval,
        )

    def _take_note(self, record: PassRecord) -> None:
        failures = self.standing.failures + 1 if record.result is Result.FAILED else 0
        looked = record if record.seen else self.standing.looked
        self.standing = replace(self.standing, last=record, looked=looked, failures=failures)
        if record.result.decided:
            self.pulse.progress()
            good = self.standing.good_passes + 1
            self.standing = replace(self.standing, good_passes=good, good_at=record.began)
        log_pass(record)

    def _tell(self, *, due_in: float) -> None:
        self.standing = replace(self.standing, next_at=self._around.now() + timedelta(seconds=due_in))
        self._systemd.status(headline(self.standing))

    def _on_event(self, event: Event) -> None:
        log_event(event, revision=self.declared.delivery.revision if self.declared.delivery else None)
        self.pulse.beat()
        if isinstance(event, Succeeded):
            self.pulse.progress()
        self._hear_event(event)

    def _on_call(self, call: Call) -> None:
        self._calls += 1
        self.pulse.beat()
        self._hear_call(call)
