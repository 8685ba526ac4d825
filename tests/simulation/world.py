"""A world that breaks things: one account that lives on, one state on disk, and processes that come and die.

Production code throughout: the YAML is loaded, the pass is assembled, carried out and stored as by the commands. Faked
are only the clock, the way to the API, and death.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import httpx

from cdsync import custody
from cdsync.assembly import Surroundings, reading_pass, writing_pass
from cdsync.core.actions import BRINGS_INTO_BEING, BlockedReason, Plan, Violation
from cdsync.core.model import Address
from cdsync.errors import CdsyncError, GuardRefused
from cdsync.reconciler import Applied, apply_pass, plan_pass
from cdsync.simulator import Account, SimulatorOptions
from cdsync.simulator.faults import Faults
from cdsync.store import open_reader, open_writer
from tests.simulation.declared import Declared, write_root
from tests.simulation.ledger import BrokenPromise, Ledger
from tests.simulation.mortal import Killed, Life, MortalTransport
from tests.simulation.watch import Watch
from tests.virtual_time import Served, VirtualClock, run_virtual, serve_virtually

START = datetime(2026, 6, 1, 7, 0, 1, tzinfo=UTC)
MOST_PASSES = 6
ENVIRONMENT: Mapping[str, str] = {"KEY": "a-key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended, the crash points that it came by, and whether any fault took hold of its requests."""

    how: Literal["done", "failed", "refused", "killed"]
    points: tuple[str, ...]
    calls: int
    faults: tuple[str, ...] = ()
    applied: Applied | None = None
    error: CdsyncError | None = None


