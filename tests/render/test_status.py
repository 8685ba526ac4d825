"""The status as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.core.model import Kind
from cdsync.core.progress import LiveProgress
from cdsync.core.standing import RunStanding
from cdsync.core.status import Health, StatusRow
from cdsync.render.lines import STYLES, WIDTH, joined
from cdsync.render.plan_json import as_json
from cdsync.render.status import STYLE, status_document, status_lines
from tests.core.values import NOW, address, live_progress

ROWS = (
    StatusRow(
        address=address("backfill", kind=Kind.RUN),
        declared="async",
        remote="launched",
        health=Health.ATTENTION,
        uid="r1",
        runs=(RunStanding(uid="r1", status="STOPPED", label="BAD_INPUT", inputs=2, outputs=1, resumes=1, attempts=3),),
        note="needs-attention: run r1 is STOPPED with BAD_INPUT",
    ),
    StatusRow(
        address=address("leads"),
        declared="active",
        remote="active",
        health=Health.OK,
        uid="u1",
        last_fire=NOW,
        next_fire=NOW + timedelta(hours=21),
    ),
    StatusRow(
        address=address("a-name-that-is-longer-than-its-column"), declared="active", remote="-", health=Health.PENDING
    ),
)


def test_a_status_reads_like_this() -> None:
    """A line per resource, below it why it is not ok, and the sum at the end."""
    assert joined(status_lines(ROWS, title="example, as of now")) == (
        "example, as of now\n"
        "RESOURCE                         DECLARED  REMOTE     NEXT FIRE        HEALTH\n"
        "run/backfill                     async     launched   -                attention\n"
        "    last run: STOPPED (BAD_INPUT), 2 inputs, 1 row, resumed 1 of 3 times\n"
        "    needs-attention: run r1 is STOPPED with BAD_INPUT\n"
        "schedule/leads                   active    active     2026-06-02 09:00 ok\n"
        "    last fire 2026-06-01 12:00; last run: none known\n"
        "schedule/a-name-that-is-longer-than-its-column\n"
        "                                 active    -          -                pending\n"
        "\n"
        "3 resources: 1 ok, 1 pending, 1 attention.\n"
    )


def test_an_empty_account_says_so() -> None:
    """A table of nothing would look like a fault."""
    assert joined(status_lines((), title="t")).endswith("\nNothing is declared or owned.\n")


@given(st.text(max_size=40), st.text(max_size=200), st.sampled_from(Health))
def test_every_line_fits_eighty_columns_and_steers_no_terminal(word: str, note: str, health: Health) -> None:
    """Also what an API of another age says is cut and escaped."""
    run = RunStanding(uid=word, status=word, label=note, advice=note)
    row = replace(ROWS[2], remote=word, note=note, runs=(run,), health=health)

    for line in status_lines((row,), title="t"):
        assert line.text.isprintable()
        assert len(line.text) <= WIDTH or " " not in line.text.strip()


def test_every_health_has_a_style() -> None:
    """A new health cannot be forgotten."""
    assert STYLE.keys() == set(Health)
    assert set(STYLE.values()) <= STYLES.keys()


@pytest.mark.parametrize("rows", [ROWS, ()], ids=["some", "none"])
def test_the_document_says_the_same(rows: tuple[StatusRow, ...]) -> None:
    """Everything in full, with times in ISO 8601, under a version."""
    document = json.loads(as_json(status_document(rows)))

    assert document["format_version"] == 1
    assert [row["address"] for row in document["resources"]] == [str(row.address) for row in rows]
    if rows:
        assert document["resources"][1] == {
            "address": "schedule/leads",
            "declared": "active",
            "remote": "active",
            "health": "ok",
            "uid": "u1",
            "last_fire": "2026-06-01T12:00:00+00:00",
            "next_fire": "2026-06-02T09:00:00+00:00",
            "last_run": None,
            "runs": [],
            "live": None,
            "note": None,
            "remedy": None,
        }
        (run,) = document["resources"][0]["runs"]
        assert (run["outputs"], run["attempts_left"], run["error"]["label"]) == (1, 2, "BAD_INPUT")


def test_a_run_in_trouble_is_named_with_its_own_words() -> None:
    """Whoever is to ask the vendor's support, or to look at a message, finds both there."""
    run = RunStanding(uid="r1", status="BLOCKED", label="LK_ERROR", message="LinkedIn said no", advice="ask them")
    row = replace(ROWS[0], runs=(run,), note="needs-attention: run r1 is BLOCKED with LK_ERROR")
    assert joined(status_lines((row,), title="example")).splitlines()[3:7] == [
        "    last run: BLOCKED (LK_ERROR)",
        "    needs-attention: run r1 is BLOCKED with LK_ERROR",
        "    run r1 says: LinkedIn said no",
        "    what to do: ask them",
    ]
    other = replace(row, note="held until released")
    assert "what to do" not in joined(status_lines((other,), title="example"))


def test_a_live_run_that_stopped_says_how_it_goes_on() -> None:
    """By its address, like everything that can be typed."""
    row = replace(ROWS[0], runs=(), live=live_progress(halted="NO_ACCESS"), note=None)
    assert joined(status_lines((row,), title="example")).splitlines()[4] == (
        "    what to do: add credits or a subscription, then: cdsync resume run/backfill"
    )


def test_programs_are_told_where_the_rows_of_a_live_run_are() -> None:
    """With its progress; what is no live run has neither."""
    live = LiveProgress(action="act", total=4, begun_at=NOW, active_at=NOW, rows=20)
    rows = (replace(ROWS[0], live=live), ROWS[1])
    first, second = status_document(rows, results={ROWS[0].address: "/root/results/backfill.jsonl"})["resources"]

    assert (first["live"]["rows"], first["live"]["results"]) == (20, "/root/results/backfill.jsonl")
    assert second["live"] is None
