"""One pass as the daemon makes it: no question, no limit lifted, and an end that is always a record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from cdsync.api import Api
from cdsync.assembly import Surroundings, references_of
from cdsync.core.actions import Violation
from cdsync.core.events import Event, Failed, Progressed, Started, Succeeded, Unresolved
from cdsync.core.model import Address
from cdsync.core.setbacks import Setback
from cdsync.core.status import StatusRow
from cdsync.daemon.declared import REPORT
from cdsync.daemon.feed import Delivery
from cdsync.daemon.link import Link
from cdsync.daemon.standing import PassRecord, Result, Rows, rows_of
from cdsync.daemon.triggers import Cause
from cdsync.errors import CdsyncError, GuardRefused, StoreError
from cdsync.logs import logger
from cdsync.reconciler import Applied, Pass, Planned, apply_pass
from cdsync.seals import Seals
from cdsync.store import Store


@dataclass(slots=True, kw_only=True)
class Passing:
    """A pass under way, and what it has met with so far."""

    number: int
    causes: tuple[Cause, ...]
    delivery: Delivery
    around: Surroundings
    store: Store
    link: Link
    setbacks: Mapping[tuple[Address, str], Setback]
    seals: Seals
    on_event: Callable[[Event], None]
    stopping: Callable[[], bool]
    events: list[Event] = field(default_factory=list, init=False)
    _acting: int = field(default=0, init=False)
    _api: Api | None = field(default=None, init=False)
    _found: Planned | None = field(default=None, init=False)
    _work: asyncio.Task[Applied | None] | None = field(default=None, init=False)

    async def run(self) -> PassRecord:
        """Make the pass; whatever it ends with is in the record."""
        clock = asyncio.get_running_loop().time
        began, begun = self.around.now(), clock()
        applied: Applied | None = None
        error: CdsyncError | None = None
        self._work = asyncio.create_task(self._apply(), name=f"pass {self.number}")
        try:
            applied = await self._work
        except CdsyncError as problem:
            error = problem
        except asyncio.CancelledError:
            if not self.stopping():
                raise
        except Exception as problem:
            logger().exception("pass.crashed", number=self.number)
            error = CdsyncError(f"unexpected {type(problem).__name__}: {problem}", remedy=REPORT)
        # What could not be written down is a matter of the whole daemon, whichever action met it.
        error = error or next(filter(None, map(_broken_state, self.events)), None)
        seen = (applied.seen if applied else None) or self._found
        return PassRecord(
            number=self.number,
            causes=self.causes,
            began=began,
            server_now=self.server_now(),
            seconds=clock() - begun,
            result=self._result(applied, error),
            revision=self.delivery.revision,
            events=tuple(self.events),
            found=self._found,
            seen=seen,
            rows=self._rows(seen) if seen else (),
            applied=applied,
            error=error,
        )

    def _rows(self, seen: Planned) -> Rows:
        now, number = self.server_now(), self.number

        def rows() -> tuple[StatusRow, ...]:
            try:
                return rows_of(seen, now)
            except Exception:
                # To show how things stand is no reason to end.
                logger().exception("pass.crashed", number=number)
                return ()

        return Rows(rows)

    def only_looks(self) -> bool:
        """Whether nothing is lost when it does not come to its end: nothing is under way, and no outcome unknown."""
        try:
            return not self._acting and not self.store.pending()
        except StoreError:
            return not self._acting

    def give_up(self) -> None:
        """Let it go no further, wherever it is."""
        if self._work is not None:
            self._work.cancel()

    def server_now(self) -> datetime:
        """The present moment on the server's clock, or on ours before it has answered."""
        return self._api.server_now() if self._api else self.around.now()

    def _result(self, applied: Applied | None, error: CdsyncError | None) -> Result:
        if isinstance(error, GuardRefused):
            return Result.REFUSED
        if error is not None:
            return Result.FAILED
        if applied is None or self.stopping():
            return Result.STOPPED
        if not applied.complete:
            return Result.PARTIAL
        return Result.APPLIED if applied.done else Result.UNCHANGED

    async def _apply(self) -> Applied | None:
        settings = self.delivery.configuration.settings
        self.store.require_in_place()
        self._api = await self.link.api(settings)
        work = Pass(
            settings=settings,
            desired=self.delivery.configuration.desired,
            references=references_of(settings, self.around),
            api=self._api,
            store=self.store,
            policy=replace(settings.policy, allow_lookalikes=False),
            revision=self.delivery.revision,
            stopping=self.stopping,
            setbacks=self.setbacks,
            seals=self.seals,
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
        self._found = planned

    def _note(self, event: Event) -> None:
        match event:
            case Started():
                self._acting += 1
            case Succeeded() | Unresolved() | Failed(tried=True):
                self._acting -= 1
            case _:
                pass
        if not isinstance(event, Progressed):
            self.events.append(event)
        self.on_event(event)


def _broken_state(event: Event) -> StoreError | None:
    return event.error if isinstance(event, Failed) and isinstance(event.error, StoreError) else None


def _nothing_is_lifted(_violation: Violation) -> bool:
    """Only a person lifts a limit."""
    return False
