"""Keeps a daemon for a simulated day and more, with faults and commits, and looks whether it stays what it was.

`python -m tests.soak [--hours 24] [--schedules 500] [--commits 50]` prints what it has measured, and fails when the
account is not as declared in the end, memory or descriptors grow, or more requests leave than have to.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from cdsync.core.actions import ActionKind
from cdsync.daemon.standing import PassRecord
from cdsync.logs import configure
from cdsync.simulator import Fault
from cdsync.simulator.account import Call
from tests.daemon.world import Kept, keep

HOUR = 3600
PAGE = 100
SPARE = 1.02
"""How many more requests than the fewest may leave, in passes that no fault has touched."""

GROWTH = 1.10
"""How much more memory the last hour may hold than the first."""

REQUESTS = {ActionKind.CREATE: 1, ActionKind.UPDATE: 1, ActionKind.PAUSE: 1, ActionKind.RESUME: 1, ActionKind.DELETE: 1}
FAULTS = (
    Fault(kind="drop_before", method="POST"),
    Fault(kind="drop_after", method="POST"),
    Fault(kind="status", code=503, method="POST", after=True),
    Fault(kind="status", code=502, method="GET", times=2),
    Fault(kind="non_json", code=502, method="GET"),
    Fault(kind="rate_limit", method="GET", seconds=20.0),
    Fault(kind="slow", method="GET", seconds=31.0),
    Fault(kind="partial", method="GET"),
    Fault(kind="shifting_listing", method="GET"),
    Fault(kind="unknown_fields", times=30),
)


@dataclass
class Day:
    """What happens in it, and what was measured."""

    hours: int
    schedules: int
    commits: int
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 # a story, not a secret
    tally: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    crons: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.crons = {f"s{number}": self._cron() for number in range(self.schedules)}

    def _cron(self) -> str:
        """A time at which nothing fires on this day, so that no runs have to be looked at."""
        return f"{self.chance.randrange(60)} {self.chance.randrange(24)} {self.chance.randrange(1, 28)} 1 *"

    async def live(self, kept: Kept) -> None:
        """The first hour and the last are quiet; in between people commit and things go wrong."""
        await self._hour(kept, quiet=True)
        for _ in range(self.hours - 2):
            await self._hour(kept, quiet=False)
        kept.line.served.simulation.faults.active.clear()
        await self._hour(kept, quiet=True)

    async def _hour(self, kept: Kept, *, quiet: bool) -> None:
        commits = 0 if quiet else self.commits / (self.hours - 2)
        for _ in range(6):
            if not quiet:
                if self.chance.random() < commits / 6:
                    self._commit(kept)
                kept.line.served.simulation.faults.active.append(_copy(self.chance.choice(FAULTS)))
                self.tally["faults"] += 1
            await asyncio.sleep(HOUR / 6)
        self._measure(kept)

    def _commit(self, kept: Kept) -> None:
        for name in self.chance.sample(sorted(self.crons), 3):
            self.crons[name] = self._cron()
        kept.declare(**self.crons)
        _git(kept.root, "add", "-A")
        _git(kept.root, "commit", "-qm", "Change three schedules")
        self.tally["commits"] += 1

    def _measure(self, kept: Kept) -> None:
        account = kept.line.served.account
        calls = iter(account.calls)
        for _, record in kept.passes:
            self._count(record, list(islice(calls, record.calls)))
        # What the simulator and this story keep of the past is no memory of the daemon.
        kept.passes.clear()
        account.calls.clear()
        gc.collect()
        self.memory.append(
            int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
        )
        self.descriptors.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 # the names alone

    def _count(self, record: PassRecord, calls: list[Call]) -> None:
        self.tally["passes"] += 1
        # The very first pass finds out which dialect the API speaks.
        if any(call.fault is not None for call in calls) or record.error is not None or record.number == 1:
            return
        looks = 1 if record.applied is None or not record.applied.reports else 1 + len(record.applied.reports)
        pages = -(-self.schedules // PAGE)
        done = record.applied.reports if record.applied is not None else ()
        fewest = looks * pages + sum(
            REQUESTS[result.action.kind] for report in done for result in report.results if result.outcome == "done"
        )
        self.tally["requests counted"] += len(calls)
        self.tally["fewest requests"] += fewest


def _copy(fault: Fault) -> Fault:
    return Fault(
        kind=fault.kind,
        method=fault.method,
        times=fault.times,
        after=fault.after,
        code=fault.code,
        seconds=fault.seconds,
    )


def _git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=soak", "-c", "user.email=soak@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, timeout=60)  # noqa: S607 # the tests have git


def wrong(day: Day, kept: Kept) -> list[str]:
    """What is not as it should be after the day."""
    live = [row for row in kept.line.served.account.schedules.rows.values() if row.status == "ACTIVE"]
    found = sorted((row.order.action_name, row.cron) for row in live)
    faults = []
    if found != sorted((f"action-{name}", cron) for name, cron in day.crons.items()):
        faults.append(f"the account is not as declared: {len(live)} schedules are live")
    if kept.loop.standing.failures or not kept.loop.standing.last or not kept.loop.standing.last.result.decided:
        faults.append(f"the last pass failed: {kept.loop.standing.last}")
    if day.memory[-1] > day.memory[0] * GROWTH:
        faults.append(f"memory grew from {day.memory[0]} to {day.memory[-1]} bytes")
    if day.descriptors[-1] > day.descriptors[0]:
        faults.append(f"open files grew from {day.descriptors[0]} to {day.descriptors[-1]}")
    if day.tally["requests counted"] > day.tally["fewest requests"] * SPARE:
        faults.append("more requests left than have to")
    return faults


def main() -> None:
    """Live through the day and tell how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--schedules", type=int, default=500)
    parser.add_argument("--commits", type=int, default=50)
    options = parser.parse_args()
    configure(log_format="json", level="error")
    day = Day(options.hours, options.schedules, options.commits)
    began = time.monotonic()

    async def story(kept: Kept) -> list[str]:
        _git(kept.root, "init", "-q")
        _git(kept.root, "add", "-A")
        _git(kept.root, "commit", "-qm", "Begin")
        await day.live(kept)
        return wrong(day, kept)

    with tempfile.TemporaryDirectory(prefix="cdsync-soak-") as folder:
        faults = keep(Path(folder), story, declared=day.crons)
    for name, number in sorted(day.tally.items()):
        print(f"{number:>9} {name}")
    print(f"{day.memory[0] / 2**20:>9.1f} MiB after the first hour, {day.memory[-1] / 2**20:.1f} after the last")
    print(f"{day.descriptors[0]:>9} open files after the first hour, {day.descriptors[-1]} after the last")
    print("\n".join(faults) or f"{options.hours} hours went well, in {time.monotonic() - began:.0f} seconds")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
