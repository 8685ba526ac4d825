"""Signals, the watchdog, and all work that goes on beside the loop: it ends with the process, whatever it was doing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from cdsync.daemon.systemd import Systemd
from cdsync.logs import logger

Work = Callable[[], Coroutine[Any, Any, None]]


class Handlers:
    """What signals lead to, and whether all is well: other things before and after the loop is there."""

    def __init__(self, *, on_end: Work, on_reload: Work) -> None:
        self.on_end = on_end
        self.on_reload = on_reload
        self.steady: Callable[[], bool] = lambda: True
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the loop; what it fails of is logged, and ends nothing else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger().error("task.crashed", exc_info=error)

    async def feed_watchdog(self, systemd: Systemd, *, every: float) -> None:
        """Tell the service manager that all is well, as long as it is."""
        while True:
            if self.steady():
                systemd.alive()
            await asyncio.sleep(every)

    async def close(self) -> None:
        """Give up whatever is still going on beside the loop."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def hearing(handlers: Handlers, systemd: Systemd) -> AsyncIterator[None]:
    """Hear SIGTERM, SIGINT and SIGHUP, and feed the watchdog if there is one, for the duration of a block."""
    loop = asyncio.get_running_loop()

    def hear(number: int) -> None:
        handlers.begin(handlers.on_reload() if number == signal.SIGHUP else handlers.on_end())

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, hear, number)
    if (expected := systemd.watchdog) is not None:
        handlers.begin(handlers.feed_watchdog(systemd, every=expected / 3))
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)
        await handlers.close()
