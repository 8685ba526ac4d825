"""The loop itself: wait, look at the declaration, make a pass, tell; until it is told to end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from cdsync.api import Call
from cdsync.assembly import Surroundings
from cdsync.core.events import Event
from cdsync.daemon.backoff import pause_after
from cdsync.daemon.declared import Declared
from cdsync.daemon.feed import Feed
from cdsync.daemon.link import Link
from cdsync.daemon.passing import Passing
from cdsync.daemon.pulse import Pulse
from cdsync.daemon.standing import PassRecord, Result, Standing, headline
from cdsync.daemon.systemd import Systemd
from cdsync.daemon.triggers import Cause, Triggers
from cdsync.errors import CdsyncError
from cdsync.logs import logger
from cdsync.settings import Settings
from cdsync.store import Store

FINISH_WITHIN = 45.0
"""Seconds that what has begun may take to its end once the daemon is told to stop."""


WATCH_AGAIN = 10.0
"""Seconds after which a feed that cannot be watched is watched again."""


class Loop:
    """Makes pass after pass on one open state. `standing` is replaced after each, never changed."""

    def __init__(
        self,
        *,
        feed: Feed,
        store: Store,
        around: Surroundings,
        settings: Settings,
        systemd: Systemd,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._around = replace(around, on_call=self._on_call)
        self._feed = feed
        self._store = store
        self._settings = settings
        self._systemd = systemd
        self._draw = draw
        self._link = Link(store, self._around)
        self._under_way: Passing | None = None
        self._task: asyncio.Task[PassRecord] | None = None
        self._calls = 0
        self._passes = 0
        self.triggers = Triggers()
        self.pulse = Pulse()
        self.declared = Declared(feed, now=around.now)
        self.standing = Standing(started=around.now())

    async def run(self) -> None:
        """Make passes until `stop` is called."""
        self.triggers.request(Cause.START)
        pause = 0.0
        try:
            while causes := await self._next(within=pause):
                await self.turn(causes)
                pause = pause_after(self.standing.failures, interval=self.interval, draw=self._draw())
                self._tell(due_in=pause)
        finally:
            await self._link.close()

    @property
    def interval(self) -> float:
        """Seconds between two passes, as the last good declaration has it."""
        return self._current_settings().daemon.interval.total_seconds()

    @property
    def request_timeout(self) -> timedelta:
        """How long one request may take."""
        return self._current_settings().api.timeout

    def _current_settings(self) -> Settings:
        delivery = self.declared.delivery
        return delivery.configuration.settings if delivery else self._settings

    async def _next(self, *, within: float) -> tuple[Cause, ...]:
        self.pulse.wait(within)
        causes = await self.triggers.next(within=within)
        self.pulse.work()
        return causes

    async def turn(self, causes: tuple[Cause, ...]) -> None:
        """Look at the declaration and make one pass with the last good one, if there is one."""
        await self.declared.refresh()
        delivery = self.declared.delivery
        self.standing = replace(self.standing, delivery=delivery, fault=self.declared.fault)
        self.pulse.beat()
        if delivery is None or self.triggers.closed:
            return
        self._passes, self._calls = self._passes + 1, 0
        self._under_way = Passing(
            number=self._passes,
            causes=causes,
            delivery=delivery,
            around=self._around,
            store=self._store,
            link=self._link,
            on_event=self._on_event,
            stopping=lambda: self.triggers.closed,
        )
        self._task = asyncio.create_task(self._under_way.run(), name="pass")
        try:
            # Only this loop's own `stop` ends a pass; who waits for it may be given up before.
            record = replace(await asyncio.shield(self._task), calls=self._calls)
        finally:
            self._under_way = self._task = None
        self._take_note(record)

    async def stop(self) -> None:
        """Begin nothing more; wait for what has begun, but not for ever."""
        self.triggers.close()
        self._systemd.stopping()
        task, under_way = self._task, self._under_way
        if task is None or under_way is None:
            return
        if not under_way.acting and not self._store.pending():
            # It only looks: nothing is lost when it does not look to the end.
            task.cancel()
        _, late = await asyncio.wait({task}, timeout=FINISH_WITHIN)
        for slow in late:
            logger().warning("stop.cut_short", waited=FINISH_WITHIN)
            slow.cancel()

    async def reload(self) -> None:
        """Look at the declaration at once, without waiting for a pass that is under way, and ask for another."""
        self._systemd.reloading()
        await self.declared.refresh()
        self.standing = replace(self.standing, delivery=self.declared.delivery, fault=self.declared.fault)
        self._systemd.ready()
        self._tell(due_in=0.0)
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

    def _take_note(self, record: PassRecord) -> None:
        good = record.result.decided
        self.standing = replace(
            self.standing,
            last=record,
            looked=record if record.seen else self.standing.looked,
            failures=0 if good else self.standing.failures + (record.result is Result.FAILED),
        )
        _log(record)

    def _tell(self, *, due_in: float) -> None:
        self.standing = replace(self.standing, next_at=self._around.now() + timedelta(seconds=due_in))
        self._systemd.status(headline(self.standing))

    def _on_event(self, _event: Event) -> None:
        self.pulse.beat()

    def _on_call(self, _call: Call) -> None:
        self._calls += 1
        self.pulse.beat()


def _log(record: PassRecord) -> None:
    plan = record.seen.plan if record.seen else None
    level = logger().error if record.error is not None else logger().warning if record.failed else logger().info
    level(
        "pass.finished",
        number=record.number,
        result=record.result.value,
        causes=[cause.value for cause in record.causes],
        seconds=round(record.seconds, 3),
        done=record.done,
        failed=record.failed,
        blocked=len(plan.blocked) if plan else None,
        drift=len(plan.drift) if plan else None,
        calls=record.calls,
        revision=record.revision,
        error=str(record.error) if record.error else None,
        remedy=record.error.remedy if record.error else None,
    )
