"""Puts the daemon together: the state, the loop, the signals, and the service manager."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from cdsync.assembly import Surroundings, holder, settings_of
from cdsync.daemon.feed import FolderFeed
from cdsync.daemon.loop import Loop
from cdsync.daemon.standing import Result
from cdsync.daemon.systemd import Systemd
from cdsync.daemon.triggers import Cause
from cdsync.logs import logger

EXIT_CODES = {Result.UNCHANGED: 0, Result.APPLIED: 0, Result.PARTIAL: 3}
"""How one single pass ends the process; what has an error ends with that one's code."""


async def run_daemon(around: Surroundings, *, once: bool) -> int:
    """Keep the account as declared until SIGTERM; or make one pass, with `once`. Gives the exit code.

    Raises:
        StoreError: the state is held by another, or cannot be used.
        CdsyncError: with `once`, what the pass failed of.
    """
    settings = settings_of(around)
    systemd = Systemd(around.environment)
    with around.open_store(settings.state, holder=holder("daemon", around.now())) as store:
        feed = FolderFeed(around)
        loop = Loop(feed=feed, store=store, around=around, settings=settings, systemd=systemd)
        if once:
            return await _once(loop)
        async with _at_work(loop, systemd):
            logger().info("daemon.started", root=str(settings.root), state=str(settings.state), interval=loop.interval)
            systemd.ready()
            await loop.run()
        logger().info("daemon.stopped", passes=loop.standing.last.number if loop.standing.last else 0)
        return 0


async def _once(loop: Loop) -> int:
    await loop.turn((Cause.START,))
    if loop.declared.fault is not None:
        raise loop.declared.fault.error
    last = loop.standing.last
    if last is None:
        return 1
    if last.error is not None:
        raise last.error
    return EXIT_CODES.get(last.result, 1)


@asynccontextmanager
async def _at_work(loop: Loop, systemd: Systemd) -> AsyncIterator[None]:
    """Signals are heard and the watchdog is fed, from here to the end."""
    running = asyncio.get_running_loop()
    tasks: set[asyncio.Task[Any]] = set()

    def begin(work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        task = asyncio.create_task(work())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    heard = {signal.SIGTERM: loop.stop, signal.SIGINT: loop.stop, signal.SIGHUP: loop.reload}
    for number, work in heard.items():
        running.add_signal_handler(number, begin, work)
    begin(loop.watch)
    if (expected := systemd.watchdog) is not None:
        begin(partial(_feed_watchdog, loop, systemd, every=expected / 3))
    try:
        yield
    finally:
        for number in heard:
            running.remove_signal_handler(number)
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _feed_watchdog(loop: Loop, systemd: Systemd, *, every: float) -> None:
    while True:
        if loop.pulse.steady(request=loop.request_timeout):
            systemd.alive()
        await asyncio.sleep(every)
