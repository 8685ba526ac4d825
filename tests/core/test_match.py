"""Finding the effect of a creation whose answer was lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cdsync.core.context import SKEW
from cdsync.core.match import LONGEST_WAY, made_late, matching_runs, matching_schedules
from cdsync.core.work import Callback, Reference
from tests.core.values import LABEL_OF_A, NOW, intent, one_off, run_shown, schedule, shown, work

JUST_NOW = NOW + timedelta(seconds=1)
LATE = NOW + LONGEST_WAY + timedelta(seconds=1)
RUN = one_off()


def found(labels: bool | None, *candidates: Any, label: str | None = LABEL_OF_A) -> list[str]:
    """The UIDs of the schedules that a lost creation may have made."""
    lost = intent(schedule(), label=label)
    return [remote.uid for remote in matching_schedules(lost, candidates, labels=labels)]


def test_the_one_that_does_the_same_and_was_made_since_is_it() -> None:
    """Action, cron and zone by meaning, and the time on the server's clock."""
    made = shown(schedule(), "x1", created_at=JUST_NOW, cron="0 9 * * MON-FRI")

    assert found(None, made) == ["x1"]
    assert found(False, made) == ["x1"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"action": "other"}, id="action"),
        pytest.param({"cron": "0 8 * * 1-5"}, id="cron"),
        pytest.param({"cron": None}, id="one_time"),
        pytest.param({"timezone": "UTC"}, id="zone"),
        pytest.param({"created_at": NOW - SKEW - timedelta(seconds=1)}, id="made_before"),
        pytest.param({"label": "made by hand"}, id="another_label"),
    ],
)
def test_anything_else_is_not_it(other: dict[str, Any]) -> None:
    """What differs in anything that a creation decides was made by somebody else."""
    assert found(None, replace(shown(schedule(), "x1", created_at=JUST_NOW), **other)) == []


def test_a_clock_that_is_a_little_behind_hides_nothing() -> None:
    """The server's clock is known only to a few seconds, and some APIs say no time at all."""
    assert found(None, shown(schedule(), "x1", created_at=NOW - SKEW)) == ["x1"]
    assert found(None, shown(schedule(), "x1", created_at=None)) == ["x1"]


def test_two_that_could_be_it_are_both_given() -> None:
    """Nobody picks one by chance; the order does not depend on the listing's."""
    made = [shown(schedule(), uid, created_at=JUST_NOW) for uid in ("x2", "x1")]

    assert found(None, *made) == ["x1", "x2"]


def test_the_label_that_was_sent_decides_between_two() -> None:
    """Where the API echoes it, the label says which one is ours."""
    made = [
        shown(schedule(), "x1", created_at=JUST_NOW, label=LABEL_OF_A),
        shown(schedule(), "x2", created_at=JUST_NOW),
        shown(schedule(), "x3", created_at=JUST_NOW, label="cdsync/b"),
    ]

    assert found(None, *made) == ["x1"]
    assert found(True, *made) == ["x1"]


@pytest.mark.parametrize(
    "rewritten", [{"cron": "@weekdays"}, {"timezone": "CET"}], ids=["its_own_kind_of_cron", "another_name_of_the_zone"]
)
def test_what_carries_the_label_is_ours_however_the_api_rewrote_it(rewritten: dict[str, Any]) -> None:
    """Overlooking it would make it twice."""
    made = replace(shown(schedule(), "x1", created_at=JUST_NOW, label=LABEL_OF_A), **rewritten)

    assert found(True, made) == ["x1"]


def test_a_run_that_carries_the_label_is_ours_whatever_it_echoes() -> None:
    """Overlooking it would pay it twice."""
    made = run_shown(created_at=JUST_NOW, label=LABEL_OF_A, parameters={}, callback_url=None)

    assert [row.uid for row in matching_runs(intent(RUN), [made], labels=True)] == ["r1"]


def test_what_carries_the_label_is_ours_whatever_the_clocks_say() -> None:
    """A server whose clock is an hour off does not make it twice."""
    early = NOW - timedelta(hours=1)

    assert found(True, shown(schedule(), "x1", created_at=early, label=LABEL_OF_A)) == ["x1"]
    assert matching_runs(intent(RUN), [run_shown(created_at=early, label=LABEL_OF_A)], labels=True) != ()


def test_what_was_made_long_after_the_request_may_be_anybodys() -> None:
    """Only the label, or the time, makes sure; it stays a match, so that it is asked about and not doubled."""
    late = shown(schedule(), "x1", created_at=LATE)

    assert found(None, late) == ["x1"]
    assert made_late(intent(schedule()), late)
    assert made_late(intent(RUN), run_shown(created_at=LATE))
    for sure in ({"label": LABEL_OF_A}, {"created_at": NOW + LONGEST_WAY}, {"created_at": None}):
        assert not made_late(intent(schedule()), replace(late, **sure))


