"""Whether a replacement is really there: looked for until it is shown, because reads may lag behind writes."""

from __future__ import annotations

import asyncio

from cdsync.core.cron import same_cron
from cdsync.core.model import Ownership, RemoteSchedule
from cdsync.core.zones import same_timezone
from cdsync.errors import NotAsCreated
from cdsync.executor.journaled import Workshop

FIRST_PAUSE = 1.0
"""Seconds before a replacement that is not shown yet is looked for again; each further pause is twice as long."""


async def verify(shop: Workshop, new: Ownership) -> None:
    """Make sure that a replacement is there, live and as it was created, before its predecessor is cancelled.

    Raises:
        NotAsCreated: it is not, or is not shown within the settle time.
    """
    found = await _once_shown(shop, new.uid)
    if found is None or not found.live or not _as_applied(found, new):
        raise NotAsCreated(
            f"the replacement {new.uid} is not there as it was created; its predecessor stays paused",
            remedy="the next pass looks again, and goes back to the predecessor if the replacement is gone",
        )


async def _once_shown(shop: Workshop, uid: str) -> RemoteSchedule | None:
    """What was just made, as soon as the API shows it; None when it still does not after the settle time."""
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + shop.settle.total_seconds(), FIRST_PAUSE
    while True:
        began = loop.time()
        found = await shop.api.schedule(uid)
        # An answer that took long shows what was there before, so the last look is one that begins after that time.
        if found is not None or shop.stopping() or began >= until:
            return found
        await asyncio.sleep(min(pause, max(until - loop.time(), 0.0)))
        pause *= 2


def _as_applied(found: RemoteSchedule, owned: Ownership) -> bool:
    return same_cron(found.cron, owned.cron) and (owned.cron is None or same_timezone(found.timezone, owned.timezone))
