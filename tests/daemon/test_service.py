"""How the daemon is put together: what it starts with, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from cdsync.assembly import Surroundings
from cdsync.daemon import run_daemon
from cdsync.errors import CdsyncError, ConfigError, GuardRefused, UnresolvedReference
from cdsync.simulator import Fault, running
from tests.cli.process import Shell, schedules_yaml


def once(root: Path, environment: Mapping[str, str]) -> int:
    """Make one pass; gives the exit code."""
    return asyncio.run(run_daemon(Surroundings(root=root, environment=environment), once=True))


def test_one_pass_ends_with_what_became_of_it(tmp_path: Path) -> None:
    """`--once` ends with 0 when all is as declared, with 3 when something is left, and raises what it failed of."""
    crons = {f"s{number}": f"{number} 9 * * 1" for number in range(5)}
    with running() as simulator:
        environment = {"CDSYNC_API_URL": simulator.url, "CDSYNC_API_KEY": "any"}
        user = Shell(tmp_path)
        user.write("cdsync.yaml", "api: {requests_per_minute: 6000}\n")
        user.write("schedules.yaml", schedules_yaml(**crons))
        assert once(tmp_path, environment) == 0
        user.write("schedules.yaml", schedules_yaml(s0=crons["s0"]))
        with pytest.raises(GuardRefused, match="owned schedules would be removed"):
            once(tmp_path, environment)
        user.write("schedules.yaml", schedules_yaml(s0="no cron"))
        with pytest.raises(ConfigError):
            once(tmp_path, environment)
        user.write("schedules.yaml", schedules_yaml(**crons, s5="5 9 * * 1"))
        simulator.inject(Fault(kind="status", code=422, method="POST", path="*/action-s5/schedule", times=2))
        assert once(tmp_path, environment) == 3
        simulator.inject(Fault(kind="status", code=401, label="STATUS_401", method="GET"))
        with pytest.raises(CdsyncError, match="HTTP 401"):
            once(tmp_path, environment)


def test_a_key_that_can_never_come_is_refused_at_the_start(tmp_path: Path) -> None:
    """A variable that is not set never will be: to wait for it would hide a mistake."""
    Shell(tmp_path).write("cdsync.yaml", "api: {key: {env: NOT_SET}}\n")
    around = Surroundings(root=tmp_path, environment={})
    with pytest.raises(UnresolvedReference, match="NOT_SET is not set"):
        asyncio.run(run_daemon(around, once=False))


def test_an_address_that_is_taken_is_refused_at_the_start(tmp_path: Path) -> None:
    """It ends and says so; nobody finds out in a week that nothing was ever measured."""
    with running() as simulator:
        taken = simulator.url.rsplit(":", 1)[1]
        Shell(tmp_path).write("cdsync.yaml", f"daemon: {{listen: '127.0.0.1:{taken}'}}\n")
        around = Surroundings(root=tmp_path, environment={"CDSYNC_API_KEY": "any"})
        with pytest.raises(CdsyncError, match=f"listen: 127.0.0.1:{taken} cannot be used: Address already in use"):
            asyncio.run(run_daemon(around, once=False))
