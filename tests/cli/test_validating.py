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


DOUBTFUL = """\
defaults:
  callback: {url: "https://hooks.example.com/cd", headers: {Authorization: {env: HOOK_TOKEN}}}
runs:
  late:
    action: a
    inputs: [{}]
    schedule_at: 2020-12-01T08:00:00+01:00
  own:
    action: a
    inputs: [{}]
    callback: {url: {env: HOOK_URL}, headers: {Authorization: {env: HOOK_TOKEN}, X: {file: gone}}}
"""


def test_what_may_be_a_slip_is_told_to_who_asks(tmp_path: Path) -> None:
    """A time that has passed, and variables that are not set, each once; a reviewer is not told at every change."""
    user = shell(tmp_path, NOWHERE)
    user.write("schedules.yaml", DOUBTFUL)
    done = user.ok("validate", HOOK_TOKEN="")

    assert done.err.splitlines() == [
        "warning: schedules.yaml:7:18: run/late: schedule_at 2020-12-01T08:00:00+01:00 has passed, so that it is not "
        "launched any more; expected a later time",
        "warning: schedules.yaml:11:21: run/own: callback.url is {env: HOOK_URL}, which is not set here; "
        "expected it where cdsync applies",
    ]
    told = user.ok("validate", "--format", "json").json["warnings"]
    assert [(row["line"], row["address"]) for row in told] == [(2, "run/late"), (7, "run/late"), (11, "run/own")]
    assert user.ok("validate", "--format", "github").out == ""


def test_a_folder_whose_declaration_is_in_a_repository_says_so(tmp_path: Path) -> None:
    """Valid, with nothing in it, would be taken for a verdict on the repository."""
    user = Shell(tmp_path)
    user.write("cdsync.yaml", "daemon:\n  git: {url: 'https://example.com/acme/schedules.git'}\n")
    done = user.ok("validate")

    assert done.out == "valid: 0 schedules and 0 runs in 1 file\n"
    assert done.err == (
        "warning: cdsync.yaml:2:8: the declaration is in this repository, and only this folder was checked; "
        "validate a checkout of it\n"
    )
