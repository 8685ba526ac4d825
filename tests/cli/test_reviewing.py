"""Plans for people who review: formats, what comes from a change, and what a machine without the state sees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from justhtml import JustHTML

from cdsync.simulator import Clock, running
from tests.cli.process import schedules_yaml, shell
from tests.test_since import Repository

SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "plan.schema.json").read_text(encoding="utf-8"))


def test_every_format_is_the_only_thing_on_stdout(tmp_path: Path) -> None:
    """Markdown and HTML are one document each, warnings go to stderr, and the saved plan is the JSON one."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", tight="* * * * *")
        markdown = user.ok("plan", "--format", "markdown", "-o", str(tmp_path / "plan.json"))
        html = user.ok("plan", "--format", "html")
        assert markdown.out.startswith("### Plan: 2 to create.\n")
        assert markdown.err.startswith("warning: schedules.yaml:")
        assert JustHTML(html.out, strict=True, sanitize=False).root.query("h1")[0].to_text() == "Plan: 2 to create"
        saved = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
        assert saved["fingerprint"] in markdown.out
        assert saved["fingerprint"] in html.out
        user.ok("apply", str(tmp_path / "plan.json"), "--yes")


def test_rows_of_the_change_stand_apart_from_drift_and_from_the_rest(tmp_path: Path) -> None:
    """A reviewer sees which rows are the change, and is warned of what the plan would do beyond it."""
    repository = Repository(tmp_path)
    with running(clock=Clock(speed=0)) as simulator:
        user = shell(repository.root, simulator.url)
        user.write("schedules.yaml", schedules_yaml(changed="0 9 * * 1", removed="0 9 * * 2"))
        user.write("other.yaml", schedules_yaml(moved="0 9 * * 3", quiet="0 9 * * 4"))
        user.ok("apply", "--yes")
        user.write("late.yaml", schedules_yaml(late="0 9 * * 5"))
        repository.commit()
        row = next(row for row in simulator.account.schedules.rows.values() if row.order.action_name == "action-moved")
        row.status = "PAUSED"
        user.write("schedules.yaml", schedules_yaml(changed="0 10 * * 1"))

        document = user.ok("plan", "--since", "HEAD", "--format", "json").json
        jsonschema.validate(document, SCHEMA)
        assert {(row["address"], row["origin"]) for row in document["actions"]} == {
            ("schedule/changed", "change"),
            ("schedule/removed", "change"),
            ("schedule/moved", "drift"),
            ("schedule/late", "other"),
        }
        assert document["since"]["files"] == ["schedules.yaml"]
        assert document["since"]["beyond"] == 2

        text = user.ok("plan", "--since", "HEAD").out
        titles = [line for line in text.splitlines() if line.startswith("From ")]
        assert titles == [
            "From files changed since HEAD:",
            "From drift on the account:",
            "From neither, due for another reason:",
        ]
        reach = "the plan reaches beyond the change: 2 of 4 actions do not come from files"
        assert f"Warning: {reach}" in " ".join(text.split())


@pytest.mark.parametrize("ref", ["nowhere", "--upload-pack=x"])
def test_a_ref_that_is_none_is_an_error(tmp_path: Path, ref: str) -> None:
    """It ends with 1, a message and no plan."""
    with running() as simulator:
        repository = Repository(tmp_path)
        user = shell(repository.root, simulator.url, a="0 9 * * 1")
        repository.commit()
        done = user.run("plan", "--since", ref)
        assert (done.code, done.out) == (1, "")
        assert f"error: --since {ref!r} names no commit" in done.err


def test_a_plan_without_the_state_says_what_it_cannot_see(tmp_path: Path) -> None:
    """A fresh CI runner tells that it knows nothing of ownership and hidden drift; with the state nothing is said.

    Nor is anybody alarmed by the first plan of all, on an account that has nothing of the kind.
    """
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        (calm,) = user.ok("plan", "--format", "json").json["cannot_see"]
        assert calm.endswith("there is no state here, as it is before the first")
        user.ok("apply", "--yes")
        assert user.ok("plan", "--format", "json").json["cannot_see"] == []
        shutil.rmtree(tmp_path / ".cdsync")
        saved = tmp_path / "plan.json"
        text = user.ok("plan", "-o", str(saved)).out
        assert "no state here: ownership is not known" in " ".join(text.split())
        assert len(json.loads(saved.read_text(encoding="utf-8"))["cannot_see"]) == 3
        user.write("schedules.yaml", schedules_yaml(b="0 9 * * 2"))
        assert len(user.ok("plan", "--format", "json").json["cannot_see"]) == 3
        assert not (tmp_path / ".cdsync").exists()


def test_a_changed_cron_tells_what_it_means(tmp_path: Path) -> None:
    """The text plan says in words and times what an expression did and will do; apply says the same."""
    with running(clock=Clock(speed=0)) as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1-5")
        user.ok("apply", "--yes")
        shell(tmp_path, simulator.url, a="0 10 * * 1-5")
        for command in (("plan",), ("apply", "--yes")):
            out = user.ok(*command).out
            assert "        before: weekdays at 09:00 UTC\n" in out
            assert "        after:  weekdays at 10:00 UTC\n" in out
            assert max(map(len, out.splitlines())) <= 80


def test_many_schedules_in_one_minute_are_told(tmp_path: Path) -> None:
    """Five at once are a warning on stderr of plan and status, and a field of their JSON."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, **{f"s{number}": "0 9 * * 1" for number in range(5)})
        planned, status = user.ok("plan"), user.ok("status", "--format", "json")
        assert "warning: 5 schedules fire in the same minute, Mon " in planned.err
        assert status.json["crowd"]["addresses"] == [f"schedule/s{number}" for number in range(5)]
        assert status.err == ""


def test_a_plan_reviewed_on_one_machine_is_applied_on_another_that_has_the_state(tmp_path: Path) -> None:
    """A runner with a copy of the state decides the same; one without it does not, and its plan is refused."""
    with running(clock=Clock(speed=0)) as simulator:
        keeper = shell(tmp_path / "keeper", simulator.url, a="0 9 * * 1", b="0 9 * * 2")
        keeper.ok("apply", "--yes")
        runner = shell(tmp_path / "runner", simulator.url, a="0 10 * * 1")
        blind = str(tmp_path / "blind.json")
        runner.ok("plan", "-o", blind)
        shutil.copytree(keeper.root / ".cdsync", runner.root / ".cdsync")
        reviewed = str(tmp_path / "reviewed.json")
        runner.ok("plan", "-o", reviewed)
        shell(tmp_path / "keeper", simulator.url, a="0 10 * * 1")
        refused = keeper.run("apply", blind, "--yes")
        assert refused.code == 4
        assert "is stale" in refused.err
        keeper.ok("apply", reviewed, "--yes")
        keeper.ok("plan", "--detailed-exitcode")
