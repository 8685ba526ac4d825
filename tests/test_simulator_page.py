"""What docs/simulator.md says to do works, and does what it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import httpx
import pytest

from cdsync.simulator import Clock, RunningSimulator, running
from cdsync.simulator.control import ROUTES
from cdsync.simulator.faults import KINDS
from cdsync.simulator.options import Dialect
from tests.cli.process import Shell, shell

PAGE = (Path(__file__).parents[1] / "docs" / "simulator.md").read_text(encoding="utf-8")


def steps(title: str) -> list[list[str]]:
    """The commands of a section, as words."""
    block = PAGE.split(f"## {title}\n")[1].split("```sh\n")[1].split("```")[0]
    return [shlex.split(line, comments=True) for line in block.splitlines()]


def follow(title: str, user: Shell, **names: str) -> list[str]:
    """Do what a section says; gives what each command of cdsync said, in one line."""
    told: list[str] = []
    for step in steps(title):
        if step[0] == "cdsync":
            more = ["--yes"] if step[3] == "apply" else []
            done = user.run(*step[3:], *more)
            told.append(" ".join(f"{done.out} {done.err}".split()))
            continue
        url = step[-1].replace("$SIM", f"{user.url}/_sim")
        for name, value in names.items():
            url = url.replace(f"${name}", value)
        body = json.loads(step[step.index("--json") + 1]) if "--json" in step else None
        answer = httpx.post(url, json=body, trust_env=False) if body else httpx.post(url, trust_env=False)
        assert answer.status_code == 200, (step, answer.text)
    return told


def test_the_page_tells_of_every_request_and_every_fault() -> None:
    """Nothing that the simulator offers is left for its source."""
    table = PAGE.split("## Behind the scenes")[1].split("## ")[0]
    for method, pattern, _ in ROUTES:
        path = re.sub(r"\(\[\^/\]\+\)", "UID", pattern).replace("(pause|resume|cancel)", "pause")
        assert f"`{method} /_sim/{path}`" in table, path
    section = PAGE.split("## Faults")[1].split("## ")[0]
    assert [kind for kind in KINDS if f"`{kind}`" not in section] == []


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """One whose time stands still, so that no run ends by itself."""
    with running(clock=Clock(speed=0)) as served:
        yield served


def test_a_key_that_is_refused(tmp_path: Path, simulator: RunningSimulator) -> None:
    """It is said so, until the key is taken again."""
    user = shell(tmp_path, simulator.url, a="0 9 * * 1")
    (told,) = follow("A key that is refused", user)

    assert "401" in told
    user.ok("status")


def test_a_run_in_trouble(tmp_path: Path, simulator: RunningSimulator) -> None:
    """Stopped, blocked for want of credits, and over: each is told with what helps."""
    user = shell(tmp_path, simulator.url)
    user.write("runs.yaml", "runs:\n  once: {action: do-it, inputs: [{a: 1}]}\n")
    user.ok("apply", "--yes")
    (uid,) = simulator.account.runs.rows
    stopped, blocked, over = follow("A run that stops, or needs a person", user, RUN=uid)

    assert f"> run/once resume-run {uid}" in stopped
    assert "add credits or a subscription, then: cdsync resume run/once" in blocked
    assert "FAILED (NO_RESULT)" in over


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_an_input_of_a_live_run_that_fails(tmp_path: Path, simulator: RunningSimulator, dialect: Dialect) -> None:
    """The second of three, and the others go on."""
    user = shell(tmp_path, simulator.url, dialect=dialect)
    user.write("runs.yaml", "runs:\n  now: {action: ask, mode: live, inputs: [{n: 1}, {n: 2}, {n: 3}]}\n")
    follow("An input of a live run that fails", user)

    failed = (tmp_path / "results" / "now.failed.jsonl").read_text(encoding="utf-8").splitlines()
    assert [(row["input"], row["label"]) for row in map(json.loads, failed)] == [({"n": 2}, "BAD_INPUT")]
    assert len((tmp_path / "results" / "now.jsonl").read_text(encoding="utf-8").splitlines()) == 30


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_an_answer_that_is_lost(tmp_path: Path, simulator: RunningSimulator, dialect: Dialect) -> None:
    """What was made is found, and made once."""
    user = shell(tmp_path, simulator.url, dialect=dialect, a="0 9 * * 1")
    (told,) = follow("An answer that is lost", user)

    assert "unknown" in told
    assert len(simulator.account.schedules.rows) == 1


def test_what_others_do(tmp_path: Path, simulator: RunningSimulator) -> None:
    """A schedule of ours that was paused shows as drift; theirs does not show."""
    user = shell(tmp_path, simulator.url, a="0 9 * * 1")
    user.ok("apply", "--yes")
    (uid,) = simulator.account.schedules.rows
    (told,) = follow("What others do", user, SCHEDULE=uid)

    assert f"> schedule/a resume {uid}" in told
    assert "theirs" not in told
    assert len(simulator.account.schedules.rows) == 2