def test_what_was_made_in_time_stands_before_what_was_made_late() -> None:
    """What somebody makes hours later does not cast doubt on the one that is there since the request."""
    made = [shown(schedule(), "x1", created_at=LATE), shown(schedule(), "x2", created_at=NOW + LONGEST_WAY)]

    assert found(None, *made) == ["x2"]


def test_where_labels_are_echoed_one_without_is_not_ours() -> None:
    """A twin made by hand in the same minute is not taken for ours."""
    made = shown(schedule(), "x1", created_at=JUST_NOW)

    assert found(True, made) == []
    assert found(True, made, label=None) == ["x1"]


def test_an_intent_without_a_record_matches_nothing() -> None:
    """What cannot be owned cannot be found."""
    lost = intent(schedule(), record=None)

    assert matching_schedules(lost, [shown(schedule(), created_at=JUST_NOW)], labels=None) == ()
    assert matching_runs(lost, [run_shown(created_at=JUST_NOW)], labels=None) == ()


def test_a_live_run_is_never_what_a_launch_made() -> None:
    """What was answered at once was not launched in the background, however alike it is."""
    made = run_shown(created_at=JUST_NOW, mode="LIVE")

    assert matching_runs(intent(RUN), [made], labels=None) == ()
    assert matching_runs(intent(RUN), [replace(made, mode="ASYNC")], labels=None) != ()


@pytest.mark.parametrize(
    ("next_execution_at", "expected"),
    [
        pytest.param(NOW + timedelta(days=1), ["x1"], id="waiting"),
        pytest.param(None, ["x1"], id="fired_already"),
        pytest.param(NOW + timedelta(days=1, milliseconds=5), ["x1"], id="shown_with_a_fraction"),
        pytest.param(NOW + timedelta(days=2), [], id="another_time"),
    ],
)
def test_a_one_time_schedule_is_found_by_its_time(next_execution_at: Any, expected: list[str]) -> None:
    """A one-off that waits is a schedule without a cron."""
    waiting = one_off(schedule_at=NOW + timedelta(days=1))
    made = shown(waiting, "x1", created_at=JUST_NOW, next_execution_at=next_execution_at)

    assert [row.uid for row in matching_schedules(intent(waiting), [made], labels=None)] == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, ["r1"], id="the_same"),
        pytest.param({"parameters": None}, ["r1"], id="no_parameters_shown"),
        pytest.param({"parameters": {"max_results": 500, "mode": "full"}}, ["r1"], id="with_defaults_of_the_api"),
        pytest.param({"parameters": {"max_results": 1, "mode": "full"}}, [], id="other_parameters_with_defaults"),
        pytest.param({"parameters": {"max_results": 1}}, [], id="other_parameters"),
        pytest.param({"parameters": {}}, [], id="parameters_missing"),
        pytest.param({"parameters": {"max_results": "500"}}, ["r1"], id="parameters_as_text"),
        pytest.param({"callback_url": "https://HOOKS.example.com/cd/"}, ["r1"], id="webhook_in_other_letters"),
        pytest.param({"callback_url": "https://other.example.com"}, [], id="another_webhook"),
        pytest.param({"callback_url": None}, ["r1"], id="no_webhook_shown"),
        pytest.param({"schedule_uid": "u9"}, [], id="fired_by_a_schedule"),
        pytest.param({"action": "other"}, [], id="another_action"),
        pytest.param({"created_at": NOW - SKEW}, ["r1"], id="within_the_skew_of_clocks"),
        pytest.param({"created_at": NOW - SKEW - timedelta(seconds=1)}, [], id="launched_before"),
        pytest.param({"label": "cdsync/b"}, [], id="another_label"),
    ],
)
def test_a_launched_run_is_found_by_what_it_echoes(changes: dict[str, Any], expected: list[str]) -> None:
    """Action, parameters and webhook, launched since, and by no schedule."""
    made = replace(run_shown(created_at=JUST_NOW), **changes)

    assert [row.uid for row in matching_runs(intent(RUN), [made], labels=None)] == expected


@pytest.mark.parametrize("label", [None, LABEL_OF_A], ids=["without_labels", "with_labels"])
def test_a_launched_run_is_found_also_when_its_webhook_is_a_secret(label: str | None) -> None:
    """The journal holds no secret, so the webhook cannot be compared; overlooking the run would pay it twice."""
    secret = one_off(work=work(action=RUN.work.action, callback=Callback(url=Reference("env", "HOOK"))))
    made = run_shown(created_at=JUST_NOW, callback_url="https://hooks.example.com/canary", label=label)

    assert [row.uid for row in matching_runs(intent(secret), [made], labels=None)] == ["r1"]
