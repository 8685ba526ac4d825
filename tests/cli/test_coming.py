"""The coming fire times through the real command line, which needs no key and no network."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import jsonschema
from icalendar import Calendar

from tests.cli.process import Shell, shell

SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "next.schema.json").read_text(encoding="utf-8"))
NOWHERE = "http://127.0.0.1:9"


def offline(root: Path, **crons: str) -> Shell:
    """A root whose API cannot be reached, without a key."""
    made = shell(root, NOWHERE, **crons)
    return Shell(made.root, made.url, {"CDSYNC_API_KEY": "", "CAPTAIN_DATA_API_KEY": ""})


def test_the_formats_tell_the_same_times(tmp_path: Path) -> None:
    """Text, JSON and the calendar list the same fires, three of each resource unless it is said otherwise."""
    user = offline(tmp_path, weekly="0 9 * * 1", daily="30 6 * * *")
    document = user.ok("next").out, user.ok("next", "--format", "json").json
    jsonschema.validate(document[1], SCHEMA)
    calendar = Calendar.from_ical(user.ok("next", "--format", "ics").out)
    instants = [datetime.fromisoformat(row["utc"]) for row in document[1]["fires"]]
    assert len(instants) == 6
    assert [event.decoded("dtstart") for event in calendar.walk("VEVENT")] == instants
    assert [line[:20] for line in document[0].splitlines()[:6]] == [f"{at:%a %Y-%m-%d %H:%M}" for at in instants]


def test_a_glob_and_a_span_narrow_it(tmp_path: Path) -> None:
    """Only what matches is listed, so many or for so many days; both at once are refused."""
    user = offline(tmp_path, a="0 * * * *", b="0 9 * * *")
    assert len(user.ok("next", "schedule/b", "--days", "7", "--format", "json").json["fires"]) == 7
    assert len(user.ok("next", "*", "--count", "1", "--format", "json").json["fires"]) == 2
    assert "exclude each other" in user.run("next", "--count", "1", "--days", "1").err


def test_a_glob_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    """A misspelt address never looks like a quiet one, and is answered with the nearest."""
    done = offline(tmp_path, weekly="0 9 * * 1").run("next", "schedule/wekly")
    assert (done.code, done.out) == (1, "")
    assert "did you mean 'schedule/weekly'?" in done.err
