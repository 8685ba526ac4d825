"""What is ours by a person's word, saved plans, holds and imports: through the real command line."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from cdsync.simulator import Clock, Fault, RunningSimulator, SimulatorOptions, running
from cdsync.simulator.options import Dialect
from tests.cli.process import Shell, schedules_yaml, shell

DIALECTS = get_args(Dialect)


def by_hand(simulator: RunningSimulator, path: str, body: Mapping[str, object]) -> Any:
    """Do something on the account that cdsync knows nothing of; gives the object."""
    request = urllib.request.Request(
        f"{simulator.url}/_sim/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def foreign(simulator: RunningSimulator, **fields: object) -> str:
    """A colleague makes a schedule elsewhere; gives its UID."""
    return str(by_hand(simulator, "schedules", fields)["uid"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_foreign_schedule_is_imported_and_adopted_without_a_change(tmp_path: Path, dialect: Dialect) -> None:
    """Import writes YAML that validates, with the inputs where the API shows them; adopting changes nothing."""
    with running(SimulatorOptions(dialects=(dialect,)), clock=Clock(speed=0)) as simulator:
        user = shell(tmp_path, simulator.url, mine="0 9 * * 1")
        user.ok("apply", "--yes")
        inputs = [{"x": 'a "quoted": value #1', "y": "é\u2028", "n": 1.5}]
        uid = foreign(simulator, action="their-action", cron="30 6 * * 2", timezone="Europe/Paris", inputs=inputs)
        simulator.advance(14 * 86400)
        user.ok("import", "-o", str(tmp_path / "imported.yaml"))
        user.ok("validate")
        text = (tmp_path / "imported.yaml").read_text(encoding="utf-8")
        assert ("inputs of its latest run" in text) == (dialect == "rest")
        assert ("its inputs cannot be read" in text) == (dialect == "manage")
        assert "lookalike" in user.run("apply", "--yes").out
        user.ok("adopt", "schedule/their-action", uid)
        before = simulator.account.schedules.rows[uid].updated_at
        user.ok("apply", "--yes")
        assert simulator.account.schedules.rows[uid].updated_at == before
        assert "0 schedules not ours" in user.ok("import").err


def test_a_held_resource_is_left_alone_visibly(tmp_path: Path) -> None:
    """A hold keeps every change away until it is released, and plan and status say what would be done."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2")
        user.ok("apply", "--yes")
        user.ok("hold", "schedule/a", "--for", "2h")
        shell(tmp_path, simulator.url, a="0 10 * * 1", b="0 9 * * 2")
        held = user.ok("apply", "--yes")
        assert "held: until" in held.out
        assert "0 9 * * 1 -> 0 10 * * 1" in held.out
        assert user.ok("status", "--format", "json").json["resources"][0]["health"] == "held"
        assert {row.cron for row in simulator.account.schedules.rows.values()} == {"0 9 * * 1", "0 9 * * 2"}
        user.ok("release", "schedule/a")
        user.ok("apply", "--yes")
        assert "0 10 * * 1" in {row.cron for row in simulator.account.schedules.rows.values()}
        assert user.run("hold", "schedule/a", "--for", "soon").code == 1


def test_a_forgotten_schedule_goes_on_and_is_not_doubled(tmp_path: Path) -> None:
    """Forget touches nothing on the account, and what is still declared is adopted again, not created."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.ok("apply", "--yes")
        user.ok("forget", "schedule/a")
        assert " <= schedule/a" in user.ok("apply", "--yes").out
        assert [row.status for row in simulator.account.schedules.rows.values()] == ["ACTIVE"]
        misspelt = user.run("forget", "schedule/b")
        assert (misspelt.code, "neither declared nor owned" in misspelt.err) == (1, True)


def test_a_saved_plan_is_applied_or_refused_when_stale(tmp_path: Path) -> None:
    """What was reviewed is what is done: another decision is shown and refused with 4, also an empty one."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        saved = str(tmp_path / "plan.out")
        user.ok("plan", "-o", saved)
        shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2")
        stale = user.run("apply", saved, "--yes")
        assert stale.code == 4
        assert "schedule/b" in stale.out
        told = stale.err.splitlines()
        assert "is stale" in told[0]
        (new,) = told[1:-1]
        assert new.startswith(
            "  only in the plan made now: schedule/b: create (new): action: action-b; cron: 0 9 * * 2; "
        )
        shell(tmp_path, simulator.url, c="0 9 * * 1")
        differing = user.run("apply", saved, "--yes").err.splitlines()[1:-1]
        assert [row.split(" (")[0] for row in differing] == [
            "  only in the saved plan: schedule/a: create",
            "  only in the plan made now: schedule/c: create",
        ]
        assert simulator.account.schedules.rows == {}
        shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.ok("apply", saved, "--yes")
        assert user.run("apply", saved, "--yes").code == 4
        assert user.run("apply", str(tmp_path / "cdsync.yaml"), "--yes").code == 1


