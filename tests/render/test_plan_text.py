"""A plan for a terminal."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.core.diff import FieldChange
from cdsync.core.model import Kind, Resource
from cdsync.core.origin import Since
from cdsync.core.plan import Action, ActionKind, Blocked, BlockedReason, Drift, Limit, Plan, Reason, Violation
from cdsync.core.remarks import NO_STATE, Remarks
from cdsync.core.work import Callback, Reference
from cdsync.render.lines import STYLES, WIDTH, Line, joined, printable, wrapped
from cdsync.render.plan_sections import SIGNS, summary_sentence
from cdsync.render.plan_text import plan_lines
from tests.core.values import (
    NOW,
    address,
    applied,
    desired,
    observed,
    one_off,
    owned,
    plan_of,
    policy,
    run_shown,
    schedule,
    shown,
    work,
)
from tests.render.reviewed import HOSTILE, hostile_plan, hostile_remarks


def eventful() -> Plan:
    """A plan in which much happens."""
    moved, drifted = schedule("moved"), schedule("drifted", cron="5 4 * * *")
    undeclared = [schedule(f"undeclared-{n}", cron=f"{n} 3 * * *") for n in range(2)]
    renamed = schedule("after", cron="6 4 * * *", was="before")
    declared: list[Resource] = [
        schedule("new", cron="0 1 * * *", first_fire="immediate"),
        replace(moved, cron="0 10 * * *", work=work(parameters={"max_results": 5, "fields": ["a", {"b": "c" * 80}]})),
        drifted,
        renamed,
        schedule("found", cron="7 4 * * *"),
        schedule("doubled", cron="8 4 * * *"),
        one_off("backfill", schedule_at=NOW + timedelta(days=3)),
        one_off("stopped"),
    ]
    seen = observed(
        shown(moved, "u-moved"),
        shown(drifted, "u-drifted", status="PAUSED", timezone=None),
        shown(renamed, "u-before"),
        *(shown(row, f"u-{row.address.name}") for row in undeclared),
        shown(schedule("found", cron="7 4 * * *"), "u-found", label="cdsync/found"),
        shown(schedule("doubled", cron="8 4 * * *"), "u-double"),
        run_shown("r-stopped", status="STOPPED"),
    )
    ours = owned(
        applied(moved, "u-moved"),
        applied(drifted, "u-drifted"),
        replace(applied(renamed, "u-before"), address=address("before")),
        applied(one_off("stopped"), "r-stopped"),
        *(applied(row, f"u-{row.address.name}") for row in undeclared),
        applied(schedule("gone"), "u-gone"),
    )
    return plan_of(
        desired(*declared), replace(seen, gone={"u-gone": None}), ours, rules=policy(max_removals=Limit(count=1))
    )


EXPECTED = """\
  ~ schedule/after
      rename: was schedule/before; the API object is kept
        name: before -> after
 <= schedule/found
      adopt u-found: carries the label 'cdsync/found'; what the API does not
        show is taken to be as declared
  - schedule/gone
      forget u-gone: no longer declared, and unknown to the API
  > run/backfill
      launch: declared, and never launched: once, at 2026-06-04T12:00:00+00:00
        inputs:           2 inputs (digest b0a18183)
        parameters:       {"max_results": 500}
        identity_mode:    direct
        callback.url:     https://hooks.example.com/cd
        callback.headers: {"Authorization": "(sensitive)"}
        callback.on:      all
        action:           linkedin-extract-people
        mode:             async
        schedule_at:      2026-06-04T12:00:00+00:00
      fires first on Thu 2026-06-04 12:00 UTC
  + schedule/new
      create: declared, and not on the account
        action:           salesnavigator-search-people
        cron:             0 1 * * *
        timezone:         Europe/Paris
        state:            active
        first_fire:       immediate
        inputs:           2 inputs (digest b0a18183)
        parameters:       {"max_results": 500}
        identity_mode:    direct
        callback.url:     https://hooks.example.com/cd
        callback.headers: {"Authorization": "(sensitive)"}
        callback.on:      all
  > run/stopped
      resume-run r-stopped: run r-stopped is STOPPED; resume 1 of 3
        status: STOPPED -> SCHEDULED
