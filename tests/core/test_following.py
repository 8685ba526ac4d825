"""What a look at the runs of ours leaves to remember."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cdsync.core.following import LAG, MEMORY, due_for_a_look, fired_since, remembered
from cdsync.core.model import FollowedRun, Kind
from tests.core.values import NOW, address, applied, followed, one_off, owned, run_error, run_shown, schedule, shown

FIRED = NOW - timedelta(minutes=3)


@pytest.mark.parametrize(
    ("last", "checked", "expected"),
    [
        (None, None, False),
        (FIRED, None, True),
        (FIRED, FIRED, False),
        (FIRED, FIRED - timedelta(days=1), True),
    ],
)
def test_a_schedule_that_fired_since_the_last_look_is_looked_at(
    last: datetime | None, checked: datetime | None, expected: bool
) -> None:
    """Runs are asked for only when there may be new ones."""
    row = applied(schedule(), runs_checked_at=checked)

    assert fired_since(row, {"u1": shown(schedule(), last_executed_at=last)}, {}) is expected


def test_a_one_off_that_came_to_its_end_is_looked_at_once() -> None:
    """Its run is looked for when it has fired, and never again once it is found."""
    waiting = applied(one_off(schedule_at=NOW))

    assert fired_since(waiting, {}, {"u1": "COMPLETED"})
    assert not fired_since(waiting, {}, {"u1": "CANCELLED"})
    assert not fired_since(replace(waiting, state="completed"), {}, {})
    assert not fired_since(applied(schedule()), {}, {"u1": "COMPLETED"})


def after(*, last: datetime = FIRED, **run: Any) -> tuple[tuple[FollowedRun, ...], list[datetime | None]]:
    """What is remembered of a schedule that fired, and of the one run that was seen."""
    shown_runs = {"r1": run_shown("r1", **run)} if run else {}
    runs, rows = remembered(
        owned(applied(schedule())), {"u1": shown(schedule(), last_executed_at=last)}, {}, shown_runs, now=NOW
    )
    return runs, [row.runs_checked_at for row in rows]


def test_a_firing_is_accounted_for_once_its_run_is_seen() -> None:
    """The run is followed from then on, and the firing is not looked for again."""
    runs, checked = after(schedule_uid="u1", created_at=FIRED + timedelta(seconds=2))

    assert runs == (followed("r1", of=address(), created_at=FIRED + timedelta(seconds=2), seen_at=NOW),)
    assert checked == [FIRED]


@pytest.mark.parametrize(
    "run",
    [
        pytest.param({}, id="no_run_yet"),
        pytest.param({"schedule_uid": "u1", "created_at": FIRED - LAG - timedelta(seconds=1)}, id="an_older_run"),
        pytest.param({"schedule_uid": "x9", "created_at": FIRED}, id="the_run_of_another"),
    ],
)
def test_a_firing_whose_run_is_not_seen_is_looked_for_again(run: dict[str, Any]) -> None:
    """The API may show a run a little later than the firing that made it."""
    _, checked = after(**run)

    assert checked == []


@pytest.mark.parametrize(
    ("complete_for", "expected"), [(timedelta(seconds=-1), []), (timedelta(), [FIRED]), (timedelta(hours=1), [FIRED])]
)
def test_a_run_of_a_moment_before_may_be_that_of_another_firing(
    complete_for: timedelta, expected: list[datetime]
) -> None:
    """Servers date runs a little before their firing; but the own run of this one may just not be shown yet."""
    runs = {"r1": run_shown("r1", schedule_uid="u1", created_at=FIRED - timedelta(seconds=30))}
    fired = {"u1": shown(schedule(), last_executed_at=FIRED)}
    _, rows = remembered(owned(applied(schedule())), fired, {}, runs, now=NOW, complete_until=FIRED + complete_for)

    assert [row.runs_checked_at for row in rows] == expected


def test_a_firing_that_left_no_run_is_given_up_in_the_end() -> None:
    """A tick that the vendor skipped is not looked for for ever."""
    long_ago = NOW - 10 * LAG - timedelta(seconds=1)

    assert after(last=long_ago)[1] == [long_ago]


def test_a_run_of_ours_keeps_what_was_known_of_it() -> None:
    """Its resumes and its first sight survive a look at its status."""
    known = followed("u1", resumes=2, resumed_at=NOW, refusal="no", outputs=7)
    state = owned(applied(one_off()), runs=(known,))
    runs, rows = remembered(state, {}, {}, {"u1": run_shown("u1", status="STOPPED", created_at=None)}, now=NOW)

    assert runs == (replace(known, status="STOPPED", seen_at=NOW),)
    assert rows == ()


def test_a_predecessor_that_is_gone_need_not_be_cancelled_any_more() -> None:
    """Somebody cancelled it: the replacement is complete."""
    half_way = applied(schedule(), retiring_uid="u0")
    seen = {"u1": shown(schedule())}

    assert remembered(owned(half_way), seen, {"u0": "CANCELLED"}, {}, now=NOW)[1] == (
        replace(half_way, retiring_uid=None),
    )
    assert remembered(owned(half_way), {}, {"u0": "CANCELLED", "u1": None}, {}, now=NOW)[1] == ()


@pytest.mark.parametrize(("age", "expected"), [(timedelta(seconds=10), ["u0"]), (timedelta(seconds=20), [None])])
def test_a_predecessor_that_is_not_shown_yet_is_still_to_be_cancelled(
    age: timedelta, expected: list[str | None]
) -> None:
    """It may have been made a moment before its replacement, so that reads show neither for certain."""
    half_way = applied(schedule(), retiring_uid="u0", created_at=NOW - age)
    seen = {"u1": shown(schedule())}
    _, rows = remembered(owned(half_way), seen, {"u0": None}, {}, now=NOW, complete_until=NOW - timedelta(seconds=15))

    assert [row.retiring_uid for row in rows or (half_way,)] == expected


@pytest.mark.parametrize(
    ("age", "runs", "expected"),
    [
        pytest.param(timedelta(days=1), {"r1": run_shown("r1", schedule_uid="u1")}, ["completed"], id="run_seen"),
        pytest.param(timedelta(days=1), {}, [], id="run_not_seen_yet"),
        pytest.param(MEMORY + timedelta(days=1), {}, ["completed"], id="older_than_the_memory_of_the_api"),
    ],
)
def test_a_one_off_is_complete_once_its_run_is_known(age: timedelta, runs: dict[str, Any], expected: list[str]) -> None:
    """It stays remembered, so that it is launched once, ever."""
    waiting = applied(one_off(schedule_at=NOW), created_at=NOW - age)
    _, rows = remembered(owned(waiting), {}, {"u1": "COMPLETED"}, runs, now=NOW)

    assert [row.state for row in rows] == expected
    assert all(row.address == address(kind=Kind.RUN) for row in rows)


def test_a_look_takes_note_of_how_a_run_stands() -> None:
    """What it has found, why it stands still, and until when, are there when it is looked at no more."""
    later = NOW + timedelta(hours=1)
    shown_now = run_shown(
        "u1", status="BLOCKED", output_count=12, last_error=run_error("LIMIT_REACHED"), postponed_until=later
    )
    (run,), _ = remembered(owned(applied(one_off()), runs=(followed("u1"),)), {}, {}, {"u1": shown_now}, now=NOW)

    assert (run.outputs, run.error, run.postponed_until) == (12, "LIMIT_REACHED", later)


@pytest.mark.parametrize(("days", "finished"), [(89, False), (91, True)])
def test_a_run_that_the_api_forgot_is_followed_no_more(days: int, finished: bool) -> None:
    """One that it only does not list just now is looked for again."""
    old = followed("u1", created_at=NOW - timedelta(days=days))
    (run,), _ = remembered(owned(applied(one_off()), runs=(old,)), {}, {}, {}, looked_for=("u1",), now=NOW)

    assert run.finished is finished
    assert run.seen_at == NOW


def test_those_seen_longest_ago_are_looked_at_first() -> None:
    """However many runs are under way, each has its turn, and one that is over has none."""
    runs = [followed(f"r{number}", seen_at=NOW - timedelta(minutes=number)) for number in range(4)]
    runs += [followed("new"), followed("over", status="SUCCEEDED")]

    assert due_for_a_look(runs, most=3) == ("new", "r3", "r2")
    assert due_for_a_look(runs, most=9) == ("new", "r3", "r2", "r1", "r0")
