"""Kills an apply with SIGKILL at random moments, again and again, and then looks whether anything was doubled or lost.

`python -m tests.cli.kill_loop --kills 200` is the long form of what the tests do with a few.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdsync.simulator import SimulatorOptions, running
from tests.cli.process import Shell, schedules_yaml

NAMES = tuple(f"s{number}" for number in range(6))
FAULTS: tuple[Mapping[str, object], ...] = (
    {"kind": "drop_after", "method": "POST"},
    {"kind": "drop_before", "method": "POST"},
    {"kind": "partial", "method": "POST"},
    {"kind": "status", "code": 503, "method": "POST", "after": True},
    {"kind": "status", "code": 500, "method": "GET"},
    {"kind": "non_json", "method": "GET"},
)
ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the loop came to: how many applies were killed before their end, and what is wrong (nothing, one hopes)."""

    killed: int
    wrong: tuple[str, ...]


def kill_loop(kills: int, *, seed: int, labels: bool) -> Outcome:
    """Kill `kills` applies of ever changing declarations, then let one finish, and compare the account."""
    chance = random.Random(seed)  # noqa: S311 # a story, not a secret
    options = SimulatorOptions(dialects=("rest",), labels="echo" if labels else "refuse")
    with tempfile.TemporaryDirectory(prefix="cdsync-kill-") as folder, running(options) as simulator:
        shell = Shell(Path(folder), simulator.url)
        shell.write("cdsync.yaml", "api: {requests_per_minute: 10000, settle: 0s, timeout: 2s}\n")
        killed = 0
        for _ in range(kills):
            crons = _crons(chance)
            shell.write("schedules.yaml", schedules_yaml(**crons))
            if chance.random() < 0.5:
                _inject(simulator.url, chance.choice(FAULTS))
            killed += _apply_and_kill(shell, after=chance.uniform(0.3, 1.2))
        urllib.request.urlopen(
            urllib.request.Request(f"{simulator.url}/_sim/faults", method="DELETE")
        ).close()  # loopback
        return Outcome(killed, _finish(shell, crons))


def _crons(chance: random.Random) -> dict[str, str]:
    """A cron for each name, far from its next tick, so that nothing is deferred."""
    hour = (datetime.now(UTC).hour + 6) % 24
    return {name: f"{chance.randrange(60)} {hour} * * *" for name in NAMES}


def _inject(url: str, fault: Mapping[str, object]) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/_sim/faults", data=json.dumps(fault).encode(), headers=headers)  # loopback
    urllib.request.urlopen(request).close()  # loopback


def _apply_and_kill(shell: Shell, *, after: float) -> int:
    with subprocess.Popen(
        shell.command("apply", "--yes"), env=shell.variables(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            process.kill()
            return 1
        return 0


def _finish(shell: Shell, crons: Mapping[str, str]) -> tuple[str, ...]:
    """Apply until there is nothing left to do, and say what is not as declared then."""
    for _ in range(ROUNDS):
        last = shell.run("apply", "--yes")
        if last.code == 0 and shell.run("plan", "--detailed-exitcode").code == 0:
            break
    else:
        return (f"no convergence: {last}",)
    with urllib.request.urlopen(f"{shell.url}/_sim/state") as answer:  # loopback
        state: Any = json.load(answer)
    schedules = state["schedules"]
    live = [row for row in schedules if row["status"] in {"ACTIVE", "PAUSED"}]
    found = Counter((row["order"]["action_name"], row["cron"], row["status"]) for row in live)
    wanted = Counter((f"action-{name}", cron, "ACTIVE") for name, cron in crons.items())
    wrong = [f"too many: {row}" for row in (found - wanted).elements()]
    wrong += [f"lost: {row}" for row in (wanted - found).elements()]
    return (*wrong, *(f"fired: {row}" for row in state["firings"]))


def main() -> None:
    """Run the loop and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    for labels in (True, False):
        outcome = kill_loop(options.kills // 2, seed=options.seed, labels=labels)
        wrong += len(outcome.wrong)
        print(f"labels {labels}: {outcome.killed} of {options.kills // 2} killed; wrong: {list(outcome.wrong)}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
