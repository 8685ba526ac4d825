"""How far a live run has come: what the store remembers of it after each page. Values in, values out.

A live run asks once for each of its inputs and follows the pages of the answer. The first request of an input is what
is paid for, so it is written down before it leaves; what an answer holds is written down before anything else is done
with it. A page that is followed may be asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from cdsync.core.work import Json

LIVE = "LIVE"
"""The execution mode of a run that was answered at once (API contract section 2.5)."""

ANSWER_LOST = "ANSWER_LOST"
CURSOR_EXPIRED = "CURSOR_EXPIRED"
BAD_NEXT_PAGE = "BAD_NEXT_PAGE"
"""What cdsync itself says of an input: that it was paid for and its answer lost; that its next page is out of reach, or
is none."""

RESULTS_AHEAD = "RESULTS_AHEAD"
"""What stops a run whose files hold more than the state knows of: then it is the state that is not up to date."""

SAME_FAILURES = 5
"""So many inputs in a row that fail alike stop a run: then it is not the inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveProgress:
    """How far a live run has come. All times are the server's, in UTC.

    `done`, `empty` and `failed` count inputs that are over: with rows, without, and refused; the next one is that after
    them. `cursor` is where the next page of the present input is, as the API gave it. `asked_at` is when its first
    request was to leave, as long as nobody knows what became of it, `lost_at` when it was over without an answer, if
    that was seen, and `missed_at` when looking for it first found nothing (`missed_here` on this machine's clock).
    `held` are the rows of a page that was answered and is not known to be in the file yet, `held_next` is where the
    next one is; `held_failure` is likewise the line about an input that failed.
    `tries` counts passing faults of the present input, `alike` the inputs in a row that failed with `label`.
    `halted` is the label for which a person is needed, `wait_until` when the API may be asked again.

    `begun_at` and `active_at` are when it was launched and last asked. Of the live runs of its action since
    `counted_from`, `baseline` were there before this process asked, and `answered` of its own have been answered.
    `length` and `failed_length` are the bytes of the two result files that belong to what is over or under way, and
    `input_from` is where the `input_rows` rows of the present input begin.
    """

    action: str
    total: int
    begun_at: datetime
    active_at: datetime
    done: int = 0
    empty: int = 0
    failed: int = 0
    rows: int = 0
    cursor: str | None = None
    asked_at: datetime | None = None
    lost_at: datetime | None = None
    missed_at: datetime | None = None
    missed_here: datetime | None = None
    held: tuple[Json, ...] | None = None
    held_next: str | None = None
    held_failure: Json = None
    tries: int = 0
    alike: int = 0
    label: str | None = None
    halted: str | None = None
    wait_until: datetime | None = None
    counted_from: datetime | None = None
    baseline: int = 0
    answered: int = 0
    length: int = 0
    failed_length: int = 0
    input_from: int = 0
    input_rows: int = 0

    @property
    def over(self) -> int:
        """How many inputs nothing more is asked for; also the index of the present one."""
        return self.done + self.empty + self.failed

    @property
    def finished(self) -> bool:
        """Whether every input is over."""
        return self.over >= self.total

    @property
    def words(self) -> str:
        """The state in a few words."""
        outcomes = f"{self.done} with rows, {self.empty} empty, {self.failed} failed"
        inputs, rows = "input" if self.total == 1 else "inputs", "row" if self.rows == 1 else "rows"
        return f"{self.over} of {self.total} {inputs} over ({outcomes}), {self.rows} {rows}"


def asking(progress: LiveProgress, now: datetime) -> LiveProgress:
    """The first request of the present input is about to leave."""
    return replace(not_sent(progress), asked_at=now, wait_until=None, active_at=now)


def not_sent(progress: LiveProgress) -> LiveProgress:
    """The first request of the present input had no effect, so it may be sent."""
    return replace(progress, asked_at=None, lost_at=None, missed_at=None, missed_here=None)


def page_answered(progress: LiveProgress, rows: tuple[Json, ...], *, cursor: str | None, now: datetime) -> LiveProgress:
    """A page of the present input has come, and is about to be put into the file."""
    first = progress.cursor is None
    return replace(
        not_sent(progress),
        held=rows,
        held_next=cursor,
        answered=progress.answered + (1 if first else 0),
        active_at=now,
        tries=0,
        alike=0,
        label=None,
    )


def page_kept(progress: LiveProgress, *, rows: int, length: int) -> LiveProgress:
    """The rows of the page are in the file, so many that were new; if no other follows, it was the input's last."""
    read = replace(
        progress,
        held=None,
        held_next=None,
        rows=progress.rows + rows,
        input_rows=progress.input_rows + rows,
        length=length,
        cursor=progress.held_next,
    )
    if read.cursor is not None:
        return read
    found = 1 if read.input_rows else 0
    return replace(read, done=read.done + found, empty=read.empty + 1 - found, input_from=length, input_rows=0)


def nothing_found(progress: LiveProgress) -> LiveProgress:
    """The API says that there is nothing for the present input."""
    return replace(_over(progress), empty=progress.empty + 1, alike=0, label=None)


def input_failed(progress: LiveProgress, *, label: str, failed_length: int) -> LiveProgress:
    """The present input is given up, and that is on disk; many alike stop the run."""
    alike = progress.alike + 1 if label == progress.label else 1
    return replace(
        _over(progress),
        held_failure=None,
        failed=progress.failed + 1,
        failed_length=failed_length,
        alike=alike,
        label=label,
        halted=label if alike >= SAME_FAILURES else None,
    )


def _over(progress: LiveProgress) -> LiveProgress:
    return replace(not_sent(progress), cursor=None, tries=0, input_from=progress.length, input_rows=0)


def stopped_by(progress: LiveProgress, label: str) -> LiveProgress:
    """The account, not the input, is why nothing more can be asked for."""
    return replace(not_sent(progress), halted=label)


def postponed(progress: LiveProgress, until: datetime) -> LiveProgress:
    """The API wants to be asked again later."""
    return replace(not_sent(progress), wait_until=until)


def tried_again_later(progress: LiveProgress, until: datetime) -> LiveProgress:
    """The present input met a passing fault."""
    return replace(postponed(progress, until), tries=progress.tries + 1)


def taken_up(progress: LiveProgress) -> LiveProgress:
    """A person says that it may go on, whatever stopped it."""
    return replace(progress, halted=None, wait_until=None, alike=0, label=None)
