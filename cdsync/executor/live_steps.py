"""How a live run is carried out: launched by writing it down, then asked for input by input and page by page.

Before the first request of an input leaves, that is on disk; as soon as an answer has come, it is in the state, and
then in the file. So a crash costs at most one page again, and no input is paid for twice: when the answer to its first
request is lost, the live runs that the API lists are counted, and an input that was answered into the void is given up,
never repeated.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from cdsync.api.bodies import live_body
from cdsync.core.actions import Action
from cdsync.core.advice import NOTHING_FOUND, Help, advice_on
from cdsync.core.events import Progressed
from cdsync.core.fingerprint import synopsis_of
from cdsync.core.model import Kind, Ownership, RunError
from cdsync.core.progress import (
    BAD_NEXT_PAGE,
    CURSOR_EXPIRED,
    RESULTS_AHEAD,
    LiveProgress,
    asking,
    not_sent,
    nothing_found,
    page_answered,
    postponed,
    stopped_by,
    tried_again_later,
)
from cdsync.core.work import Json
from cdsync.errors import ApiError, BadAnswer, OutcomeUnknown, RateLimited, Rejected
from cdsync.executor.journaled import Workshop
from cdsync.executor.live_desk import Desk, declared_run, desk_for, progress_of
from cdsync.executor.live_doubt import count_anew, settle_question
from cdsync.results import ResultsAhead, results_path

TRIES = 3
"""How often an input is asked for again after a passing fault, and a page after a lost answer."""

BACK_OFF = timedelta(minutes=1)
"""The pause after the first passing fault; it doubles with each further one."""

LIMIT_PAUSE = timedelta(minutes=15)
"""How long to wait for a limit when the API does not say."""


async def launch_live(shop: Workshop, action: Action) -> str:
    """Write down that a live run is launched; nothing is sent yet."""
    run = declared_run(shop, action)
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
    try:
        with desk_for(shop, action) as desk:
            await _work_at(desk)
    except ResultsAhead as ahead:
        stopped = replace(progress_of(shop, action), halted=RESULTS_AHEAD)
        entry = shop.entry(action, "stopped", uid=None, detail=f"by {RESULTS_AHEAD}: {ahead}")
        shop.store.save_live(action.address, stopped, entry=entry)
    return str(results_path(shop.results, action.address.name))


async def _work_at(desk: Desk) -> None:
    desk.put_down()
    await settle_question(desk)
    while desk.open and desk.goes_on():
        if not await _wait_as_told(desk):
            break
        if desk.miscounted and desk.progress.cursor is None:
            await count_anew(desk)
        await _ask(desk)
        if desk.progress.asked_at is not None:
            await settle_question(desk)
        desk.shop.tell(Progressed(desk.action, desk.progress.over, desk.progress.total))
    if desk.progress.finished:
        desk.shop.store.add_history(desk.shop.entry(desk.action, "done", uid=None, detail=desk.progress.words))


async def _wait_as_told(desk: Desk) -> bool:
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


async def _ask(desk: Desk) -> None:
    """Ask for one page, and write down what came of it."""
    page = desk.progress.cursor
    row = desk.work.inputs[desk.progress.over]
    if page is None:
        desk.keep(asking(desk.progress, desk.shop.now()))
    else:
        desk.followed.add(page)
    try:
        answer = await desk.shop.api.live(desk.work.action, lambda: live_body(desk.work, row), page=page)
    except OutcomeUnknown as error:
        if page is None:
            desk.keep(replace(desk.progress, lost_at=desk.shop.now() if error.over else None))
        else:
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


def _read(desk: Desk, rows: tuple[Json, ...], *, next_page: str | None) -> None:
    again = next_page in desk.followed
    held = page_answered(desk.progress, rows, cursor=next_page, now=desk.shop.now())
    desk.keep(held)
    desk.put_down()
    if again:
        desk.give_up(BAD_NEXT_PAGE, "the API named a page as the next one that was read before")


def _refused(desk: Desk, error: ApiError) -> None:
    """The API has said no, so nothing was paid for: wait, go on with the next input, or stop for a person."""
    desk.miscounted = True
    label = error.label or ("STATUS_429" if isinstance(error, RateLimited) else f"HTTP_{error.status}")
    advice = advice_on(RunError(label=label, message=None))
    now = desk.shop.now()
    if advice.help is Help.WAIT:
        desk.keep(postponed(desk.progress, error.postponed_until or now + LIMIT_PAUSE))
    elif label in NOTHING_FOUND:
        desk.begin_input()
        desk.keep(nothing_found(desk.progress))
    elif advice.account or error.status == 402:
        desk.keep(stopped_by(desk.progress, label))
    elif advice.help is Help.RESUME:
        _later_or_never(desk, error)
    elif desk.progress.cursor is not None and error.status == 400:
        desk.give_up(CURSOR_EXPIRED, str(error))
    else:
        desk.give_up(label, str(error))


def _later_or_never(desk: Desk, error: ApiError) -> None:
    tries = desk.progress.tries
    if tries >= TRIES:
        desk.give_up(error.label or ("PAGE_LOST" if isinstance(error, OutcomeUnknown) else "FAILED"), str(error))
    else:
        until = error.postponed_until or desk.shop.now() + BACK_OFF * 2**tries
        desk.keep(tried_again_later(desk.progress, until))
