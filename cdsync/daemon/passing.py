"""One pass as the daemon makes it: no question, no limit lifted, and an end that is always a record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from cdsync.api import Api
from cdsync.assembly import Surroundings, references_of
from cdsync.core.actions import Violation
from cdsync.core.events import Event, Failed, Started
from cdsync.daemon.feed import Delivery
from cdsync.daemon.link import Link
from cdsync.daemon.standing import PassRecord, Result, rows_of
from cdsync.daemon.triggers import Cause
from cdsync.errors import CdsyncError, GuardRefused
from cdsync.logs import logger
from cdsync.reconciler import Applied, Pass, Planned, apply_pass
from cdsync.store import Store


@dataclass(slots=True, kw_only=True)
class Passing:
    """A pass under way. `acting` is how many actions have begun and not ended."""

    number: int
    causes: tuple[Cause, ...]
    delivery: Delivery
    around: Surroundings
    store: Store
    link: Link
    on_event: Callable[[Event], None]
    stopping: Callable[[], bool]
    acting: int = 0
    api: Api | None = field(default=None, init=False)
    planned: Planned | None = field(default=None, init=False)
    events: list[Event] = field(default_factory=list, init=False)

    async def run(self) -> PassRecord:
        """Make the pass; whatever it ends with is in the record, but for the end of the process."""
        clock = asyncio.get_running_loop().time
        began, begun = self.around.now(), clock()
        applied: Applied | None = None
        error: CdsyncError | None = None
        try:
            applied = await self._apply()
        except CdsyncError as problem:
            error = problem
        except asyncio.CancelledError:
            if not self.stopping():
                raise
        except Exception as problem:
            logger().exception("pass.crashed", number=self.number)
            error = CdsyncError(
                f"unexpected {type(problem).__name__}: {problem}",
                remedy="report it with the log; the next pass tries again",
            )
        return self._record(began, clock() - begun, applied, error)

    def _record(
        self, began: datetime, seconds: float, applied: Applied | None, error: CdsyncError | None
    ) -> PassRecord:
        failed = sum(1 for event in self.events if isinstance(event, Failed) and event.tried)
        seen = (applied.seen if applied else None) or self.planned
        return PassRecord(
            number=self.number,
            causes=self.causes,
            began=began,
            seconds=seconds,
            result=self._result(applied, error, failed=failed),
            revision=self.delivery.revision,
            failed=failed,
            seen=seen,
            rows=rows_of(seen, self.api.server_now()) if seen and self.api else (),
            applied=applied,
            error=error,
        )

    def _result(self, applied: Applied | None, error: CdsyncError | None, *, failed: int) -> Result:
        if isinstance(error, GuardRefused):
            return Result.REFUSED
        if error is not None:
            return Result.FAILED
        if applied is None or self.stopping():
            return Result.STOPPED
        if failed or not applied.complete:
            return Result.PARTIAL
        return Result.APPLIED if applied.done else Result.UNCHANGED

    async def _apply(self) -> Applied | None:
        settings = self.delivery.configuration.settings
        self.api = await self.link.api(settings)
        work = Pass(
            settings=settings,
            desired=self.delivery.configuration.desired,
            references=references_of(settings, self.around),
            api=self.api,
            store=self.store,
            policy=replace(settings.policy, allow_lookalikes=False),
            revision=self.delivery.revision,
            stopping=self.stopping,
        )
        return await apply_pass(
            work,
            review=self._review,
            approve=lambda _: True,
            lifted=_nothing_is_lifted,
            on_event=self._note,
            patient=False,
        )

    def _review(self, planned: Planned) -> None:
        self.planned = planned

    def _note(self, event: Event) -> None:
        if isinstance(event, Started):
            self.acting += 1
        elif not isinstance(event, Failed) or event.tried:
            self.acting -= 1
        self.events.append(event)
        self.on_event(event)


def _nothing_is_lifted(_violation: Violation) -> bool:
    """Only a person lifts a limit."""
    return False