@dataclass
class World:
    """Everything there is. `now` moves on only while a process runs or `wait` is called.

    `tolerated` are reasons for which something may stay undone, `asked` the resources about which the last pass did.
    """

    root: Path
    options: SimulatorOptions
    now: datetime = START
    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    ledger: Ledger = field(default_factory=Ledger)
    tally: Counter[str] = field(default_factory=Counter)
    tolerated: frozenset[BlockedReason] = frozenset()
    asked: frozenset[Address] = frozenset()
    account: Account = field(init=False)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        write_root(self.root, ())
        self.account = Account(started_at=self.now, seed=self.options.seed)
        self.watch = Watch(self.account, self.ledger, looked_at=self.now)
        # The pauses between two attempts are jittered by it.
        random.seed(self.seed)

    @property
    def home(self) -> Path:
        """The folder of the state."""
        return self.root / ".cdsync"

    def declare(self, one: Declared) -> None:
        """Write a resource into the declaration, new or changed."""
        self.ledger.declare(one)
        write_root(self.root, self.ledger.declared.values())

    def change(self, key: str, **fields: Any) -> None:
        """Change a resource in the declaration."""
        self.declare(replace(self.ledger.declared[key], **fields))

    def undeclare(self, key: str) -> None:
        """Take a resource out of the declaration."""
        self.ledger.undeclare(key, now=self.now)
        write_root(self.root, self.ledger.declared.values())

    def wait(self, duration: timedelta) -> None:
        """Let time pass, and whatever is due in it."""
        self.now += duration
        self.look()

    def look(self) -> None:
        """Let everything happen that is due, and hold it against the promises."""
        self.watch.look(self.now)

    def by_hand(self, key: str, work: Callable[[], None]) -> None:
        """Let a person do something on the account; `key` is the resource it is done to, or none."""
        self.look()
        work()
        if key:
            self.ledger.thread(key).hand = True
        self.watch.accept()

    def apply(self, *, kill_at: int | None = None, patient: bool = True, lifted: bool = True) -> Ended:
        """Let one process apply what is declared, and die at a crash point if one is given.

        Raises:
            BrokenPromise: on the way one was broken.
        """
        life = Life(self.home, end=kill_at)
        self.watch.since_call = calls = len(self.account.calls)
        applied: Applied | None = None
        error: CdsyncError | None = None
        self.look()
        try:
            applied = run_virtual(partial(self._applying, life, patient=patient, lifted=lifted), start=self.now)
        except Killed:
            self.tally["crashes"] += 1
        except CdsyncError as problem:
            error = problem
        finally:
            life.bury()
        self.look()
        if self.watch.broken is not None:
            raise self.watch.broken
        made = self.account.calls[calls:]
        ended = Ended(
            how=_how(life, error),
            points=tuple(life.points),
            calls=len(made),
            faults=tuple(call.fault for call in made if call.fault is not None),
            applied=applied,
            error=error,
        )
        self._record(ended)
        return ended

    async def _applying(self, life: Life, clock: VirtualClock, *, patient: bool, lifted: bool) -> Applied | None:
        # Those who worked beside the one that died fail as it did, and nobody is left to hear of it.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        served = self._serve(clock)
        transport = MortalTransport(served.transport, life, Ears(self.watch, clock))
        around = Surroundings(
            root=self.root,
            environment=ENVIRONMENT,
            now=clock,
            transport=transport,
            open_store=partial(open_writer, connect=life.connect),
        )

        def lift(_violation: Violation) -> bool:
            return lifted

        try:
            async with writing_pass(around, command="apply") as (_, work):
                return await apply_pass(
                    work,
                    review=lambda _: None,
                    approve=lambda _: True,
                    lifted=lift,
                    on_event=lambda _: None,
                    patient=patient,
                )
        finally:
            # A request that has left comes to its end at the server, whatever became of its sender.
            while served.transport._served:
                await asyncio.wait(served.transport._served)
            self.now = clock.now()

    def plan(self) -> Plan:
        """What an apply would do now; no time passes."""
        calls = len(self.account.calls)

        async def planning(clock: VirtualClock) -> Plan:
            around = Surroundings(
                root=self.root, environment=ENVIRONMENT, now=clock, transport=self._serve(clock).transport
            )
            async with reading_pass(around) as (_, work):
                return (await plan_pass(work)).plan

        plan = run_virtual(planning, start=self.now)
        assert not [call for call in self.account.calls[calls:] if call.method != "GET"], "a plan changes nothing"
        return plan

    def say(self, address: Address, uid: str | None) -> None:
        """Let a person say which object is whose: adopt it, or forget what a resource owned when it owns nothing."""

        async def saying(clock: VirtualClock) -> None:
            around = Surroundings(
                root=self.root, environment=ENVIRONMENT, now=clock, transport=self._serve(clock).transport
            )
            async with writing_pass(around, command="adopt") as (_, work):
                if uid is not None:
                    await custody.adopt(work, address, uid, take_over=False)
                else:
                    custody.forget(work.store, address, now=clock.now(), revision=None)

        run_virtual(saying, start=self.now)

    def open_intents(self) -> int:
        """How many creations of unknown outcome the journal holds."""
        with open_reader(self.home / "state.db") as store:
            return len(store.pending())

    def open_questions(self) -> int:
        """How many requests of unknown outcome there are: creations, and live ones."""
        with open_reader(self.home / "state.db") as store:
            return len(store.pending()) + sum(1 for far in store.owned().live.values() if far.asked_at is not None)

    def converge(self, *, pause: timedelta = timedelta(seconds=40), most: int = MOST_PASSES) -> Ended:
        """Apply again and again until nothing is left to do; what waits for a tick is given the time.

        Raises:
            BrokenPromise: there still is something to do.
        """
        for _ in range(most):
            ended = self.apply()
            if ended.applied is not None and not self.unsettled(ended.applied.left):
                return ended
            self.wait(max(pause, self._deferral(ended)))
        left = ended.applied.left if ended.applied is not None else ended.error
        raise BrokenPromise(f"convergence within {most} passes", f"left is {left}")

    def unsettled(self, left: Plan) -> bool:
        """Whether anything is left that has to be done, but for what a person is rightly asked about.

        As long as nobody knows whether a creation took effect, nothing is removed, nor is made what could be taken for
        it.
        """
        pending = {row.reason for row in left.blocked if row.reason.pending}
        unknown = BlockedReason.UNRESOLVED_OUTCOME in pending
        waiting = [row for row in left.actions if unknown and (row.removes or row.kind in BRINGS_INTO_BEING)]
        return bool(pending - self.tolerated) or len(waiting) < len(left.actions)

    def _deferral(self, ended: Ended) -> timedelta:
        rows = ended.applied.left.blocked if ended.applied is not None else ()
        until = [row.until for row in rows if row.reason is BlockedReason.DEFERRED and row.until is not None]
        return max((moment - self.now + timedelta(seconds=1) for moment in until), default=timedelta())

    def _serve(self, clock: VirtualClock) -> Served:
        served = serve_virtually(clock, self.options, account=self.account)
        served.simulation.faults = self.faults
        return served

    def _record(self, ended: Ended) -> None:
        self.tally["passes"] += 1
        self.tally["requests"] += ended.calls
        self.tally.update(f"fault {kind}" for kind in ended.faults)
        if ended.applied is None:
            return
        self.ledger.seen()
        self.asked = frozenset(row.address for row in ended.applied.left.blocked)
        if ended.faults:
            return
        blocked = ended.applied.left.blocked
        # What only waits for the end of its grace is paused already; what waits for anything else goes on.
        left = {row.address for row in blocked if row.reason is not BlockedReason.WAITING or row.until is None}
        left |= {row.address for row in ended.applied.left.actions}
        for key, thread in self.ledger.threads.items():
            known = [version for version in (thread.settled, *thread.versions) if version is not None]
            if left.isdisjoint(version.address for version in known):
                declared = self.ledger.declared.get(key)
                self.watch.check_claim(key, declared)
                thread.settle(declared, self.now)


@dataclass(frozen=True, slots=True)
class Ears:
    """Tells the watch of each request, with the time at which it was."""

    watch: Watch
    clock: VirtualClock

    def sent(self, request: httpx.Request) -> None:
        """It is about to leave."""
        self.watch.sent(request)

    def answered(self, request: httpx.Request, response: httpx.Response | None) -> None:
        """It has left, and was answered or not."""
        self.watch.answered(request, response)
        self.watch.look(self.clock.now())


def _how(life: Life, error: CdsyncError | None) -> Literal["done", "failed", "refused", "killed"]:
    if life.dead:
        return "killed"
    if error is None:
        return "done"
    return "refused" if isinstance(error, GuardRefused) else "failed"
