"""The end of a daemon: what was sent is waited for and written down, nothing more is begun, and not for ever.

Whoever is in a hurry and asks again is given the end at once; what is open then stands in the journal, and the next
start looks for it.
"""

from __future__ import annotations

import asyncio

from cdsync.daemon.loop import Loop
from cdsync.logs import logger

FINISH_WITHIN = 45.0
"""Seconds in which actions that have begun may come to their end, all their requests included."""

ANSWER_WITHIN = 10.0
"""Seconds after that in which only what was sent may still be answered."""


class Ending:
    """Ends a loop, once; asked again it hurries."""

    def __init__(self) -> None:
        self._hurry = asyncio.Event()

    async def stop(self, loop: Loop, running: asyncio.Task[None]) -> None:
        """Let the loop come to its end; `running` is the task that it runs in."""
        if loop.triggers.closed:
            logger().warning("daemon.hurried")
            self._hurry.set()
            return
        logger().info("daemon.stopping")
        loop.triggers.close()
        if loop.under_way is not None and loop.under_way.only_looks():
            loop.under_way.give_up()
        await self._wait(running, FINISH_WITHIN)
        loop.link.hang_up()
        await self._wait(running, ANSWER_WITHIN)
        if not running.done():
            logger().warning("daemon.cut_short", waited=FINISH_WITHIN + ANSWER_WITHIN)
            if loop.under_way is not None:
                loop.under_way.give_up()

    async def _wait(self, running: asyncio.Task[None], seconds: float) -> None:
        if running.done() or self._hurry.is_set():
            return
        hurrying = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({running, hurrying}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        hurrying.cancel()
