"""What became of a live request whose answer was lost: found out by counting what the API lists, not by asking."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from cdsync.core.events import Progressed
from cdsync.core.match import contains
from cdsync.core.progress import ANSWER_LOST, LIVE, LiveProgress, not_sent
from cdsync.executor.live_desk import Desk

UNSURE = timedelta(minutes=10)
"""How far the clock that dates live runs may be behind the one that the API tells."""


async def settle_question(desk: Desk) -> None:
    """Find out what became of a first request whose answer was lost; then count what is there before the next."""
    progress = desk.progress
    if progress.asked_at is not None:
        since = progress.counted_from or progress.asked_at - UNSURE
        while (took := await _looked_in_vain(desk, since)) is not None:
            progress = _missed(progress, desk)
            wait = _until_ruled_out(progress, desk)
            if wait <= -took:
                return desk.keep(not_sent(progress))
            desk.keep(progress)
            if desk.shop.patience < wait:
                return None
            # The server's clock is known to the second only.
            pause = max(wait.total_seconds(), 0.0) + 1
            note = f"looks again in {pause:.0f} s whether its last request was answered"
            desk.shop.tell(Progressed(desk.action, progress.over, progress.total, note))
            await asyncio.sleep(pause)
        desk.give_up(ANSWER_LOST, f"asked for at {progress.asked_at:%Y-%m-%d %H:%M:%S} UTC, and the answer was lost")
    return await count_anew(desk)


async def _looked_in_vain(desk: Desk, since: datetime) -> timedelta | None:
    """How long a look took that does not show the request; None when one shows it.

    What appeared while it was under way may not be in it.
    """
    watch = desk.shop.api.stopwatch()
    count = await _count(desk, since)
    return watch() if count <= desk.progress.baseline + desk.progress.answered else None


def _missed(progress: LiveProgress, desk: Desk) -> LiveProgress:
    """Note when a look first found nothing. One that lies ahead was noted by a clock that has gone back since."""
    now, here = desk.shop.now(), desk.shop.api.local_now()
    before, before_here = progress.missed_at, progress.missed_here
    if before is None or before_here is None or before > now or before_here > here:
        return replace(progress, missed_at=now, missed_here=here)
    return progress


def _until_ruled_out(progress: LiveProgress, desk: Desk) -> timedelta:
    """How long until a look may begin that rules out what it does not show: both clocks must say that it had time."""
    if progress.missed_at is None or progress.missed_here is None:
        raise ValueError(f"{desk.action.address} has no request that was looked for")
    # Whose end nobody saw may have left right before its sender died, or waited long for its turn.
    whole = desk.shop.settle if progress.lost_at is not None else desk.shop.live_timeout + desk.shop.settle
    now, here = desk.shop.now(), desk.shop.api.local_now()
    return whole - min(now - progress.missed_at, here - progress.missed_here)


async def count_anew(desk: Desk) -> None:
    """Count what is there before the next request."""
    since = desk.shop.now() - UNSURE
    baseline = await _count(desk, since)
    desk.keep(replace(desk.progress, counted_from=since, baseline=baseline, answered=0))
    desk.miscounted = False


async def _count(desk: Desk, since: datetime) -> int:
    """How many live runs of this action and these parameters the API lists since then."""
    runs = await desk.shop.api.runs(actions=[desk.work.action], since=since)
    return sum(
        1
        for run in runs.values()
        if run.mode in {LIVE, None}
        and (run.created_at is None or run.created_at >= since)
        and (run.parameters is None or contains(run.parameters, desk.work.parameters))
    )
