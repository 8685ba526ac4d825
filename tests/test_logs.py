"""How logs are written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SAY = """
import os, sys
from cdsync import logs
if "-journal" in sys.argv:
    found = os.fstat(2)
    os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
logs.configure(log_format=None, level="debug")
for level in ("debug", "info", "warning", "error"):
    getattr(logs.logger(), level)("something.happened", value=level)
try:
    raise ValueError("a mistake")
except ValueError:
    logs.logger().exception("something.crashed")
"""


def say(*arguments: str, **environment: str) -> list[str]:
    """The lines that a process logs."""
    kept = {name: value for name, value in os.environ.items() if name != "JOURNAL_STREAM"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SAY, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env={**kept, **environment},
    )
    return done.stderr.splitlines()


def test_where_no_person_reads_each_line_is_json() -> None:
    """With constant keys, a time with its zone, and a traceback inside the one line."""
    lines = [json.loads(line) for line in say()]

    assert [line["level"] for line in lines] == ["debug", "info", "warning", "error", "error"]
    assert {line["event"] for line in lines} == {"something.happened", "something.crashed"}
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert "ValueError: a mistake" in lines[-1]["exception"]


def test_the_journal_gets_its_priorities() -> None:
    """Before each line, as sd-daemon(3) has it; the rest is the same JSON."""
    lines = say("-journal")

    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>", "<3>"]
    assert json.loads(lines[1][3:])["event"] == "something.happened"


def test_a_stream_that_leads_elsewhere_is_no_journal() -> None:
    """Who only inherited the variable, as a child whose output is a pipe, has another inode."""
    assert all(line.startswith("{") for line in say(JOURNAL_STREAM="1:1"))
