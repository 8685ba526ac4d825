"""The people of a seeded world: who edits the declaration, and who tinkers with the account behind its back."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from cdsync.core.actions import Blocked, BlockedReason
from cdsync.core.context import work_key
from cdsync.core.match import LONGEST_WAY
from cdsync.simulator import runs as vendor_runs
from cdsync.simulator import schedules as vendor
from cdsync.simulator.account import Order, Run, Schedule
from cdsync.simulator.firing import next_tick, start_run
from cdsync.simulator.progress import settle
from cdsync.store import open_reader
from tests.simulation.declared import GRACE, Declared
from tests.simulation.ledger import BrokenPromise
from tests.simulation.watch import LIVE, key_of
from tests.simulation.world import World

ACTIONS = ("action-x", "action-y", "action-z")
CRONS = ("10 * * * *", "30 8 * * 1-5", "*/30 6-20 * * *", "15 2 * * *", "0 9 * * MON")
ZONES = ("UTC", "Europe/Paris", "America/New_York")
ERRORS = (None, None, "PROXY_ERROR", "NO_ACCESS", "SOMETHING_NEW")
ENOUGH = 8
CROWD = 110


class People:
    """Everybody but cdsync and the vendor."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._numbers = count(1)
        self._gone: dict[str, Declared] = {}
        self.crowded = False
        self._habits: tuple[tuple[int, Callable[[], None]], ...] = (
            (4, self._add_schedule),
            (6, self._change),
            (2, self._remove),
            (2, self._rename),
            (2, self._declare_again),
            (2, self._add_run),
            (4, self._tinker),
            (2, self._make_foreign),
            (2, self._stop_run),
        )

    def act(self) -> None:
        """Do one thing."""
        weights = [weight for weight, _ in self._habits]
        self._chance.choices([habit for _, habit in self._habits], weights=weights)[0]()

    def crowd(self) -> None:
        """Fill the account with what is none of our business, so that listings have pages."""
        self.crowded = True
        for _ in range(CROWD):
            self._foreign("foreign-action", "0 6 1 * *", "UTC")

    def answer(self) -> None:
        """Settle what cdsync asks, and what it asks after that: strangers' lookalikes go, what is ours is adopted."""
        for _ in range(3):
            ended = self._world.apply()
            left = ended.applied.left.blocked if ended.applied is not None else ()
            asked = {BlockedReason.LOOKALIKE, BlockedReason.UNRESOLVED_OUTCOME}
            for row in left:
                if row.reason in asked:
                    self._answer_about(row)

    def check_removed(self, *, now: datetime) -> None:
        """What was taken out of the declaration is off the account when the grace is long over."""
        for key, thread in self._world.ledger.threads.items():
            live = [row.uid for row in self._world.watch.rows_of(key) if row.status in LIVE]
            if live and thread.undeclared_at is not None and now - thread.undeclared_at > GRACE:
                raise BrokenPromise("what is removed goes in the end", f"{key} still has {live}")

    def _answer_about(self, blocked: Blocked) -> None:
        rows = [row for row in self._world.account.schedules.rows.values() if row.uid in blocked.message]
        if not rows:
            raise BrokenPromise("a question names what it is about", str(blocked))
        for row in rows:
            if row.foreign and row.status in LIVE:
                self._world.by_hand("", partial(vendor.cancel, self._world.account, row, self._world.now))
        if blocked.reason is BlockedReason.UNRESOLVED_OUTCOME:
            # The newest of ours is what the creation made, or, if it made nothing, what there was before it.
            ours = [row.uid for row in rows if not row.foreign and row.status in LIVE]
            self._world.say(blocked.address, ours[-1] if ours else None)

    def _add_schedule(self) -> None:
        if len(self._world.ledger.declared) >= ENOUGH:
            return
        number = next(self._numbers)
        self._world.declare(
            Declared(
                key=f"k{number}",
                name=f"s{number}",
                action=self._chance.choice(ACTIONS),
                cron=self._chance.choice(CRONS),
                timezone=self._chance.choice(ZONES),
                state=self._chance.choice(("active", "active", "active", "paused")),
            )
        )

    def _add_run(self) -> None:
        number = next(self._numbers)
        if self._chance.random() < 0.3:
            action, live = self._chance.choice(("action-run", "action-live")), self._chance.randint(1, 7)
            self._world.declare(Declared(key=f"k{number}", name=f"r{number}", kind="run", action=action, live=live))
            return
        later = timedelta(seconds=self._chance.randrange(120, 2 * 86_400))
        at = (self._world.now + later).replace(microsecond=0) if self._chance.random() < 0.6 else None
        run = Declared(key=f"k{number}", name=f"r{number}", kind="run", action="action-run", schedule_at=at)
        self._world.declare(run)

    def _declared(self, kind: str | None = None) -> Declared | None:
        known = [one for one in self._world.ledger.declared.values() if kind in {None, one.kind}]
        return self._chance.choice(known) if known else None

    def _change(self) -> None:
        one = self._declared()
        if one is None:
            return
        changes: dict[str, Any] = {"version": one.version + 1}
        if one.kind == "schedule":
            changes = self._chance.choice(
                (
                    changes,
                    {"cron": self._chance.choice(CRONS)},
                    {"timezone": self._chance.choice(ZONES), **changes},
                    {"state": self._chance.choice(("active", "paused", "absent"))},
                    {"state": "active"},
                    {"action": self._chance.choice(ACTIONS), "cron": self._chance.choice(CRONS)},
                )
            )
        if not self._world.ledger.thread(one.key).disturbed:
            changes["was"] = None
        self._world.change(one.key, **changes)

    def _remove(self) -> None:
        one = self._declared()
        if one is not None:
            self._gone[one.key] = one
            self._world.undeclare(one.key)

    def _declare_again(self) -> None:
        if self._gone:
            key = self._chance.choice(sorted(self._gone))
            one = self._gone.pop(key)
            self._world.declare(replace(one, version=one.version + self._chance.randrange(2)))

    def _rename(self) -> None:
        one = self._declared()
        if one is not None and not self._world.ledger.thread(one.key).disturbed:
            self._world.change(one.key, name=f"{one.kind[0]}{next(self._numbers)}", was=one.name)

    def _tinker(self) -> None:
        """Pause, resume or cancel one of ours that recurs."""
        rows = [
            row
            for row in self._world.account.schedules.rows.values()
            if not row.foreign and row.cron is not None and row.status in LIVE
        ]
        if not rows:
            return
        row = self._chance.choice(rows)
        verb = self._chance.choice(("pause" if row.status == "ACTIVE" else "resume", "cancel"))
        key = key_of(row.order)
        if verb == "resume" and len(self._world.watch.rows_of(key, *LIVE)) > 1:
            return
        work = partial(vendor.TRANSITIONS[verb], self._world.account, row, self._world.now)
        self._world.by_hand(key, work)
        self._world.ledger.thread(key).resumed_by_hand |= verb == "resume"
        self._world.tally["changes by hand"] += 1

    def _make_foreign(self) -> None:
        """A stranger makes a schedule of the same work as one of ours, or of other work, or launches a run."""
        alike = self._declared("schedule")
        if alike is not None and self._chance.random() < 0.5:
            if not self._could_be_mistaken(alike):
                self._foreign(alike.action, alike.cron, alike.timezone)
        elif self._chance.random() < 0.5:
            self._foreign("foreign-action", self._chance.choice(CRONS), "UTC")
        else:
            order = Order(action_name="foreign-action", inputs=({},))
            self._world.by_hand("", lambda: self._keep(start_run(self._world.account, order, self._world.now)))
        self._world.tally["made by strangers"] += 1

    def _could_be_mistaken(self, one: Declared) -> bool:
        """Whether a creation of such work left a while ago and made nothing, so that nobody could tell a stranger's."""
        if not self._world.home.exists():
            return False
        with open_reader(self._world.home / "state.db") as store:
            looked_for = [pending.intent for pending in store.pending()]
        sent = [
            intent.sent_at
            for intent in looked_for
            if intent.record is not None
            and work_key(intent.record.action, intent.record.cron) == work_key(one.action, one.cron)
            and self._world.now - intent.sent_at <= LONGEST_WAY
        ]
        made = [
            row.created_at
            for row in self._world.account.schedules.rows.values()
            if not row.foreign and work_key(row.order.action_name, row.cron) == work_key(one.action, one.cron)
        ]
        return any(not any(at >= moment for at in made) for moment in sent)

    def _foreign(self, action: str, cron: str, timezone: str) -> None:
        def make() -> None:
            at = next_tick(cron, timezone, self._world.now)
            order = Order(action_name=action, inputs=({},))
            timing = {"cron": cron, "timezone": timezone, "schedule_at": at}
            self._keep(vendor.add(self._world.account, order, timing, self._world.now, foreign=True))

        self._world.by_hand("", make)

    def _keep(self, _made: Schedule | Run) -> None:
        """What a stranger makes is left alone from then on; the watch sees to it."""

    def _stop_run(self) -> None:
        """A run stands still, whoever's it is."""
        standing = [run for run in self._world.account.runs.rows.values() if run.status in vendor_runs.CANCELLABLE]
        recent = list(self._world.account.runs.rows.values())[-3:]
        runs = standing or recent
        if not runs:
            return
        run, label = self._chance.choice(runs), self._chance.choice(ERRORS)
        error = None if label is None else {"label": label, "message": "it stands still", "params": {}}
        status = self._chance.choice(("STOPPED", "STOPPED", "BLOCKED"))

        def stop() -> None:
            self._world.account.runs.before_write(run.uid)
            settle(self._world.account, run, self._world.now, status, error)

        self._world.by_hand("", stop)
