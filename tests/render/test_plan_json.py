"""A plan as a JSON document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from cdsync.core.plan import ActionKind, BlockedReason, Plan, Reason, fingerprint_of_plan
from cdsync.core.work import Callback, Reference
from cdsync.render.plan_json import as_json, plan_document
from tests.core.values import NOW, applied, desired, observed, owned, plan_of, schedule, shown, work
from tests.render.reviewed import HOSTILE, hostile_plan, hostile_remarks
from tests.render.test_plan_text import eventful, plans

ACCOUNT = "https://api.example.com/v4 as cdsync"

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "schema" / "plan.schema.json").read_text(encoding="utf-8")
)


def validate(document: Any) -> None:
    """Check a document against the schema that is shipped."""
    Draft202012Validator(SCHEMA).validate(document)


def test_the_schema_is_a_schema() -> None:
    """What others validate with is valid itself."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("plan", [eventful(), Plan()], ids=["eventful", "empty"])
def test_a_plan_is_what_its_schema_says(plan: Plan) -> None:
    """Every key is described and every description is met, after a way through a file."""
    validate(json.loads(as_json(plan_document(plan, account=ACCOUNT))))


@given(plans)
def test_every_plan_can_be_written_and_read(plan: Plan) -> None:
    """Whatever stands in it, the document is JSON, the same each time, and as its schema says."""
    text = as_json(plan_document(plan, account=ACCOUNT))

    assert text == as_json(plan_document(plan, account=ACCOUNT))
    assert text.endswith("}\n")
    validate(json.loads(text))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("actions", "action"), ActionKind),
        (("actions", "reason"), Reason),
        (("blocked", "reason"), BlockedReason),
    ],
    ids=["action", "reason", "blocked"],
)
def test_the_schema_knows_every_word(path: tuple[str, str], words: Any) -> None:
    """A new kind or reason is not forgotten in the contract, and none that is gone lingers there."""
    rows, field = path
    enum = SCHEMA["properties"][rows]["items"]["properties"][field]["enum"]

    assert enum == [word.value for word in words]


def test_the_document_has_the_decisions_in_their_order() -> None:
    """Address, action, reason and changes, as a reviewer's tool needs them."""
    old = schedule()
    plan = plan_of(desired(schedule(cron="0 10 * * *")), observed(shown(old, timezone="UTC")), owned(applied(old)))
    document = plan_document(plan, account=ACCOUNT)

    assert document["fingerprint"] == fingerprint_of_plan(plan)
    assert document["pending"] is True
    assert document["summary"] == {**dict.fromkeys(map(str, ActionKind), 0), "replace": 1, "blocked": 0, "drift": 1}
    assert document["drift"] == [
        {"address": "schedule/a", "path": "timezone", "applied": "Europe/Paris", "found": "UTC"}
    ]
    (action,) = document["actions"]
    assert action["first_fire"] == "2026-06-02T10:00:00+02:00"
    assert (action["address"], action["action"], action["reason"], action["uid"]) == (
        "schedule/a",
        "replace",
        "changed",
        "u1",
    )
    assert action["changes"] == [
        {"path": "cron", "before": "0 9 * * 1-5", "after": "0 10 * * *"},
        {"path": "timezone", "before": "UTC", "after": "Europe/Paris"},
    ]


def test_the_document_holds_nothing_sensitive() -> None:
    """A saved plan may go into a pull request."""
    secret = work(callback=Callback(url=Reference("env", "HOOK"), headers={"A": "canary"}))
    text = as_json(plan_document(plan_of(desired(schedule(work=secret)), now=NOW), account=ACCOUNT))

    assert "canary" not in text
    assert '"A": "(sensitive)"' in text


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_told_beside_a_plan_fits_the_schema_too(text: str) -> None:
    """Whatever a plan and its remarks hold, the document is one that the schema describes."""
    plan = hostile_plan(text)
    document = plan_document(plan, account=text, targets=(text,), remarks=hostile_remarks(plan, text))

    validate(json.loads(as_json(document)))
    assert document["since"]["ref"] == text
    assert document["actions"][0]["preview"]["after"]["words"] == text
    assert document["blocked"][0]["origin"] == "change"
    assert document["crowd"]["minutes"] == 2
    assert len(document["cannot_see"]) == 3


def test_remarks_are_no_part_of_what_a_plan_decides() -> None:
    """The fingerprint of a reviewed plan does not depend on what was told beside it."""
    plan = hostile_plan("text")
    with_remarks = plan_document(plan, account="x", remarks=hostile_remarks(plan, "text"))

    assert with_remarks["fingerprint"] == plan_document(plan, account="x")["fingerprint"]
