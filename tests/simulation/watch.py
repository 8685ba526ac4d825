"""Looks at the account behind every request, and cries out the moment a promise is broken.

It sees what cdsync cannot: hidden fields, every firing, every object that ever was.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from cdsync.core.advice import Help, advice_on
from cdsync.core.model import RunError
from cdsync.simulator import Account
from cdsync.simulator.account import Firing, Order, Run, Schedule
from cdsync.simulator.firing import advance
from tests.simulation.declared import ATTEMPTS, GRACE, Declared
from tests.simulation.ledger import BrokenPromise, Ledger

LIVE = {"ACTIVE", "PAUSED"}
LEAD = timedelta(seconds=11)
"""The first firing after a creation lies at least so far ahead, so a tick that is nearer may be left out."""

Shape = tuple[str, Order, str | None, str]


def key_of(order: Order) -> str:
    """Whose object it is; a stranger's has no key."""
    return str(order.inputs[0].get("key", ""))


def part_of(key: str, number: int) -> str:
    """One input of a live run, which is paid for by itself."""
    return f"{key}, input {number}"


@dataclass
class Watch:
    """What is known of the account since the last look."""

    account: Account
    ledger: Ledger
    looked_at: datetime
    shapes: dict[str, Shape] = field(default_factory=dict)
    fired: dict[str, set[datetime]] = field(default_factory=dict)
    launched: Counter[str] = field(default_factory=Counter)
    resumed: Counter[str] = field(default_factory=Counter)
    runs_seen: set[str] = field(default_factory=set)
    firings_seen: int = 0
    since_call: int = 0
    broken: BrokenPromise | None = None

    def look(self, now: datetime) -> None:
        """See what has changed, and hold it against the promises.

        Raises:
            BrokenPromise: one is broken.
        """
        moment = now.replace(microsecond=now.microsecond // 1000 * 1000)
        advance(self.account, moment)
        self._see_firings()
        self._see_launches()
        changed = [row for row in self.account.schedules.rows.values() if self.shapes.get(row.uid) != _shape(row)]
        self._miss_ticks(moment, changed)
        for row in changed:
            self._see_change(row, self.shapes.get(row.uid), moment)
        self._see_twins()
        self.looked_at = moment

    def _broken(self, promise: str, what: str) -> BrokenPromise:
        """Keep the first promise that was broken, lest anybody on its way up takes it for a failure."""
        self.broken = self.broken or BrokenPromise(promise, what)
        return self.broken

    def accept(self) -> None:
        """Take everything as it is: a person has just done it."""
        for row in self.account.schedules.rows.values():
            self.shapes[row.uid] = _shape(row)
        self.runs_seen.update(self.account.runs.rows)

    def rows_of(self, key: str, *statuses: str) -> list[Schedule]:
        """The schedules that were made for a resource."""
        return [
            row
            for row in self.account.schedules.rows.values()
            if not row.foreign and key_of(row.order) == key and (not statuses or row.status in statuses)
        ]

    def check_claim(self, key: str, declared: Declared | None) -> None:
        """Hold what cdsync says it has done for a resource against what is on the account, hidden fields included.

        Raises:
            BrokenPromise: it is not so.
        """
        live = [row for row in self.rows_of(key) if row.status in LIVE]
        if declared is not None and declared.live:
            return  # what it brought is in its files
        if declared is not None and declared.kind == "run":
            count = self.launched[key] + len(live)
            if count != 1:
                raise self._broken("nothing is lost", f"{key} was launched {count} times: {live}")
            return
        found = [(row.status, row.order.action_name, row.cron, row.timezone, list(row.order.inputs)) for row in live]
        wanted: list[tuple[object, ...]] = []
        if declared is not None and declared.state != "absent":
            wanted = [(declared.state.upper(), declared.action, declared.cron, declared.timezone, declared.inputs)]
        if declared is None:
            found = [row for row in found if row[0] == "ACTIVE"]
        if found != wanted:
            raise self._broken("nothing is lost, nothing is left over", f"{key} is {found}, should be {wanted}")

    def _see_firings(self) -> None:
        for firing in self.account.firings[self.firings_seen :]:
            row = self.account.schedules.rows.get(firing.schedule_uid)
            if row is not None and not row.foreign:
                self._see_firing(firing, row, key_of(row.order))
        self.firings_seen = len(self.account.firings)

    def _see_firing(self, firing: Firing, row: Schedule, key: str) -> None:
        if row.cron is None:
            self._count_launch(key, f"the one-time schedule {row.uid} fired")
            return
        if firing.at in self.fired.setdefault(key, set()):
            raise self._broken("no double firing", f"{key} fired twice at {firing.at}, the second time by {row.uid}")
        if not self.ledger.thread(key).may_tick_at(firing.at, created_at=row.created_at):
            raise self._broken("no firing but the declared ones", f"{key} fired at {firing.at} by {row.uid}")
        self.fired[key].add(firing.at)

    def _see_launches(self) -> None:
        for uid in reversed(self.account.runs.rows):
            if uid in self.runs_seen:
                break
            self.runs_seen.add(uid)
            run = self.account.runs.rows[uid]
            if run.scheduled_run_uid is None:
                key = key_of(run.order)
                live = run.execution_mode == "LIVE"
                whose = part_of(key, run.order.inputs[0].get("n", -1)) if live and key else key
                self._count_launch(whose, f"{uid} was launched")

    def _count_launch(self, key: str, what: str) -> None:
        self.launched[key] += 1
        if self.launched[key] > 1:
            raise self._broken("a one-off is launched once", f"{key} {self.launched[key]} times: {what}")

    def _miss_ticks(self, now: datetime, changed: list[Schedule]) -> None:
        since = {key_of(row.order): row.updated_at for row in reversed(changed)}
        for key, thread in self.ledger.threads.items():
            version = thread.must_tick()
            if version is None or thread.settled_at is None:
                continue
            start = max(self.looked_at, thread.settled_at + LEAD)
            until = min(now, since.get(key, now))
            missed = [tick for tick in version.ticks(after=start, until=until) if tick not in self.fired.get(key, ())]
            if missed:
                raise self._broken("no tick is missed", f"{key} did not fire at {missed[0]}")

    def _see_change(self, row: Schedule, before: Shape | None, now: datetime) -> None:
        self.shapes[row.uid] = _shape(row)
        if row.cron is None and row.status == "COMPLETED":
            return
        if row.foreign:
            if before is not None:
                raise self._broken("nothing unowned is touched", f"{row.uid} was {before}, is {_shape(row)}")
            return
        key = key_of(row.order)
        thread = self.ledger.thread(key)
        if row.status == "CANCELLED":
            self._see_removal(row, key, now)
        elif not thread.disturbed:
            raise self._broken("what is as declared is left alone", f"{key}: {row.uid} was {before}, is {_shape(row)}")
        thread.touched = True

    def _see_removal(self, row: Schedule, key: str, now: datetime) -> None:
        declared, thread = self.ledger.declared.get(key), self.ledger.thread(key)
        launched = row.cron is None and self.launched[key] > 0
        replaced = launched or any(other.status in LIVE for other in self.rows_of(key) if other is not row)
        absent = declared is not None and declared.state == "absent"
        graced = thread.undeclared_at is not None and now - thread.undeclared_at >= GRACE
        if not (replaced or absent or graced):
            raise self._broken("removal is slow", f"{key}: {row.uid} was cancelled at {now}, nothing stands in for it")

    def _see_twins(self) -> None:
        active = Counter(
            key_of(row.order)
            for row in self.account.schedules.rows.values()
            if row.status == "ACTIVE" and not row.foreign
        )
        for key, count in active.items():
            if count > 1 and not self.ledger.thread(key).resumed_by_hand:
                uids = [row.uid for row in self.rows_of(key, "ACTIVE")]
                raise self._broken("no duplicate", f"{key} has {count} active schedules: {uids}")

    def sent(self, request: httpx.Request) -> None:
        """A request is about to leave.

        Raises:
            BrokenPromise: it resumes a run that it must not, or once too often.
        """
        for run in self._resumes(request):
            if not self._is_ours(run):
                raise self._broken("nothing unowned is touched", f"run {run.uid} is not ours, and is resumed")
            error = run.last_error or {}
            advice = advice_on(RunError(label=error.get("label"), message=None) if error else None)
            if run.status in {"STOPPED", "BLOCKED"} and advice.help is not Help.RESUME and not self._misled():
                raise self._broken("resuming is bounded", f"run {run.uid} with {error} cannot be helped by a resume")

    def _misled(self) -> bool:
        """Whether this process was shown how things were, so that nobody can blame it."""
        return any(call.fault == "stale_listing" for call in self.account.calls[self.since_call :])

    def answered(self, request: httpx.Request, response: httpx.Response | None) -> None:
        """A request has left, and was answered or not.

        Raises:
            BrokenPromise: a run was resumed once too often.
        """
        if response is not None and response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return
        for run in self._resumes(request):
            self.resumed[run.uid] += 1
            if self.resumed[run.uid] > ATTEMPTS:
                raise self._broken("resuming is bounded", f"run {run.uid} was resumed {self.resumed[run.uid]} times")

    def _resumes(self, request: httpx.Request) -> Iterator[Run]:
        found = re.search(r"/runs/([^/]+)/resume$", request.url.path)
        uid = found[1] if found else None
        if request.url.path.endswith("/runs/manage"):
            uid = json.loads(request.content)["uid"]
        if uid is not None and uid in self.account.runs.rows:
            yield self.account.runs.rows[uid]

    def _is_ours(self, run: Run) -> bool:
        schedule = self.account.schedules.rows.get(run.scheduled_run_uid or "")
        return key_of(run.order) != "" and (schedule is None or not schedule.foreign)


def _shape(row: Schedule) -> Shape:
    return row.status, row.order, row.cron, row.timezone
