"""What validate found, for programs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from cdsync.errors import Problem
from cdsync.render.verdict import Verdict, verdict_document, workflow_commands

SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "validate.schema.json").read_text(encoding="utf-8"))

FAULT = Problem("team/a.yaml", 4, 11, "schedule/a", "'61' is no minute; expected 0 to 59")


def test_each_problem_is_a_command_at_its_place() -> None:
    """Errors come first, then warnings; files are named from the top of the checkout."""
    verdict = Verdict(problems=(FAULT,), warnings=(Problem("b.yaml", 2, 1, None, "tight"),))

    assert workflow_commands(verdict, folder="accounts/main") == (
        "::error file=accounts/main/team/a.yaml,line=4,col=11,title=schedule/a::'61' is no minute; expected 0 to 59\n"
        "::warning file=accounts/main/b.yaml,line=2,col=1,title=cdsync::tight\n"
    )


@pytest.mark.parametrize(
    ("file", "message", "expected"),
    [
        ("a,b:c.yaml", "m", "::error file=a%2Cb%3Ac.yaml,line=1,col=1,title=cdsync::m\n"),
        ("a.yaml", "50%\r\n::error::x", "::error file=a.yaml,line=1,col=1,title=cdsync::50%25%0D%0A::error::x\n"),
        ("%0A.yaml", "a,b: c", "::error file=%250A.yaml,line=1,col=1,title=cdsync::a,b: c\n"),
    ],
)
def test_nothing_in_a_problem_begins_another_command(file: str, message: str, expected: str) -> None:
    """Line breaks, percent signs, commas and colons are escaped where they would have a meaning."""
    verdict = Verdict(problems=(Problem(file, 1, 1, None, message),))
    assert workflow_commands(verdict, folder=".") == expected


def test_a_fault_without_a_place_is_told_too() -> None:
    """A folder that is not there is an annotation of no file."""
    assert (
        workflow_commands(Verdict(fault="x does\nnot exist"), folder=".")
        == "::error title=cdsync::x does%0Anot exist\n"
    )


def test_the_document_is_what_its_schema_says() -> None:
    """Valid or not, it has one shape."""
    for verdict in (Verdict(problems=(FAULT,)), Verdict(fault="x"), Verdict(warnings=(FAULT,), schedules=2, files=1)):
        document = verdict_document(verdict)
        jsonschema.validate(document, SCHEMA)
        assert document["valid"] == (not verdict.problems and verdict.fault is None)
