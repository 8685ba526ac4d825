"""What is worth telling, and when it is not told again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdsync.core.actions import BlockedReason, Plan
from cdsync.core.events import Failed, Succeeded
from cdsync.core.records import RefusedCommit
from cdsync.daemon.declared import Fault
from cdsync.daemon.news import LISTED, Fact, Memory, News, Occasion, message
from cdsync.daemon.standing import PassRecord, Result, Standing
from cdsync.errors import (
    CdsyncError,
    CommitRefused,
    ConfigError,
    GitUnreachable,
    GuardRefused,
    Problem,
    Unauthorized,
    Unreachable,
)
from tests.daemon.values import NOW, action, blocked, drift, record, standing

DOWN = Unreachable("GET /schedules: no connection", remedy="check the network")
OCCASION = Occasion(at=NOW, account="https://api.example.com/v4 as cdsync", revision="abc123", number=7)


def told(news: tuple[News, ...]) -> list[str]:
    """What was told, in short."""
    return [
        f"{'over ' if piece.resolved else ''}{piece.event}: {', '.join(fact.subject for fact in piece.facts)}"
        for piece in news
    ]


def after(memory: Memory, last: PassRecord, *, failures: int = 0) -> list[str]:
    """What is told after a pass, in short."""
    return told(memory.news(standing(last, failures=failures), last))


def test_a_pass_that_fails_once_is_no_news() -> None:
    """What passes by itself is told when it fails twice in a row, once, and when it is over."""
    memory, failed = Memory(), record(Result.FAILED, error=DOWN, seen=None, found=None)

    assert after(memory, failed, failures=1) == []
    assert after(memory, failed, failures=2) == ["failed: pass"]
    assert after(memory, failed, failures=3) == []
    assert after(memory, record()) == ["over failed: pass"]
    assert after(memory, record()) == []


def test_a_key_that_is_refused_is_news_at_once() -> None:
    """Waiting does not help, so nobody waits with telling it."""
    refused = record(Result.FAILED, error=Unauthorized("HTTP 401", status=401), seen=None, found=None)

    assert after(Memory(), refused, failures=1) == ["failed: pass"]


def test_what_needs_a_person_is_told_once_and_when_it_is_over() -> None:
    """A lookalike is one message, however many passes meet it; what only waits is none."""
    memory = Memory()
    plan = Plan(blocked=(blocked(), blocked("b", BlockedReason.HELD), blocked("c", BlockedReason.DEFERRED)))

    assert after(memory, record(Result.PARTIAL, plan=plan)) == ["attention: schedule/a"]
    assert after(memory, record(Result.PARTIAL, plan=plan)) == []
    assert after(memory, record(Result.PARTIAL, plan=Plan(blocked=(blocked(), blocked("d"))))) == [
        "attention: schedule/d"
    ]
    assert after(memory, record()) == ["over attention: schedule/a, schedule/d"]


def test_while_the_account_cannot_be_seen_nothing_about_it_is_over() -> None:
    """An outage does not resolve what needs a person, nor tell it anew afterwards."""
    memory, plan = Memory(), Plan(blocked=(blocked(),))

    assert after(memory, record(Result.PARTIAL, plan=plan)) == ["attention: schedule/a"]
    assert after(memory, record(Result.FAILED, error=DOWN, seen=None, found=None), failures=1) == []
    assert after(memory, record(Result.PARTIAL, plan=plan)) == []


def test_an_unknown_outcome_is_told_when_it_lasts() -> None:
    """Mostly the next look settles it."""
    memory, plan = Memory(), Plan(blocked=(blocked(reason=BlockedReason.UNRESOLVED_OUTCOME),))

    assert after(memory, record(Result.PARTIAL, plan=plan)) == []
    assert after(memory, record(Result.PARTIAL, plan=plan)) == ["attention: schedule/a"]


def test_a_resource_that_fails_is_told_until_it_no_longer_does() -> None:
    """First by its failure, then by its waiting: it is one thing, and told once."""
    memory = Memory()
    failed = record(Result.PARTIAL, events=(Failed(action(), "HTTP 422: no"),))
    waiting = record(Result.PARTIAL, plan=Plan(blocked=(blocked(reason=BlockedReason.BACKING_OFF),)))

    assert after(memory, failed) == ["failed: schedule/a"]
    assert after(memory, waiting) == []
    assert after(memory, record(Result.APPLIED, events=(Succeeded(action(), "u1"),))) == [
        "over failed: schedule/a",
        "applied: schedule/a",
    ]


def test_drift_is_told_each_time_that_it_comes() -> None:
    """What is healed and moves again is new; what stays moved is not; and nobody is told that it is over."""
    memory, moved = Memory(), record(plan=Plan(drift=(drift(),)))

    assert after(memory, moved) == ["drift: schedule/a"]
    assert after(memory, moved) == []
    assert after(memory, record()) == []
    assert after(memory, moved) == ["drift: schedule/a"]


def test_a_wrong_configuration_is_told_once_per_fault() -> None:
    """Also when no pass was made with it; another fault is another thing."""
    memory = Memory()

    def fault(text: str) -> Fault:
        return Fault(error=ConfigError((Problem("a.yaml", 1, 1, None, text),)), since=NOW)

    assert told(memory.news(standing(fault=fault("one")), None)) == ["attention: configuration"]
    assert after(memory, record()) == ["over attention: configuration"]
    assert told(memory.news(standing(fault=fault("one")), None)) == ["attention: configuration"]
    assert told(memory.news(standing(fault=fault("two")), None)) == ["attention: configuration"]
    assert after(memory, record()) == ["over attention: configuration"]


def test_a_refused_plan_needs_attention_with_a_way_out() -> None:
    """It says that nothing was done, and how a person lets it through."""
    error = GuardRefused("5 of 8 owned schedules would be removed", remedy="apply --allow-removals 5")
    last = record(Result.REFUSED, error=error)
    (news,) = Memory().news(standing(last), last)
    (fact,) = news.facts

    assert fact.message == "the plan is refused, and nothing of it is done: 5 of 8 owned schedules would be removed"
    assert "stop the daemon and: cdsync apply --allow-removals 5" in str(fact.remedy)


@pytest.mark.parametrize("resolved", [False, True])
def test_a_message_is_one_document_with_a_text_that_slack_shows(resolved: bool) -> None:
    """Markup is escaped, control characters are shown, and what is over has no remedy in its text."""
    fact = Fact(event="failed", subject="schedule/a", message="<b> & \x1b[31m", remedy="mend it")
    document = message(News(event="failed", facts=(fact,), resolved=resolved), OCCASION)

    head = "no longer fails" if resolved else "failed"
    way_out = "" if resolved else " (what to do: mend it)"
    assert document == {
        "event": "failed",
        "resolved": resolved,
        "text": f"cdsync: 1 thing {head} (https://api.example.com/v4 as cdsync at abc123)\n"
        f"\u2022 schedule/a: &lt;b&gt; &amp; \\x1b[31m{way_out}",
        "at": "2026-06-01T07:00:01+00:00",
        "account": "https://api.example.com/v4 as cdsync",
        "revision": "abc123",
        "pass": 7,
        "facts": [{"subject": "schedule/a", "message": "<b> & \x1b[31m", "remedy": "mend it"}],
        "further": 0,
    }


def test_a_message_stays_short() -> None:
    """A thousand failures are one message that names the first of them."""
    facts = tuple(Fact(event="drift", subject=f"schedule/s{n}", message="m" * 5000) for n in range(1000))
    document = message(News(event="drift", facts=facts), replace(OCCASION, revision=None))

    assert len(str(document["text"])) < 20_000
    assert document["further"] == 1000 - LISTED
    assert str(document["text"]).endswith("\u2022 and 980 more")


def test_an_error_of_another_kind_is_told_though_the_failing_goes_on() -> None:
    """Down, and then refused: these are two things."""
    memory = Memory()
    assert after(memory, record(Result.FAILED, error=DOWN, seen=None), failures=2) == ["failed: pass"]
    assert after(memory, record(Result.FAILED, error=CdsyncError("odd"), seen=None), failures=3) == ["failed: pass"]
    assert after(memory, record()) == ["over failed: pass"]


def test_a_pass_that_was_stopped_does_not_end_the_failing() -> None:
    """Whoever stops the daemon during an outage is not told that it is over."""
    memory = Memory()
    assert after(memory, record(Result.FAILED, error=DOWN, seen=None), failures=2) == ["failed: pass"]
    assert after(memory, record(Result.STOPPED, seen=None)) == []


def refusal(text: str, commit: str) -> Fault:
    """A commit that is refused."""
    error = CommitRefused(text)
    error.commit = commit * 40
    return Fault(error=error, since=NOW)


def standing_at(fault: Fault, *, refused: Fault | None = None) -> Standing:
    """How things stand with a fault of the newest configuration, and a commit that was refused before."""
    of = refused or fault
    known = RefusedCommit(commit=str(of.commit), problems=(of.summary,), since=of.since)
    return standing(fault=fault, refused=known)


def test_a_refused_commit_is_told_by_its_name() -> None:
    """Whoever reads it knows which one to mend."""
    (news,) = Memory().news(standing_at(refusal("its history was rewritten", "a")), None)

    assert [fact.message for fact in news.facts] == [
        "commit aaaaaaaaaaaa is refused, the last good one is kept: its history was rewritten"
    ]


def test_a_refused_commit_is_not_over_when_the_remote_goes_away() -> None:
    """Nobody mended it; only a commit that is taken up ends it, and both are told as over then."""
    memory, refused = Memory(), refusal("its history was rewritten", "a")
    away = Fault(error=GitUnreachable("git could not look at the remote"), since=NOW)

    assert told(memory.news(standing_at(refused), None)) == ["attention: configuration"]
    (news,) = memory.news(standing_at(away, refused=refused), None)
    assert [fact.message for fact in news.facts] == [
        "the newest configuration cannot be read, the last good one is kept: git could not look at the remote"
    ]
    assert told(memory.news(standing_at(refused), None)) == []
    (news,) = memory.news(standing(), None)
    assert (news.resolved, [fact.message.partition(",")[0] for fact in news.facts]) == (
        True,
        ["commit aaaaaaaaaaaa is refused"],
    )


def test_another_refused_commit_takes_the_place_of_the_one_before() -> None:
    """The same fault in a further commit is news, and no all-clear for the first."""
    memory = Memory()

    assert told(memory.news(standing_at(refusal("it is not signed", "a")), None)) == ["attention: configuration"]
    assert told(memory.news(standing_at(refusal("it is not signed", "b")), None)) == ["attention: configuration"]
    assert told(memory.news(standing(), None)) == ["over attention: configuration"]
