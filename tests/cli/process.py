"""Runs the real command line as a process, against a simulator on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.warm import warm

KEY = "canary-key-5f1c9b"
PATIENCE = 90


@dataclass(frozen=True, slots=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Shell:
    """A config root and where its API is."""

    root: Path
    url: str = "http://127.0.0.1:9"
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        """Run `cdsync -C ROOT ARGUMENTS` to its end, in a process that need not import everything first."""
        whole = ("-C", str(self.root), *arguments)
        code, out, err = warm().run(whole, environment=self.variables(**environment), stdin=stdin, patience=PATIENCE)
        return Done(code, out, err)

    def cold(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        """The same, in a process that a new Python begins."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.variables(**environment),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *arguments: str, **environment: str) -> Done:
        """Run a command that must end with 0."""
        done = self.run(*arguments, **environment)
        assert done.code == 0, done
        return done

    def command(self, *arguments: str) -> list[str]:
        """The command line of a process."""
        return [sys.executable, "-W", "error", "-m", "cdsync", "-C", str(self.root), *arguments]

    def variables(self, **more: str) -> dict[str, str]:
        """The environment of a process: ours alone of all CDSYNC_ variables."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CDSYNC_")}
        ours = {"CDSYNC_API_URL": self.url, "CDSYNC_API_KEY": KEY, "CDSYNC_CACHE": f"{self.root.absolute()}-cache"}
        return {**kept, **ours, **self.environment, **more}

    def write(self, name: str, text: str) -> None:
        """Write a file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


SETTINGS = "api: {requests_per_minute: 6000, settle: 1s, dialect: %s}\n"


def schedules_yaml(**crons: str) -> str:
    """A file that declares one schedule for each name, with this cron."""
    lines = ["schedules:"]
    for name, cron in crons.items():
        lines += [
            f"  {name}:",
            f"    action: action-{name}",
            f'    cron: "{cron}"',
            "    inputs: [{url: https://example.com}]",
        ]
    return "\n".join(lines) + "\n"


def shell(root: Path, url: str, *, dialect: str = "auto", **crons: str) -> Shell:
    """A root that declares these schedules."""
    made = Shell(root, url)
    made.write("cdsync.yaml", SETTINGS % dialect)
    made.write("schedules.yaml", schedules_yaml(**crons))
    return made