-/+ schedule/drifted
      replace u-drifted: timezone, state was changed on the account; this API
        cannot change it in place: pause, create anew, verify, cancel
        timezone: Europe/Paris
        state:    paused -> active
      fires first on Tue 2026-06-02 04:05 Europe/Paris
-/+ schedule/moved
      replace u-moved: cron, parameters changed in the declaration; this API
        cannot change it in place: pause, create anew, verify, cancel
        cron:                   0 9 * * 1-5 -> 0 10 * * *
        parameters.fields:      ["a", {"b":
            "cccccccccccccccccccccccccccccccccccc...
        parameters.max_results: 500 -> 5
      fires first on Tue 2026-06-02 10:00 Europe/Paris
  - schedule/undeclared-0
      pause u-undeclared-0: no longer declared: paused now, deleted after 1d
        state: active -> paused
  - schedule/undeclared-1
      pause u-undeclared-1: no longer declared: paused now, deleted after 1d
        state: active -> paused

Moved on the account since the last apply:
    schedule/drifted: state was active, is paused
    schedule/drifted: timezone was Europe/Paris, is null

Left alone:
  ! schedule/doubled
      lookalike: a live schedule that is not ours does the same at the same
        times: u-double
      what to do: cdsync adopt schedule/doubled u-double; or apply
        --allow-lookalikes to create another

Refused: 2 of 6 owned schedules would be removed; policy.max_removals is 1,
which allows 1
  If that is meant: apply --allow-removals 2

Plan: 1 to create, 1 to launch, 1 to adopt, 1 to rename, 2 to replace, 1 run to
resume, 2 to pause, 1 to forget; 1 left alone.
"""


def test_a_plan_reads_like_this() -> None:
    """A sign and an address per row, why, and what changes from what to what."""
    assert joined(plan_lines(eventful())) == EXPECTED


def test_the_same_plan_has_the_same_bytes() -> None:
    """Two plans of the same states can be compared by their text."""
    assert joined(plan_lines(eventful())) == joined(plan_lines(eventful()))


def test_what_differs_about_another_s_object_is_shown() -> None:
    """What carries our label but does something else is left alone, with what an adoption would change."""
    theirs = shown(schedule(), "u-theirs", label="cdsync/a", cron="0 7 * * *")

    assert (
        joined(plan_lines(plan_of(desired(schedule()), observed(theirs))))
        == """\
Left alone:
  ! schedule/a
      lookalike: u-theirs carries its label 'cdsync/a', but does something else,
        so it may be another's
        cron: 0 7 * * * -> 0 9 * * 1-5
      what to do: if it is yours: cdsync adopt schedule/a u-theirs

No changes can be made now; 1 left alone.
"""
    )


def test_a_paused_schedule_promises_no_firing() -> None:
    """What is created paused is shown without a first firing."""
    text = joined(plan_lines(plan_of(desired(schedule(state="paused")))))

    assert "create: declared, and not on the account" in text
    assert "fires first" not in text


def test_a_plan_with_nothing_to_do_says_so() -> None:
    """Silence would leave a person to guess."""
    assert joined(plan_lines(Plan())) == "No changes: the account is as declared.\n"


def test_a_plan_in_which_nothing_can_be_done_does_not_say_that_all_is_well() -> None:
    """What is blocked is not as declared."""
    plan = plan_of(desired(one_off(schedule_at=NOW)))

    assert summary_sentence(plan) == "No changes can be made now; 1 left alone."


def test_every_kind_of_action_has_a_sign_and_a_style() -> None:
    """A new kind cannot be forgotten."""
    assert SIGNS.keys() == set(ActionKind)
    assert {style for _, style in SIGNS.values()} <= STYLES.keys()


texts = st.text(max_size=120)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
changes = st.lists(st.builds(FieldChange, texts, values, values), max_size=3).map(tuple)
addresses = st.sampled_from([address("a"), address("x" * 100), address("b", kind=Kind.RUN)])
actions = st.builds(
    Action,
    address=addresses,
    kind=st.sampled_from(ActionKind),
    reason=st.sampled_from(Reason),
    why=texts,
    uid=st.none() | texts,
    changes=changes,
    first_fire=st.none() | st.just(NOW),
)
blocked = st.builds(
    Blocked,
    address=addresses,
    reason=st.sampled_from(BlockedReason),
    message=texts,
    remedy=st.none() | texts,
    changes=changes,
)
drifts = st.builds(Drift, address=addresses, path=texts, applied=st.none() | texts, found=st.none() | texts)
violations = st.builds(
    Violation, limit=texts, counted=st.integers(), allowed=st.integers(), message=texts, remedy=texts
)
plans = st.builds(
    Plan,
    actions=st.lists(actions, max_size=3).map(tuple),
    blocked=st.lists(blocked, max_size=2).map(tuple),
    drift=st.lists(drifts, max_size=2).map(tuple),
    violations=st.lists(violations, max_size=1).map(tuple),
)


@given(plans)
def test_every_line_fits_eighty_columns(plan: Plan) -> None:
    """Only a word that cannot be broken may stand out, and then it stands alone."""
    for line in plan_lines(plan):
        words = line.text.split(" ")
        assert (
            len(line.text) <= WIDTH or len([word for word in words if word]) <= 2 or max(map(len, words)) > WIDTH - 30
        )


@given(plans)
def test_no_value_can_steer_a_terminal(plan: Plan) -> None:
    """Control characters, line breaks and writing that runs backwards are shown as escapes."""
    assert all(line.text.isprintable() for line in plan_lines(plan))


def test_a_control_character_is_shown() -> None:
    """Nothing is dropped: a person sees what stands there."""
    assert printable("a\x1b[31mb\n\u202ec é") == "a\\x1b[31mb\\n\\u202ec é"


def test_a_word_longer_than_a_line_stays_whole() -> None:
    """A URL can be copied."""
    url = "https://example.com/" + "x" * 90

    assert wrapped(f"see {url} there", indent=2, hang=2) == [Line("  see"), Line(f"    {url}"), Line("    there")]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_sensitive_is_shown(seed: int) -> None:
    """Values of headers and of references are in no plan, whatever changes about them."""
    secret = f"canary-{random.Random(seed).random()}"  # noqa: S311 # a text that stands nowhere else
    before = work(callback=Callback(url=Reference("env", "HOOK"), headers={"A": secret, "B": Reference("env", "X")}))
    after = work(callback=Callback(url=Reference("env", "HOOK"), headers={"A": f"{secret}-new"}))
    old = schedule(work=before)
    plan = plan_of(
        desired(schedule(work=after), schedule("new", work=before, cron="1 1 * * *"), one_off(work=after)),
        observed(shown(old)),
        owned(applied(old)),
    )
    text = joined(plan_lines(plan))

    assert secret not in text
    assert "hooks.example.com" not in text
    assert "callback.headers.B: (sensitive) -> null" in text
    assert text.count("(sensitive)") >= 4


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_told_beside_a_plan_cannot_steer_a_terminal(text: str) -> None:
    """Every line is printable, whatever stands in a plan and in its remarks."""
    plan = hostile_plan(text)

    assert all(line.text.isprintable() for line in plan_lines(plan, hostile_remarks(plan, text)))


def test_rows_stand_apart_by_where_they_come_from() -> None:
    """The change first, then drift, then the rest, with a warning that the plan reaches beyond the change."""
    plan = eventful()
    change = Since(ref="main", base="abc123", files=("cdsync.yaml",), addresses=frozenset({address("moved")}))
    lines = [line.text for line in plan_lines(plan, Remarks(since=change, cannot_see=NO_STATE))]

    titles = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles == [
        "From files changed since main:",
        "From drift on the account:",
        "From neither, due for another reason:",
        "Moved on the account since the last apply:",
        "Left alone for another reason:",
        "Not seen:",
    ]
    assert max(map(len, lines)) <= WIDTH
    text = " ".join(lines)
    assert "1 file changed since main (abc123). cdsync.yaml is among them: settings hold for" in text
    assert "Warning: the plan reaches beyond the change: 9 of 10 actions do not come" in text
