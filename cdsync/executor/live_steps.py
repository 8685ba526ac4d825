"""How a live run is carried out: launched by writing it down, then asked for input by input and page by page.

Before the first request of an input leaves, that is on disk; before a page counts, its rows are. So a crash costs at
most one page again, and no input is paid for twice: when the answer to its first request is lost, the live runs that
the API lists are counted, and an input that was answered into the void is given up, never repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cdsync.api.bodies import live_body
from cdsync.core.actions import Action
from cdsync.core.advice import NOTHING_FOUND, Help, advice_on
from cdsync.core.context import SKEW
from cdsync.core.events import Progressed
from cdsync.core.fingerprint import synopsis_of
from cdsync.core.match import contains
from cdsync.core.model import Kind, OneOffRun, Ownership, RunError
from cdsync.core.progress import (
    ANSWER_LOST,
    BAD_NEXT_PAGE,
    CURSOR_EXPIRED,
    LIVE,
    LiveProgress,
    asking,
    input_failed,
    not_sent,
    nothing_found,
    page_read,
    postponed,
    stopped_by,
    tried_again_later,
)
from cdsync.core.work import Json, Work
from cdsync.errors import ApiError, BadAnswer, OutcomeUnknown, RateLimited, Rejected
from cdsync.executor.journaled import Workshop
from cdsync.results import Lines, failed_path, open_lines, results_path

TRIES = 3
"""How often an input is asked for again after a passing fault, and a page after a lost answer."""

BACK_OFF = timedelta(minutes=1)
"""The pause after the first passing fault; it doubles with each further one."""

LIMIT_PAUSE = timedelta(minutes=15)
"""How long to wait for a limit when the API does not say."""


async def launch_live(shop: Workshop, action: Action) -> str:
    """Write down that a live run is launched; nothing is sent yet."""
    run = _declared(shop, action)
    now = shop.now()
    owned = Ownership(
        address=action.address,
        uid=f"live:{action.address.name}:{now:%Y%m%dT%H%M%S%f}",
        object=Kind.RUN,
        action=run.work.action,
        fingerprints=shop.desired.fingerprints[action.address],
        synopsis=synopsis_of(run),
        created_at=now,
        protect=run.protect,
    )
    progress = LiveProgress(action=run.work.action, total=len(run.work.inputs), begun_at=now, active_at=now)
    shop.store.save_live(action.address, progress, owned=owned, entry=shop.entry(action, "done", uid=owned.uid))
    return owned.uid


async def fetch(shop: Workshop, action: Action) -> str:
    """Ask for the inputs that are left, until all are over, a person is needed, or the shop has no more time.

    Raises:
        ApiError: the API could not be reached, or refused the key; what was read is kept.
        ResultsUnwritable: the rows could not be put on disk; the page will be asked for again.
    """
    async with _desk_for(shop, action) as desk:
        await _settle_question(desk)
        while desk.open and desk.goes_on():
            if not await _wait_as_told(desk):
                break
            await _ask(desk)
            if desk.progress.asked_at is not None:
                await _settle_question(desk)
            shop.tell(Progressed(action, desk.progress.over, desk.progress.total))
        if desk.progress.finished:
            shop.store.add_history(shop.entry(action, "done", uid=None, detail=desk.progress.words))
    return str(results_path(shop.results, action.address.name))


@dataclass(slots=True, kw_only=True)
class _Desk:
    """All that is at hand while one live run is worked on; `progress` is what the store has of it."""

    shop: Workshop
    action: Action
    work: Work
    rows: Lines
    failures: Lines
    progress: LiveProgress
    until: float | None

    @property
    def open(self) -> bool:
        """Whether there is something to ask for that may be asked for."""
        return not (self.progress.finished or self.progress.halted or self.progress.asked_at)

    def goes_on(self) -> bool:
        """Whether there is time for another page."""
        return not self.shop.stopping() and (self.until is None or asyncio.get_running_loop().time() < self.until)

    def keep(self, progress: LiveProgress) -> None:
        """Put progress on disk, with a line of history when a person is needed from now on."""
        halts = progress.halted is not None and self.progress.halted is None
        entry = self.shop.entry(self.action, "stopped", uid=None, detail=f"by {progress.halted}") if halts else None
        self.shop.store.save_live(self.action.address, progress, entry=entry)
        self.progress = progress

    def present(self) -> Json:
        """The present input."""
        return self.work.inputs[self.progress.over]

    def give_up(self, label: str, message: str) -> None:
        """Write the present input to the failed ones, and go on with the next."""
        row = {"index": self.progress.over + 1, "input": self.present(), "label": label, "message": message}
        _, length = self.failures.append((row,), once=False)
        self.rows.forget_seen()
        self.keep(input_failed(self.progress, label=label, failed_length=length))


@asynccontextmanager
async def _desk_for(shop: Workshop, action: Action) -> AsyncIterator[_Desk]:
    name = action.address.name
    progress = shop.store.live(action.address)
    if progress is None:
        raise ValueError(f"{action.address} was not launched, but the plan would fetch it")
    until = None if shop.slice is None else asyncio.get_running_loop().time() + shop.slice.total_seconds()
    with (
        open_lines(results_path(shop.results, name), length=progress.length, since=progress.input_from) as rows,
        open_lines(failed_path(shop.results, name), length=progress.failed_length, since=progress.failed_length) as bad,
    ):
        yield _Desk(
            shop=shop,
            action=action,
            work=_declared(shop, action).work,
            rows=rows,
            failures=bad,
            progress=progress,
            until=until,
        )


def _declared(shop: Workshop, action: Action) -> OneOffRun:
    run = shop.desired.resources[action.address]
    if not isinstance(run, OneOffRun):
        raise TypeError(f"{action.address} is no one-off")
    return run


async def _settle_question(desk: _Desk) -> None:
    """Find out what became of a first request whose answer was lost; then count what is there before the next."""
    progress = desk.progress
    if progress.asked_at is not None:
        since = progress.counted_from or progress.asked_at - SKEW
        while await _count(desk, since) <= progress.baseline + progress.answered:
            now = desk.shop.now()
            if progress.missed_at is not None and now - progress.missed_at >= desk.shop.settle:
                return desk.keep(not_sent(progress))
            progress = replace(progress, missed_at=progress.missed_at or now)
            desk.keep(progress)
            if desk.shop.patience < desk.shop.settle:
                return None
            # The server's clock is known to the second only.
            await asyncio.sleep(desk.shop.settle.total_seconds() + 1)
        desk.give_up(ANSWER_LOST, f"asked for at {progress.asked_at:%Y-%m-%d %H:%M:%S} UTC, and the answer was lost")
    since = desk.shop.now() - SKEW
    baseline = await _count(desk, since)
    desk.keep(replace(desk.progress, counted_from=since, baseline=baseline, answered=0))
    return None


async def _count(desk: _Desk, since: datetime) -> int:
    """How many live runs of this action and these parameters the API lists since then."""
    runs = await desk.shop.api.runs(actions=[desk.work.action], since=since)
    return sum(
        1
        for run in runs.values()
        if run.mode in {LIVE, None}
        and (run.created_at is None or run.created_at >= since)
        and (run.parameters is None or contains(run.parameters, desk.work.parameters))
    )


async def _wait_as_told(desk: _Desk) -> bool:
    """Wait for what the API asked to wait for; gives whether the wait is over."""
    until = desk.progress.wait_until
    wait = (until - desk.shop.now()).total_seconds() if until is not None else 0.0
    if wait <= 0:
        return True
    if wait > desk.shop.patience.total_seconds():
        return False
    note = f"waits until {until:%H:%M:%S} UTC, as the API asks"
    desk.shop.tell(Progressed(desk.action, desk.progress.over, desk.progress.total, note))
    await asyncio.sleep(wait)
    return True


async def _ask(desk: _Desk) -> None:
    """Ask for one page, and write down what came of it."""
    page = desk.progress.cursor
    row = desk.work.inputs[desk.progress.over]
    if page is None:
        desk.keep(asking(desk.progress, desk.shop.now()))
    try:
        answer = await desk.shop.api.live(desk.work.action, lambda: live_body(desk.work, row), page=page)
    except OutcomeUnknown as error:
        if page is not None:
            # A page may be asked for again, but not without end.
            _later_or_never(desk, error)
    except BadAnswer as error:
        desk.give_up(BAD_NEXT_PAGE, str(error))
    except (RateLimited, Rejected) as error:
        _refused(desk, error)
    except ApiError:
        if page is None:
            desk.keep(not_sent(desk.progress))
        raise
    else:
        _read(desk, answer.rows, next_page=answer.next_page)


def _read(desk: _Desk, rows: tuple[Json, ...], *, next_page: str | None) -> None:
    if next_page is not None and next_page == desk.progress.cursor:
        return desk.give_up(BAD_NEXT_PAGE, "the API named the same page as the next one")
    added, length = desk.rows.append(rows, once=True)
    if next_page is None:
        desk.rows.forget_seen()
    return desk.keep(page_read(desk.progress, rows=added, length=length, cursor=next_page, now=desk.shop.now()))


def _refused(desk: _Desk, error: ApiError) -> None:
    """The API has said no, so nothing was paid for: wait, go on with the next input, or stop for a person."""
    label = error.label or ("STATUS_429" if isinstance(error, RateLimited) else f"HTTP_{error.status}")
    advice = advice_on(RunError(label=label, message=None))
    now = desk.shop.now()
    if advice.help is Help.WAIT:
        desk.keep(postponed(desk.progress, error.postponed_until or now + LIMIT_PAUSE))
    elif label in NOTHING_FOUND:
        desk.rows.forget_seen()
        desk.keep(nothing_found(desk.progress))
    elif advice.account or error.status == 402:
        desk.keep(stopped_by(desk.progress, label))
    elif advice.help is Help.RESUME:
        _later_or_never(desk, error)
    elif desk.progress.cursor is not None and error.status == 400:
        desk.give_up(CURSOR_EXPIRED, str(error))
    else:
        desk.give_up(label, str(error))


def _later_or_never(desk: _Desk, error: ApiError) -> None:
    tries = desk.progress.tries
    if tries >= TRIES:
        desk.give_up(error.label or ("PAGE_LOST" if isinstance(error, OutcomeUnknown) else "FAILED"), str(error))
    else:
        until = error.postponed_until or desk.shop.now() + BACK_OFF * 2**tries
        desk.keep(tried_again_later(desk.progress, until))
