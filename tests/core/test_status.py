"""How every resource stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cdsync.core.model import DesiredState, Kind, ObservedState, OwnedState
from cdsync.core.status import Health, StatusRow, make_status
from tests.core.values import (
    NOW,
    address,
    applied,
    desired,
    followed,
    live_progress,
    observed,
    one_off,
    owned,
    plan_of,
    run_error,
    run_shown,
    schedule,
    shown,
)


def status(
    declared: DesiredState | None = None, seen: ObservedState | None = None, ours: OwnedState | None = None
) -> tuple[StatusRow, ...]:
    """The status for these states, with the plan that follows from them."""
    declared, seen, ours = declared or desired(), seen or observed(), ours or owned()
    return make_status(declared, seen, ours, plan_of(declared, seen, ours), NOW)


def test_a_schedule_as_declared_is_ok() -> None:
    """Declared, remote, and when it fired last and fires next."""
    before, ahead = NOW - timedelta(hours=5), NOW + timedelta(hours=19)
    remote = shown(schedule(), last_executed_at=before, next_execution_at=ahead)

    assert status(desired(schedule()), observed(remote), owned(applied(schedule()))) == (
        StatusRow(
            address=address(),
            declared="active",
            remote="active",
            health=Health.OK,
            uid="u1",
            last_fire=before,
            next_fire=ahead,
        ),
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            status(desired(schedule())),
            ("active", "-", Health.PENDING, "create: declared, and not on the account"),
            id="new",
        ),
        pytest.param(
            status(desired(schedule()), observed(shown(schedule(), status="PAUSED")), owned(applied(schedule()))),
            ("active", "paused", Health.PENDING, "resume: state was changed on the account"),
            id="drifted",
        ),
        pytest.param(
            status(ours=owned(applied(schedule())), seen=observed(shown(schedule()))),
            ("-", "active", Health.PENDING, "pause: no longer declared: paused now, deleted after 1d"),
            id="undeclared",
        ),
        pytest.param(
            status(
                desired(schedule(protect=True, state="absent")),
                observed(shown(schedule())),
                owned(applied(schedule())),
            ),
            ("absent", "active", Health.BLOCKED, "protected: declared absent, but protected"),
            id="blocked",
        ),
        pytest.param(
            status(desired(schedule()), observed(gone={"u1": None}), owned(applied(schedule()))),
            ("active", "gone", Health.PENDING, "create: u1 is unknown to the API"),
            id="gone",
        ),
        pytest.param(
            status(desired(schedule()), observed(shown(schedule(), status="ODD")), owned(applied(schedule()))),
            (
                "active",
                "odd",
                Health.ATTENTION,
                "needs-attention: u1 has the status ODD, which this version does not know, so it is left alone",
            ),
            id="unknown_status",
        ),
        pytest.param(
            status(desired(one_off()), ours=owned(applied(one_off()))), ("async", "launched", Health.OK, None), id="run"
        ),
    ],
)
def test_what_is_not_ok_says_why(row: tuple[StatusRow, ...], expected: tuple[Any, ...]) -> None:
    """The note is what the plan says about it."""
    (only,) = row

    assert (only.declared, only.remote, only.health, only.note) == expected


def test_what_does_not_tick_has_no_next_fire() -> None:
    """A paused schedule fires at no time, whatever the API last said."""
    paused = schedule(state="paused")
    (row,) = status(desired(paused), observed(shown(paused, next_execution_at=NOW)), owned(applied(paused)))

    assert row.next_fire is None


def test_everything_declared_or_owned_has_one_row() -> None:
    """By address, so that the same account always reads the same."""
    rows = status(desired(schedule("b"), one_off("a")), observed(shown(schedule("c"))), owned(applied(schedule("c"))))

    assert [str(row.address) for row in rows] == ["run/a", "schedule/b", "schedule/c"]


def test_the_last_run_is_the_newest_as_it_is_now() -> None:
    """Its status, the label of its error, and how often it was resumed."""
    old = followed("r1", of=address(), created_at=NOW - timedelta(days=1), status="SUCCEEDED")
    new = followed("r2", of=address(), created_at=NOW, resumes=2)
    seen = observed(
        shown(schedule()),
        run_shown("r2", status="STOPPED", schedule_uid="u1", last_error=run_error("PROXY_ERROR")),
    )
    (row,) = status(desired(schedule()), seen, owned(applied(schedule()), runs=(old, new)))

    assert row.last_run == "STOPPED (PROXY_ERROR), 2 inputs, resumed 2 of 3 times"


def test_a_run_that_was_not_looked_at_is_as_last_seen() -> None:
    """Runs whose creation time nobody knows come before those whose it is."""
    unknown = followed("r9", of=address(kind=Kind.RUN), created_at=None)
    known = followed("r1", of=address(kind=Kind.RUN), status="SUCCEEDED")
    (row,) = status(desired(one_off()), ours=owned(applied(one_off()), runs=(unknown, known)))

    assert row.last_run == "SUCCEEDED, 2 inputs"


def test_two_runs_of_unknown_age_are_told_apart_by_their_uid() -> None:
    """Where nothing says which is newer, the answer is the same every time."""
    runs = tuple(followed(uid, of=address(kind=Kind.RUN), created_at=None, status=uid) for uid in ("R2", "R1"))
    (row,) = status(desired(one_off()), ours=owned(applied(one_off()), runs=runs))

    assert row.last_run == "R2, 2 inputs"


def test_a_run_that_stands_still_says_what_is_left_and_what_to_do() -> None:
    """Its rows, its budget, until when it is postponed, and why; also when it was not looked at just now."""
    later = NOW + timedelta(hours=1)
    known = followed("u1", status="BLOCKED", resumes=1, outputs=7, error="LIMIT_REACHED", postponed_until=later)
    (row,) = status(desired(one_off()), ours=owned(applied(one_off()), runs=(known,)))

    (run,) = row.runs
    assert (run.inputs, run.outputs, run.attempts_left, run.label, run.postponed_until) == (
        2,
        7,
        2,
        "LIMIT_REACHED",
        later,
    )
    assert run.advice == "a limit of the vendor is reached; the vendor retries when it is over"


def test_a_live_run_says_how_far_it_has_come() -> None:
    """Its inputs by how they ended, and its rows."""
    run = one_off(mode="live")
    far = live_progress(total=4, done=1, empty=1, failed=1, rows=30)
    (row,) = status(desired(run), ours=owned(applied(run), live={run.address: far}))

    assert row.last_run == "3 of 4 inputs over (1 with rows, 1 empty, 1 failed), 30 rows"
    assert row.health is Health.PENDING
