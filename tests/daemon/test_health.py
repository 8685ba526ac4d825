"""When the daemon is healthy, and what it says when it is not."""

from __future__ import annotations

from cdsync.core.actions import BlockedReason, Plan
from cdsync.core.records import RefusedCommit
from cdsync.core.status import Health
from cdsync.daemon.declared import Fault
from cdsync.daemon.health import judge
from cdsync.daemon.standing import Result
from cdsync.errors import ConfigError, GitUnreachable, GuardRefused, Problem, Unreachable
from tests.daemon.values import NOW, blocked, record, standing, status

DOWN = Unreachable("GET /schedules: no connection")
FAULT = Fault(error=ConfigError((Problem("a.yaml", 3, 1, None, "it is wrong"),)), since=NOW)


def test_three_intervals_may_go_by_without_progress() -> None:
    """Then it is unhealthy, and says for how long nothing got on and why."""
    failing = standing(record(Result.FAILED, error=DOWN), failures=4)

    assert judge(failing, interval=60, since_progress=180).healthy
    verdict = judge(failing, interval=60, since_progress=181)
    assert not verdict.healthy
    assert verdict.reasons == (
        "no progress for 181 s; expected some within 180 s",
        "pass 1 failed (4 in a row): GET /schedules: no connection",
    )


def test_it_is_ready_after_the_first_pass_that_decided_anything() -> None:
    """Traffic and dependants may wait for it."""
    assert not judge(standing(), interval=60, since_progress=1).ready
    assert not judge(standing(record(Result.FAILED, error=DOWN)), interval=60, since_progress=1).ready
    assert judge(standing(record()), interval=60, since_progress=1).ready


def test_a_wrong_configuration_is_told_and_is_no_reason_to_start_anew() -> None:
    """The last good one is kept, and kept well."""
    verdict = judge(standing(record(), fault=FAULT), interval=60, since_progress=1)

    assert verdict.healthy
    assert verdict.notes == (
        "the newest configuration is refused since 2026-06-01 07:00:01 UTC, the last good one is kept: "
        "a.yaml:3:1: it is wrong",
    )


def test_a_refused_commit_is_named_also_when_the_remote_is_away() -> None:
    """Which one it is about, and that it is refused still."""
    away = Fault(error=GitUnreachable("git could not look at the remote"), since=NOW)
    refused = RefusedCommit(commit="a" * 40, problems=("it is not signed",), since=NOW)
    verdict = judge(standing(record(), fault=away, refused=refused), interval=60, since_progress=1)

    assert verdict.notes == (
        "the newest configuration cannot be read since 2026-06-01 07:00:01 UTC, the last good one is kept: "
        "git could not look at the remote",
        "commit aaaaaaaaaaaa is refused since 2026-06-01 07:00:01 UTC: it is not signed",
    )


def test_without_any_good_configuration_it_is_unhealthy_in_the_end() -> None:
    """Nothing is kept then, and the reason says so."""
    verdict = judge(standing(delivery=None, fault=FAULT), interval=60, since_progress=500)

    assert (verdict.healthy, verdict.ready) == (False, False)
    assert "there is none to keep" in verdict.reasons[1]
    assert verdict.reasons[2] == "no pass has come to its end yet"


def test_a_refused_plan_is_a_decision() -> None:
    """The daemon does its work; a person has to look, and is told what at."""
    verdict = judge(standing(record(Result.REFUSED, error=GuardRefused("too many"))), interval=60, since_progress=1)

    assert verdict.document() == {
        "status": "healthy",
        "ready": True,
        "reasons": [],
        "notes": ["the plan of pass 1 is refused, and nothing of it is done: too many"],
    }


def test_what_waits_for_a_person_is_a_note_and_no_reason() -> None:
    """As many are named as the metric counts, five by their names; an outage of the API does not hide them."""
    rows = tuple(status(name, Health.ATTENTION) for name in "abcdef")
    looked = record(Result.PARTIAL, rows=(*rows, status("fine")), plan=Plan(blocked=(blocked("f"),)))
    note = "6 resources need a person: schedule/a, schedule/b, schedule/c, schedule/d, schedule/e and 1 more"

    verdict = judge(standing(looked), interval=60, since_progress=1)
    assert (verdict.healthy, verdict.reasons, verdict.notes) == (True, (), (note,))
    down = standing(record(Result.FAILED, error=DOWN, seen=None, found=None), looked=looked, failures=4)
    verdict = judge(down, interval=60, since_progress=999)
    assert (verdict.healthy, len(verdict.reasons), verdict.notes) == (False, 2, (note,))


def test_what_fails_and_is_tried_again_is_a_note() -> None:
    """It is told apart from what waits for a person."""
    plan = Plan(blocked=(blocked("a", BlockedReason.BACKING_OFF), blocked("b"), blocked("c", BlockedReason.HELD)))
    verdict = judge(standing(record(Result.PARTIAL, plan=plan)), interval=60, since_progress=1)

    assert verdict.notes == ("1 resource fails: schedule/a", "1 resource needs a person: schedule/b")
