"""What became of a live request whose answer was lost: found out by counting what the API lists, not by asking."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from cdsync.core.events import Progressed
from cdsync.core.match import contains
from cdsync.core.progress import ANSWER_LOST, LIVE, not_sent
from cdsync.executor.live_desk import Desk

UNSURE = timedelta(minutes=10)
"""How far the clock that dates live runs may be behind the one that the API tells."""


async def settle_question(desk: Desk) -> None:
    """Find out what became of a first request whose answer was lost; then count what is there before the next."""
    progress = desk.progress
    if progress.asked_at is not None:
        since = progress.counted_from or progress.asked_at - UNSURE
        while await _count(desk, since) <= progress.baseline + progress.answered:
            if (wait := _doubtful_for(desk)) <= timedelta():
                return desk.keep(not_sent(progress))
            progress = replace(
                progress,
                missed_at=progress.missed_at or desk.shop.now(),
                missed_here=progress.missed_here or desk.shop.api.local_now(),
            )
            desk.keep(progress)
            if desk.shop.patience < wait:
                return None
            note = f"looks again in {wait.total_seconds():.0f} s whether its last request was answered"
            desk.shop.tell(Progressed(desk.action, progress.over, progress.total, note))
            # The server's clock is known to the second only.
            await asyncio.sleep(wait.total_seconds() + 1)
        desk.give_up(ANSWER_LOST, f"asked for at {progress.asked_at:%Y-%m-%d %H:%M:%S} UTC, and the answer was lost")
    return await count_anew(desk)


def _doubtful_for(desk: Desk) -> timedelta:
    """For how long a request that was not seen may still show up: both clocks must say that it had its time."""
    progress, settle = desk.progress, desk.shop.settle
    if progress.asked_at is None or progress.missed_at is None or progress.missed_here is None:
        return settle
    # Nobody saw the answer being lost, so the request may have been under way for as long as it is waited for.
    lost_at = progress.lost_at or progress.asked_at + desk.shop.live_timeout
    return max(
        progress.missed_at + settle - desk.shop.now(),
        progress.missed_here + settle - desk.shop.api.local_now(),
        lost_at + settle - desk.shop.now(),
    )


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
