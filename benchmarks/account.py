"""An account of any size that is as declared, with its state, behind the simulator in a process of its own.

`python -m benchmarks.account ROOT COUNT [LIMIT]` prints its URL, and serves until its standard input ends.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cdsync.config import load
from cdsync.core.fingerprint import synopsis_of
from cdsync.core.model import Kind, Ownership, Schedule
from cdsync.references import References
from cdsync.seals import seal
from cdsync.simulator import Account, SimulatorOptions, running
from cdsync.simulator.account import Order
from cdsync.simulator.schedules import add
from cdsync.store import open_writer

PER_FILE = 50
A_WHILE = timedelta(days=30)
"""Longer than any measurement: a schedule that fires has runs to look at."""

MOST = 10_000
"""Requests a minute, the most that the settings take."""


def write_root(root: Path, count: int, *, requests_per_minute: int = MOST) -> None:
    """Declare `count` different schedules in files of 50; none of them fires within the next months."""
    settings = f"api: {{requests_per_minute: {requests_per_minute}, dialect: rest}}\ndaemon: {{interval: 1h}}\n"
    (root / "cdsync.yaml").write_text(settings, encoding="utf-8")
    month = (datetime.now(UTC).month + 5) % 12 + 1
    for start in range(0, count, PER_FILE):
        lines = ["defaults: {timezone: Europe/Paris, identity_mode: managed}", "schedules:"]
        for number in range(start, min(start + PER_FILE, count)):
            lines += [
                f"  s{number}:",
                f"    action: salesnavigator-search-people-{number % 40}",
                f'    cron: "{number % 60} {number // 60 % 24} {number // 1440 % 28 + 1} {month} *"',
                f"    inputs: [{{sales_navigator_profile_search_url: https://example.com/{number}}}]",
                "    parameters: {max_results: 500}",
            ]
        (root / f"part-{start:06}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def settle(root: Path) -> Account:
    """The account that a root declares, with all of it owned by the root's state."""
    configuration = load(root, now=datetime.now(UTC))
    now = datetime.now(UTC)
    account = Account(started_at=now)
    with open_writer(configuration.settings.state, holder="bench") as store:
        desired = seal(configuration.desired, References(root=root, environment={}), key=store.fingerprint_key())
        owned = []
        for address, schedule in desired.resources.items():
            if not isinstance(schedule, Schedule):
                continue
            order = Order(action_name=schedule.work.action, inputs=(), name=f"cdsync/{address.name}")
            timing = {"cron": schedule.cron, "timezone": schedule.timezone, "schedule_at": now + A_WHILE}
            row = add(account, order, timing, now)
            owned.append(
                Ownership(
                    address=address,
                    uid=row.uid,
                    object=Kind.SCHEDULE,
                    action=schedule.work.action,
                    cron=schedule.cron,
                    timezone=schedule.timezone,
                    fingerprints=desired.fingerprints[address],
                    synopsis=synopsis_of(schedule),
                    label=order.name,
                    created_at=now,
                )
            )
        store.follow((), owned=tuple(owned))
    return account


@contextmanager
def served(root: Path, count: int, *, requests_per_minute: int | None = None) -> Iterator[str]:
    """The URL of an account with so many schedules, as the root declares them."""
    limit = [] if requests_per_minute is None else [str(requests_per_minute)]
    command = [sys.executable, "-m", "benchmarks.account", str(root), str(count), *limit]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.communicate()


def main() -> None:
    """Serve an account until nobody needs it."""
    root, count, *limit = sys.argv[1:]
    account = settle(Path(root)) if int(count) else Account(started_at=datetime.now(UTC))
    options = SimulatorOptions(requests_per_minute=int(limit[0]) if limit else None)
    with running(options, account=account) as simulator:
        print(simulator.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
