"""Nothing secret leaves: not by output, logs, state or exception."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdsync.simulator import Fault, running
from tests.cli.process import KEY, Done, Shell, shell

HOOK = "canary-hook-81d2ae"
URL = "https://hooks.example.com/canary-url-44c0de"

CALLBACK = """
defaults:
  callback:
    url: {env: HOOK_URL}
    headers: {Authorization: {env: HOOK_TOKEN}, X-Literal: canary-literal-09bf31}
    on: final
"""

FAULTS = (
    None,
    Fault(kind="status", code=500, method="POST", times=9),
    Fault(kind="status", code=422, method="POST", times=9),
    Fault(kind="status", code=401, times=9),
    Fault(kind="non_json", times=9),
    Fault(kind="drop_before", method="POST", times=2),
    Fault(kind="drop_after", method="POST", times=2),
    Fault(kind="partial", method="POST", times=2),
)


def leaks(user: Shell, done: Done) -> list[str]:
    """The canaries that are found in the output or in any file below the root that cdsync wrote."""
    written = (
        [path.read_bytes() for path in (user.root / ".cdsync").glob("*")] if (user.root / ".cdsync").exists() else []
    )
    haystack = b"".join([done.out.encode(), done.err.encode(), *written])
    canaries = (KEY, HOOK, "canary-url-44c0de", "canary-literal-09bf31")
    return [canary for canary in canaries if canary.encode() in haystack]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind + str(fault.code or "") if fault else "none")
def test_no_secret_leaves_whatever_goes_wrong(tmp_path: Path, fault: Fault | None) -> None:
    """The key, a callback's secret URL and its headers are in no output, log, state or error."""
    with running() as simulator:
        made = shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2")
        made.write("schedules.yaml", CALLBACK + (tmp_path / "schedules.yaml").read_text(encoding="utf-8"))
        made.write("cdsync.yaml", "api: {requests_per_minute: 6000, timeout: 4s, settle: 1s}\n")
        user = Shell(tmp_path, simulator.url, {"HOOK_TOKEN": HOOK, "HOOK_URL": URL})
        if fault is not None:
            simulator.inject(fault)
        verbose = ("--log-level", "debug", "--log-format", "json")
        for command in (("plan",), ("plan", "--format", "json"), ("apply", "--yes"), ("status",)):
            done = user.run(*verbose, *command)
            assert leaks(user, done) == []
            assert "Traceback" not in done.err
        rotated = user.run("plan", "--format", "json", HOOK_TOKEN=HOOK + "-rotated")
        assert leaks(user, rotated) == []
        if fault is None:
            paths = [change["path"] for row in rotated.json["actions"] for change in row["changes"]]
            assert paths == ["callback.headers"] * 2


def test_a_missing_secret_blocks_only_its_resource(tmp_path: Path) -> None:
    """A reference that points at nothing is told by its name, and the other resources are applied."""
    with running() as simulator:
        made = shell(tmp_path, simulator.url, a="0 9 * * 1")
        made.write(
            "other.yaml", CALLBACK + (tmp_path / "schedules.yaml").read_text(encoding="utf-8").replace("a:", "b:", 1)
        )
        done = Shell(tmp_path, simulator.url, {"HOOK_URL": URL}).run("apply", "--yes")
        assert done.code == 3
        assert "the environment variable HOOK_TOKEN is not set" in done.out
        assert len(simulator.account.schedules.rows) == 1
