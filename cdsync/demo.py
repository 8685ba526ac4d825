"""The tour: the real command line against the simulator on loopback, in a folder that is thrown away."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdsync.shipped import shipped
from cdsync.simulator import RunningSimulator, running

PATIENCE = 120
"""Seconds that one command of the tour may take."""


@dataclass(frozen=True, slots=True)
class Tour:
    """Where the tour takes place."""

    root: Path
    simulator: RunningSimulator
    color: bool

    def say(self, text: str) -> None:
        """Tell what comes next."""
        print(f"\n\033[1m# {text}\033[0m" if self.color and sys.stdout.isatty() else f"\n# {text}", flush=True)  # noqa: T201 # the tour's own voice

    def run(self, *arguments: str, expect: int = 0) -> None:
        """Run cdsync as a user would, in a process of its own.

        Raises:
            RuntimeError: it ended with another exit code than the tour is about.
        """
        print(f"$ cdsync {shlex.join(arguments)}", flush=True)  # noqa: T201 # the tour's own voice
        environment = {
            **os.environ,
            "CDSYNC_API_URL": self.simulator.url,
            "CDSYNC_API_KEY": "demo",
            "CDSYNC_STATE": str(self.root / ".cdsync" / "state.db"),
        }
        command = [sys.executable, "-m", "cdsync", "-C", str(self.root), *arguments]
        code = subprocess.run(command, env=environment, timeout=PATIENCE, check=False).returncode  # noqa: S603 # our own program
        if code != expect:
            raise RuntimeError(f"cdsync {shlex.join(arguments)} ended with {code}, not {expect}")

    def show_rows(self, name: str) -> None:
        """Print the first rows that a live run has brought, and how many there are."""
        path = self.root / "results" / f"{name}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines()
        print(f"$ head -3 results/{path.name}; wc -l results/{path.name}")  # noqa: T201 # the tour's own voice
        print("\n".join([*lines[:3], f"{len(lines)} results/{path.name}"]), flush=True)  # noqa: T201 # the tour's own voice

    def by_hand(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Look at the account, or do something there, that cdsync knows nothing of."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.simulator.url}/_sim/{path}"
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310 # loopback
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 # loopback
            return json.load(answer)


def run_demo(*, color: bool) -> int:
    """Take the tour; gives the exit code."""
    with tempfile.TemporaryDirectory(prefix="cdsync-demo-") as folder, running() as simulator:
        root = Path(folder) / "config"
        shutil.copytree(shipped("examples"), root, ignore=shutil.ignore_patterns(".cdsync"))
        _hurry(root / "cdsync.yaml")
        _guide(Tour(root, simulator, color))
    return 0


def _hurry(settings: Path) -> None:
    """Ask as fast as nobody may: the account of the tour has no limit to keep to."""
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("requests_per_minute: 60", "requests_per_minute: 6000"), encoding="utf-8")


def _guide(tour: Tour) -> None:
    tour.say("The example account: what is declared is checked offline.")
    tour.run("validate")
    tour.say("What would happen? Nothing is on the account yet.")
    tour.run("plan")
    tour.say("Make it so, on a real HTTP server.")
    tour.run("apply", "--yes")
    tour.say("A second plan is empty.")
    tour.run("plan", "--detailed-exitcode")
    tour.say("The live run has put its rows on disk, page by page, each once.")
    tour.show_rows("speakers-now")
    tour.say("Behind cdsync's back: one schedule is paused, another cancelled, a run stops, one is out of credits.")
    paused, cancelled = _two_active_schedules(tour)
    tour.by_hand("POST", f"schedules/{paused}/pause")
    tour.by_hand("POST", f"schedules/{cancelled}/cancel")
    stopped, blocked = _two_background_runs(tour)
    tour.by_hand("POST", f"runs/{stopped}", {"status": "STOPPED"})
    credits_gone = {"label": "NO_ACCESS", "message": "No credits are left"}
    tour.by_hand("POST", f"runs/{blocked}", {"status": "BLOCKED", "last_error": credits_gone})
    tour.say("The plan finds all four ...")
    tour.run("plan", "--detailed-exitcode", expect=2)
    tour.say("... and apply heals three; the fourth needs a person, so it is told and left alone.")
    tour.run("apply", "--yes")
    tour.say("The account at the end.")
    tour.run("status")
    tour.run("plan", "--detailed-exitcode")


def _two_active_schedules(tour: Tour) -> tuple[str, str]:
    """Two schedules that are not protected: the first and the last that were created active."""
    rows = tour.by_hand("GET", "state")["schedules"]
    active = [row["uid"] for row in rows if row["status"] == "ACTIVE" and row["cron"]]
    return active[0], active[-1]


def _two_background_runs(tour: Tour) -> tuple[str, str]:
    rows = tour.by_hand("GET", "state")["runs"]
    background = [row["uid"] for row in rows if row["execution_mode"] == "ASYNC"]
    return background[0], background[-1]
