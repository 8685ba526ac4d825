"""The main job, from YAML to a live account and back, through the real command line and real HTTP."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import get_args

import pytest

from cdsync.simulator import Clock, RunningSimulator, SimulatorOptions, running
from cdsync.simulator.options import Dialect
from tests.cli.process import Shell, shell

EXAMPLES = Path(__file__).parents[2] / "examples" / "config"
DIALECTS = get_args(Dialect)


def live(simulator: RunningSimulator) -> list[str]:
    """The UIDs of the live schedules on the server."""
    return [uid for uid, row in simulator.account.schedules.rows.items() if row.status in {"ACTIVE", "PAUSED"}]


def writes(simulator: RunningSimulator) -> int:
    """How many requests that change something the server has seen."""
    return sum(1 for call in simulator.account.calls if call.method != "GET")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_example_goes_live_and_an_edited_cron_is_planned(tmp_path: Path, dialect: Dialect) -> None:
    """The example account is applied once, is then as declared, and an edit shows before, after and why."""
    root = tmp_path / "config"
    shutil.copytree(EXAMPLES, root)
    with running(SimulatorOptions(dialects=(dialect,))) as simulator:
        user = Shell(root, simulator.url)
        user.ok("apply", "--yes")
        assert len(live(simulator)) >= 8
        user.ok("plan", "--detailed-exitcode")
        leads = root / "leads.yaml"
        edited = leads.read_text(encoding="utf-8").replace('"15 7 * * 1-5"', '"45 7 * * 1-5"')
        assert edited != leads.read_text(encoding="utf-8")
        leads.write_text(edited, encoding="utf-8")
        planned = user.run("plan", "--detailed-exitcode")
        assert planned.code == 2
        assert "15 7 * * 1-5 -> 45 7 * * 1-5" in planned.out
        assert "cron changed" in planned.out
        assert ("  ~ " in planned.out) == (dialect == "manage")
        assert ("-/+ " in planned.out) == (dialect == "rest")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_kind_of_change_reaches_the_account(tmp_path: Path, dialect: Dialect) -> None:
    """Create, update or replace, pause, resume and remove each work end to end, and nothing ever fires at once."""
    clock = Clock(speed=0)
    with running(SimulatorOptions(dialects=(dialect,)), clock=clock) as simulator:
        user = shell(tmp_path, simulator.url, edited="0 9 * * 1", paused="0 9 * * 2", removed="0 9 * * 3")
        user.ok("apply", "--yes")
        text = (tmp_path / "schedules.yaml").read_text(encoding="utf-8")
        text = text.replace("0 9 * * 1", "0 10 * * 1").split("  removed:")[0]
        user.write(
            "schedules.yaml", text.replace("    action: action-paused", "    action: action-paused\n    state: paused")
        )
        user.ok("apply", "--yes")
        rows = [row for row in simulator.account.schedules.rows.values() if row.status != "CANCELLED"]
        assert {(row.order.action_name, row.cron, row.status) for row in rows} == {
            ("action-edited", "0 10 * * 1", "ACTIVE"),
            ("action-paused", "0 9 * * 2", "PAUSED"),
            ("action-removed", "0 9 * * 3", "PAUSED"),
        }
        user.write("schedules.yaml", text)
        user.ok("apply", "--yes")
        assert user.ok("plan", "--format", "json").json["actions"] == []
        assert simulator.account.firings == []


@pytest.mark.parametrize("count", [3, 100, 250])
def test_an_unchanged_pass_costs_the_listing_and_no_write(tmp_path: Path, count: int) -> None:
    """N unchanged schedules cost exactly ceil(N/100) requests."""
    crons = {f"s{number}": f"{number % 60} {number % 24} * * *" for number in range(count)}
    with running() as simulator:
        user = shell(tmp_path, simulator.url, **crons)
        user.ok("apply", "--yes")
        assert len(live(simulator)) == count
        simulator.account.calls.clear()
        user.ok("plan", "--detailed-exitcode")
        assert len(simulator.account.calls) == math.ceil(count / 100)
        user.ok("apply", "--yes")
        assert len(simulator.account.calls) == 2 * math.ceil(count / 100)
        assert writes(simulator) == 0


def test_a_server_that_spells_otherwise_shows_no_change(tmp_path: Path) -> None:
    """`1-5` echoed as `MON-FRI` and UTC echoed as null are the same schedule."""
    with running(SimulatorOptions(echo="normalised")) as simulator:
        user = shell(tmp_path, simulator.url, weekdays="0 9 * * 1-5")
        user.ok("apply", "--yes")
        assert "No changes" in user.ok("plan", "--detailed-exitcode").out


def test_an_older_api_without_labels_is_served_too(tmp_path: Path) -> None:
    """Where `name` is refused as an unknown field, everything is created once without it."""
    with running(SimulatorOptions(labels="refuse")) as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2")
        user.ok("apply", "--yes")
        assert len(live(simulator)) == 2
        user.ok("plan", "--detailed-exitcode")


def test_a_declaration_that_shrinks_too_much_is_refused(tmp_path: Path) -> None:
    """Removing more than the policy allows ends with 4, names count, limit and flag, and touches nothing."""
    crons = {f"s{number}": f"{number} 9 * * *" for number in range(10)}
    with running() as simulator:
        user = shell(tmp_path, simulator.url, **crons)
        user.ok("apply", "--yes")
        simulator.account.calls.clear()
        shell(tmp_path, simulator.url, **dict(list(crons.items())[:5]))
        refused = user.run("apply", "--yes")
        assert refused.code == 4
        assert "5 of 10 owned schedules would be removed; policy.max_removals is 25%" in refused.err
        assert "apply --allow-removals 5" in refused.err
        assert writes(simulator) == 0
        user.ok("apply", "--yes", "--allow-removals", "5")
        statuses = [row.status for row in simulator.account.schedules.rows.values()]
        assert sorted(statuses) == ["ACTIVE"] * 5 + ["PAUSED"] * 5


def test_removed_then_cancelled_after_the_grace(tmp_path: Path) -> None:
    """Undeclared means paused now, cancelled after the grace, and resumed when declared again before."""
    with running(clock=Clock(speed=0)) as simulator:
        user = shell(tmp_path, simulator.url, kept="0 9 * * 1", gone="0 9 * * 2")
        user.write("cdsync.yaml", "api: {requests_per_minute: 6000}\npolicy: {prune: {mode: delete, grace: 1h}}\n")
        user.ok("apply", "--yes")
        both = (tmp_path / "schedules.yaml").read_text(encoding="utf-8")
        status = {row.order.action_name: row for row in simulator.account.schedules.rows.values()}
        user.write("schedules.yaml", both.split("  gone:")[0])
        user.ok("apply", "--yes")
        assert status["action-gone"].status == "PAUSED"
        user.write("schedules.yaml", both)
        user.ok("apply", "--yes")
        assert status["action-gone"].status == "ACTIVE"
        user.write("schedules.yaml", both.split("  gone:")[0])
        user.ok("apply", "--yes")
        user.ok("apply", "--yes")
        assert status["action-gone"].status == "PAUSED"
        # Time passes on the server alone, and both clocks must say that the grace is over.
        simulator.advance(3601)
        user.ok("apply", "--yes")
        assert status["action-gone"].status == "PAUSED"
        user.write("cdsync.yaml", "api: {requests_per_minute: 6000}\npolicy: {prune: {mode: delete, grace: 0s}}\n")
        user.ok("apply", "--yes")
        assert status["action-gone"].status == "CANCELLED"
        assert status["action-kept"].status == "ACTIVE"


def test_a_lost_store_does_not_double_an_account(tmp_path: Path) -> None:
    """Without its state, what carries our label is adopted, and what carries none is blocked as a lookalike."""
    for labels in ("echo", "refuse"):
        root = tmp_path / labels
        root.mkdir()
        with running(SimulatorOptions(labels=labels)) as simulator:
            user = shell(root, simulator.url, a="0 9 * * 1", b="0 9 * * 2")
            user.ok("apply", "--yes")
            shutil.rmtree(root / ".cdsync")
            again = user.run("apply", "--yes")
            assert again.code == (0 if labels == "echo" else 3)
            assert ("lookalike" in again.out) == (labels == "refuse")
            assert len(simulator.account.schedules.rows) == 2