def test_a_saved_plan_is_for_one_account(tmp_path: Path) -> None:
    """What was reviewed for one account is refused for another that would decide the same."""
    with running() as here, running() as there:
        user = shell(tmp_path, here.url, a="0 9 * * 1")
        saved = str(tmp_path / "plan.out")
        user.ok("plan", "-o", saved)
        elsewhere = user.run("apply", saved, "--yes", CDSYNC_API_URL=there.url)
        assert elsewhere.code == 4
        assert f"the saved plan is for {here.url}/v4 as cdsync" in elsewhere.err
        assert there.account.schedules.rows == {}


def test_a_targeted_apply_touches_nothing_else(tmp_path: Path) -> None:
    """`--target` confines an apply, and a plan that was saved with it."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2", c="0 9 * * 3")
        user.ok("apply", "--yes", "--target", "schedule/a")
        assert [row.order.action_name for row in simulator.account.schedules.rows.values()] == ["action-a"]
        saved = str(tmp_path / "plan.out")
        user.ok("plan", "-o", saved, "--target", "schedule/[ab]")
        user.ok("apply", saved, "--yes")
        assert sorted(row.order.action_name for row in simulator.account.schedules.rows.values()) == [
            "action-a",
            "action-b",
        ]


def test_an_empty_declaration_is_refused(tmp_path: Path) -> None:
    """A wrong folder looks like an empty declaration, so it needs a flag of its own."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.ok("apply", "--yes")
        user.write("schedules.yaml", "schedules: {}\n")
        refused = user.run("apply", "--yes")
        assert refused.code == 4
        assert "--allow-empty" in refused.err
        user.ok("apply", "--yes", "--allow-empty")
        assert [row.status for row in simulator.account.schedules.rows.values()] == ["PAUSED"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_of_another_workspace_concludes_nothing(tmp_path: Path, dialect: Dialect) -> None:
    """Another workspace looks like an empty account; it is an error, and nothing is created again there."""
    with running(SimulatorOptions(dialects=(dialect,))) as one:
        user = shell(tmp_path, one.url, a="0 9 * * 1")
        user.ok("apply", "--yes")
    other = SimulatorOptions(dialects=(dialect,), workspace_uid="00000000-0000-4000-8000-000000000001")
    with running(other) as two:
        foreign(two, action="theirs", cron="0 5 * * 1")
        wrong = Shell(tmp_path, two.url).run("apply", "--yes")
        assert wrong.code == 1
        assert "the key opens workspace 00000000-0000-4000-8000-000000000001" in wrong.err
        assert len(two.account.schedules.rows) == 1


def test_a_change_that_never_shows_is_not_made_for_ever(tmp_path: Path) -> None:
    """A server that says yes and changes nothing is written to twice; then that is reported, and nothing is sent."""
    with running(SimulatorOptions(dialects=("manage",))) as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.ok("apply", "--yes")
        shell(tmp_path, simulator.url, a="0 10 * * 1")
        simulator.inject(Fault(kind="status", code=200, method="POST", times=9))
        assert [user.run("apply", "--yes").code for _ in range(2)] == [3, 3]
        simulator.account.calls.clear()
        stuck = user.run("apply", "--yes")
        assert stuck.code == 3
        assert "not-converging: update was done 2 times" in stuck.out
        assert all(call.method == "GET" for call in simulator.account.calls)
        shell(tmp_path, simulator.url, a="0 11 * * 1")
        assert "update" in user.ok("plan").out


def test_history_tells_what_was_done_and_how_it_ended(tmp_path: Path) -> None:
    """Each thing done or tried is on record, in the order of its happening."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2")
        simulator.inject(Fault(kind="status", code=422, method="POST", path="*action-b*", times=9))
        user.run("apply", "--yes")
        entries = user.ok("history", "--format", "json").json["entries"]
        assert {(row["address"], row["action"], row["result"]) for row in entries} == {
            ("schedule/a", "create", "done"),
            ("schedule/b", "create", "failed"),
        }
        assert "create: failed" in user.ok("history", "schedule/b").out
        assert user.run("history", "nonsense").code == 1


def test_a_renamed_schedule_keeps_its_object(tmp_path: Path) -> None:
    """`was:` moves the ownership; without it a rename is a removal and a creation."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, old="0 9 * * 1")
        user.ok("apply", "--yes")
        renamed = schedules_yaml(new="0 9 * * 1").replace("action-new", "action-old")
        user.write("schedules.yaml", renamed.replace("    cron", "    was: old\n    cron"))
        user.ok("apply", "--yes")
        user.ok("plan", "--detailed-exitcode")
        user.write("schedules.yaml", renamed)
        user.ok("plan", "--detailed-exitcode")
        assert len(simulator.account.schedules.rows) == 1
        shutil.copy(tmp_path / "schedules.yaml", tmp_path / "copy.yaml")
        assert user.run("validate").code == 1


def test_a_blocked_run_is_resumed_by_hand(tmp_path: Path) -> None:
    """What needs a person is reported with advice and left alone, until that person says resume."""
    with running(clock=Clock(speed=0)) as simulator:
        user = shell(tmp_path, simulator.url)
        user.write("schedules.yaml", "runs:\n  once: {action: do-it, inputs: [{a: 1}]}\n")
        user.ok("apply", "--yes")
        uid = next(iter(simulator.account.runs.rows))
        stopped = {"status": "BLOCKED", "last_error": {"label": "NO_VALID_ACCOUNT_CONFIGURED", "message": "gone"}}
        by_hand(simulator, f"runs/{uid}", stopped)
        told = user.ok("apply", "--yes")
        assert "needs-attention: run" in told.out
        assert "reconnect the identity" in " ".join(told.out.split())
        assert simulator.account.runs.rows[uid].status == "BLOCKED"
        assert user.ok("resume", "run/once").out == "1 run resumed\n"
        assert simulator.account.runs.rows[uid].status == "SCHEDULED"
        still = "none of its runs stands still"
        assert user.ok("resume", "run/once").out == f"{still}: run {uid} is SCHEDULED\n"
        by_hand(simulator, f"runs/{uid}", stopped | {"status": "FAILED"})
        assert user.ok("resume", "run/once").out == (
            f"{still}: run {uid} is FAILED with NO_VALID_ACCOUNT_CONFIGURED, which no resume moves on; "
            "reconnect the identity; this run is over: declare it under a new name\n"
        )


def test_one_run_can_be_left_alone(tmp_path: Path) -> None:
    """A run that a person stopped on purpose is not resumed any more, and the status says why."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url)
        user.write("runs.yaml", "runs:\n  r: {action: a, inputs: [{}]}\n")
        user.ok("apply", "--yes")
        (uid,) = simulator.account.runs.rows
        user.ok("forget", "run/r", "--run", uid)
        (row,) = user.ok("status", "--format", "json").json["resources"]
        assert row["runs"][0]["advice"] == "it was left alone by hand"
        assert user.run("forget", "run/r", "--run", "another").code == 1
        assert "forget: done" in user.ok("history", "run/r").out


def test_history_tells_what_changed(tmp_path: Path) -> None:
    """Each field from what to what, as the plan showed it, in both formats; with the time zone of the times."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.ok("apply", "--yes")
        shell(tmp_path, simulator.url, a="0 10 * * 1")
        user.ok("apply", "--yes")
        made, changed = user.ok("history", "--format", "json").json["entries"]
        assert made["detail"].startswith("action: action-a; cron: 0 9 * * 1; ")
        assert changed["detail"] == "cron: 0 9 * * 1 -> 0 10 * * 1"
        lines = user.ok("history").out.splitlines()
        assert lines[0] == "Oldest first; times in UTC"
        assert lines[-1] == "    cron: 0 9 * * 1 -> 0 10 * * 1"


def test_history_tells_what_people_did(tmp_path: Path) -> None:
    """A hold and its release are on record, by the clock of the server like everything else."""
    ahead = timedelta(hours=1)
    with running(clock=lambda: datetime.now(UTC) + ahead) as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.ok("apply", "--yes")
        user.ok("hold", "schedule/a", "--for", "2h")
        user.ok("release", "schedule/a")
        assert "was not held" in user.ok("release", "schedule/a").out
        forgotten = user.ok("forget", "schedule/a").out
        rows = user.ok("history", "--format", "json").json["entries"]

    assert [row["action"] for row in rows] == ["create", "hold", "release", "forget"]
    times = [datetime.fromisoformat(row["at"]) for row in rows]
    assert max(times) - min(times) < ahead / 2
    until = times[1] + timedelta(hours=2)
    assert rows[1]["why"] == f"held by hand, until {until:%Y-%m-%d %H:%M} UTC"
    assert "it is still declared: the next apply may adopt it or create it anew" in forgotten


def test_the_history_of_what_was_renamed_is_found_by_either_name(tmp_path: Path) -> None:
    """Also after two renamings, and with the name that it has now."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, old="0 9 * * 1")
        user.ok("apply", "--yes")
        for was, name in (("old", "newer"), ("newer", "newest")):
            renamed = schedules_yaml(**{name: "0 9 * * 1"}).replace(f"action-{name}", "action-old")
            user.write("schedules.yaml", renamed.replace("    cron", f"    was: {was}\n    cron"))
            user.ok("apply", "--yes")
        present = user.ok("history", "schedule/newest")
        for was in ("old", "newer"):
            found = user.ok("history", f"schedule/{was}")
            assert found.out == present.out
            assert found.err == f"schedule/{was} was renamed: it is schedule/newest now\n"
        assert "    name: old -> newer\n" in present.out
