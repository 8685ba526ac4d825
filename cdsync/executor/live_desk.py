"""One live run while it is worked on: what the state has of it, and its two files, kept in step.

Whatever an answer holds is in the state before it is added to a file, so that a crash in between loses and doubles
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from cdsync.core.actions import Action
from cdsync.core.model import OneOffRun
from cdsync.core.progress import LiveProgress, input_failed, page_kept
from cdsync.core.work import Json, Work
from cdsync.executor.journaled import Workshop
from cdsync.results import Lines, failed_path, open_lines, results_path


@dataclass(slots=True, kw_only=True)
class Desk:
    """All that is at hand while one live run is worked on; `progress` is what the store has of it.

    `followed` are the pages of the present input that were asked for, `miscounted` says that the API may list requests
    which it has refused.
    """

    shop: Workshop
    action: Action
    work: Work
    rows: Lines
    failures: Lines
    progress: LiveProgress
    until: float | None
    followed: set[str] = field(default_factory=set)
    miscounted: bool = False

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
        row: Json = {"index": self.progress.over + 1, "input": self.present(), "label": label, "message": message}
        self.keep(replace(self.progress, held_failure=row))
        self.put_down_failure(label)

    def put_down(self) -> None:
        """Put what the state holds of an answer where it belongs, as far as a crash has left that undone."""
        if isinstance(self.progress.held_failure, Mapping):
            self.put_down_failure(str(self.progress.held_failure["label"]))
        if self.progress.held is None:
            return
        added, length = self.rows.append(self.progress.held, once=True)
        last = self.progress.held_next is None
        self.keep(page_kept(self.progress, rows=added, length=length))
        if last:
            self.begin_input()

    def put_down_failure(self, label: str) -> None:
        """Add the line that is held about a failed input to its file."""
        _, length = self.failures.append((self.progress.held_failure,), once=False)
        self.begin_input()
        self.keep(input_failed(self.progress, label=label, failed_length=length))

    def begin_input(self) -> None:
        """Forget what only concerns one input."""
        self.rows.forget_seen()
        self.followed.clear()


def progress_of(shop: Workshop, action: Action) -> LiveProgress:
    progress = shop.store.live(action.address)
    if progress is None:
        raise ValueError(f"{action.address} was not launched, but the plan would fetch it")
    return progress


@contextmanager
def desk_for(shop: Workshop, action: Action) -> Iterator[Desk]:
    name = action.address.name
    progress = progress_of(shop, action)
    until = None if shop.slice is None else asyncio.get_running_loop().time() + shop.slice.total_seconds()
    with (
        open_lines(
            results_path(shop.results, name),
            length=progress.length,
            since=progress.input_from,
            adding=progress.held or (),
            once=True,
        ) as rows,
        open_lines(
            failed_path(shop.results, name),
            length=progress.failed_length,
            adding=(progress.held_failure,) if progress.held_failure is not None else (),
        ) as bad,
    ):
        yield Desk(
            shop=shop,
            action=action,
            work=declared_run(shop, action).work,
            rows=rows,
            failures=bad,
            progress=progress,
            until=until,
        )


def declared_run(shop: Workshop, action: Action) -> OneOffRun:
    run = shop.desired.resources[action.address]
    if not isinstance(run, OneOffRun):
        raise TypeError(f"{action.address} is no one-off")
    return run
