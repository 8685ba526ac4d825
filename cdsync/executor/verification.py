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
    while (found := await shop.api.schedule(uid)) is None and not shop.stopping() and (left := until - loop.time()) > 0:
        await asyncio.sleep(min(pause, left))
        pause *= 2
    return found


def _as_applied(found: RemoteSchedule, owned: Ownership) -> bool:
    return same_cron(found.cron, owned.cron) and (owned.cron is None or same_timezone(found.timezone, owned.timezone))
