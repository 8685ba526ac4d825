"""validate for programs: the same verdict and the same exit code in every format."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from tests.cli.process import Shell, shell

SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "validate.schema.json").read_text(encoding="utf-8"))
NOWHERE = "http://127.0.0.1:9"


def test_every_problem_is_an_annotation_on_stdout(tmp_path: Path) -> None:
    """Each fault is one workflow command at its place, named from the top of the checkout; stderr stays empty."""
    root = tmp_path / "accounts" / "main"
    user = shell(root, NOWHERE, a="61 9 * * 1", b="0 9 31 2 *")
    done = user.run("validate", "--format", "github", GITHUB_WORKSPACE=str(tmp_path))
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("::error file=accounts/main/schedules.yaml,line=4,col=11,title=schedule/a::")
    assert lines[1].startswith("::error file=accounts/main/schedules.yaml,line=8,col=11,title=schedule/b::")


def test_warnings_are_annotations_and_change_no_exit_code(tmp_path: Path) -> None:
    """A tight schedule is a warning beside its line."""
    done = shell(tmp_path, NOWHERE, tight="* * * * *").ok("validate", "--format", "github")
    assert done.err == ""
    assert done.out.startswith("::warning file=")
    assert "title=schedule/tight::cron '* * * * *' fires every minute" in done.out


def test_the_json_holds_every_problem(tmp_path: Path) -> None:
    """Valid, faulty or not there at all: one document of one shape, and the exit code says which."""
    good = shell(tmp_path / "good", NOWHERE, a="0 9 * * 1", tight="* * * * *").ok("validate", "--format", "json")
    bad = shell(tmp_path / "bad", NOWHERE, a="61 9 * * 1", b="0 9 31 2 *").run("validate", "--format", "json")
    gone = Shell(tmp_path / "gone").run("validate", "--format", "json")
    for done in (good, bad, gone):
        jsonschema.validate(done.json, SCHEMA)
        assert done.err == ""
    assert (good.json["valid"], good.json["schedules"], len(good.json["warnings"])) == (True, 2, 1)
    assert (bad.code, [row["address"] for row in bad.json["problems"]]) == (1, ["schedule/a", "schedule/b"])
    assert gone.code == 1
    assert "does not exist" in gone.json["fault"]
