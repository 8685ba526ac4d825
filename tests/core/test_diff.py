"""How a declaration differs from what is there and from what was applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cdsync.core.diff import FieldChange, declaration_moved, diff_schedule, drift_of
from cdsync.core.fingerprint import HIDDEN_FIELDS, synopsis_of
from cdsync.core.model import Schedule
from cdsync.core.work import Callback, Work
from tests.core.values import applied, fingerprints, schedule, shown, work

TWO_INPUTS = "2 inputs (digest b0a18183)"


def changes(now_is: Schedule, *, was: Schedule | None = None, **remote: Any) -> tuple[FieldChange, ...]:
    """The changes from a schedule that was applied, to how it is declared now."""
    before = was or schedule()
    return diff_schedule(
        now_is,
        shown(before, **remote),
        applied(before),
        fingerprints=fingerprints(now_is),
    )


def test_a_schedule_as_declared_has_no_changes() -> None:
    """What was applied and is still so differs in nothing."""
    assert changes(schedule()) == ()


@pytest.mark.parametrize(
    "remote",
    [{"cron": "0 9 * * MON-FRI"}, {"cron": "00 09 * * 1,2,3,4,5"}, {"timezone": "europe/paris"}],
)
def test_another_spelling_is_no_change(remote: dict[str, Any]) -> None:
    """Crons and zones are compared by meaning."""
    assert changes(schedule(), **remote) == ()


def test_no_time_zone_is_utc() -> None:
    """The API may leave out what is UTC."""
    assert changes(schedule(timezone="UTC"), was=schedule(timezone="UTC"), timezone=None) == ()


def test_what_the_api_shows_is_compared_with_what_it_shows() -> None:
    """Each visible field gives one change, from what is there to what is declared."""
    now_is = schedule(cron="0 10 * * *", timezone="UTC", state="paused", work=work(action="other"))

    assert changes(now_is) == (
        FieldChange("action", "salesnavigator-search-people", "other"),
        FieldChange("cron", "0 9 * * 1-5", "0 10 * * *"),
        FieldChange("timezone", "Europe/Paris", "UTC"),
        FieldChange("state", "active", "paused"),
    )


@pytest.mark.parametrize(
    ("now_is", "expected"),
    [
        pytest.param(
            work(inputs=({"url": "x"},)),
            FieldChange("inputs", TWO_INPUTS, "1 input (digest 6cfa6375)"),
            id="another_number_of_inputs",
        ),
        pytest.param(
            work(inputs=({"url": "x"}, {"url": "y"})),
            FieldChange("inputs", TWO_INPUTS, "2 inputs (digest e4f3da97)"),
            id="other_inputs",
        ),
        pytest.param(
            work(parameters={"max_results": 9, "new": None}),
            (FieldChange("parameters.max_results", 500, 9), FieldChange("parameters.new", None, None)),
            id="parameters",
        ),
        pytest.param(
            work(parameters={"max_results": 500.0}),
            FieldChange("parameters.max_results", 500, 500.0),
            id="another_type_of_number",
        ),
        pytest.param(
            work(identity_mode="managed"), FieldChange("identity_mode", "direct", "managed"), id="identity_mode"
        ),
        pytest.param(work(identity_ids=("i1",)), FieldChange("identity_ids", [], ["i1"]), id="identity_ids"),
        pytest.param(
            work(callback=replace(work().callback or Callback(url=""), url="https://other.example.com")),
            FieldChange("callback.url", "https://hooks.example.com/cd", "https://other.example.com"),
            id="callback_url",
        ),
        pytest.param(
            work(callback=replace(work().callback or Callback(url=""), on="final")),
            FieldChange("callback.on", "all", "final"),
            id="callback_on",
        ),
        pytest.param(
            work(callback=replace(work().callback or Callback(url=""), headers={"Authorization": "Bearer other"})),
            FieldChange("callback.headers", {"Authorization": "(sensitive)"}, "(sensitive), changed"),
            id="a_header_value",
        ),
        pytest.param(
            work(callback=replace(work().callback or Callback(url=""), headers={})),
            FieldChange("callback.headers.Authorization", "(sensitive)", None),
            id="a_header",
        ),
    ],
)
def test_what_the_api_hides_is_compared_with_what_was_applied(
    now_is: Work, expected: FieldChange | tuple[FieldChange, ...]
) -> None:
    """A hidden field changes when its fingerprint does, and never shows a sensitive value."""
    assert changes(schedule(work=now_is)) == (expected if isinstance(expected, tuple) else (expected,))


def test_inputs_whose_digest_is_not_remembered_are_changed_all_the_same() -> None:
    """An ownership that an older version wrote has only their number; the fingerprint decides."""
    older = applied(schedule())
    older = replace(older, synopsis={**older.synopsis, "inputs": "2 inputs"})
    same = diff_schedule(schedule(), shown(schedule()), older, fingerprints=fingerprints(schedule()))
    other = schedule(work=work(inputs=({"url": "x"}, {"url": "y"})))
    (change,) = diff_schedule(other, shown(other), older, fingerprints=fingerprints(other))

    assert same == ()
    assert (change.path, change.before, change.after) == ("inputs", "2 inputs", synopsis_of(other)["inputs"])


def test_a_webhook_that_is_no_longer_declared_is_a_change_in_each_of_its_fields() -> None:
    """What was there goes to nothing."""
    assert [change.path for change in changes(schedule(work=work(callback=None)))] == [
        "callback.url",
        "callback.headers",
        "callback.on",
    ]


def test_a_field_that_an_older_version_did_not_know_is_unchanged() -> None:
    """An upgrade of cdsync rewrites nothing on the account."""
    older = replace(applied(schedule()), fingerprints={"inputs": fingerprints(schedule())["inputs"]})
    now_is = schedule(work=work(parameters={"max_results": 1}))

    assert diff_schedule(now_is, shown(schedule()), older, fingerprints=fingerprints(now_is)) == ()


def test_what_cannot_be_resolved_is_not_compared() -> None:
    """Without fingerprints of the declaration nothing hidden is said to have changed."""
    now_is = schedule(work=work(parameters={"max_results": 1}))

    assert diff_schedule(now_is, shown(schedule()), applied(schedule()), fingerprints={}) == ()


def test_a_predecessor_that_was_gone_back_to_differs_in_all_that_is_hidden() -> None:
    """An empty fingerprint equals none, so the declaration is applied anew."""
    back = replace(applied(schedule()), fingerprints=dict.fromkeys(HIDDEN_FIELDS, ""))
    found = diff_schedule(
        schedule(),
        shown(schedule()),
        back,
        fingerprints=fingerprints(schedule()),
    )

    assert {change.path for change in found} == set(HIDDEN_FIELDS)


@pytest.mark.parametrize(
    ("now_is", "moved"),
    [
        pytest.param(schedule(), False, id="as_applied"),
        pytest.param(schedule(cron="0 9 * * mon-fri"), False, id="another_spelling"),
        pytest.param(schedule(cron="1 9 * * 1-5"), True, id="cron"),
        pytest.param(schedule(timezone="UTC"), True, id="timezone"),
        pytest.param(schedule(state="paused"), True, id="state"),
        pytest.param(schedule(work=work(action="other")), True, id="action"),
        pytest.param(schedule(work=work(inputs=({},))), True, id="hidden"),
    ],
)
def test_a_declaration_that_moved_is_told_from_a_remote_that_did(now_is: Schedule, moved: bool) -> None:
    """Only the declaration last applied decides, whatever is on the account."""
    found = changes(now_is, cron="5 5 5 5 *", status="PAUSED")

    assert declaration_moved(now_is, applied(schedule()), found) is moved


def test_drift_is_what_the_remote_did_since() -> None:
    """Before is what was applied and after what is there, for what the API shows."""
    remote = shown(schedule(), action="other", cron="0 7 * * *", timezone=None, status="PAUSED")

    assert drift_of(remote, applied(schedule())) == (
        FieldChange("action", "salesnavigator-search-people", "other"),
        FieldChange("cron", "0 9 * * 1-5", "0 7 * * *"),
        FieldChange("timezone", "Europe/Paris", None),
        FieldChange("state", "active", "paused"),
    )
    assert drift_of(shown(schedule(), cron="0 9 * * MON-FRI"), applied(schedule())) == ()
