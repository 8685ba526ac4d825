"""The last good declaration, and what is wrong with the newest one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from structlog.testing import capture_logs

from cdsync.daemon.declared import Declared, Fault
from cdsync.daemon.feed import Delivery
from cdsync.daemon.triggers import Cause
from cdsync.errors import CdsyncError, CommitRefused, ConfigError, GitUnreachable, Problem
from tests.daemon.values import NOW, delivery
from tests.virtual_time import VirtualClock, run_virtual

WRONG = ConfigError((Problem("a.yaml", 1, 1, None, "it is wrong"), Problem("b.yaml", 1, 1, None, "this as well")))


@dataclass
class Source:
    """A feed that gives what it is told to, one after the other."""

    answers: list[Delivery | Exception]
    before: Delivery | None = None
    asked: list[str] = field(default_factory=list)

    async def latest(self) -> Delivery:
        """The next answer."""
        self.asked.append("latest")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def remembered(self) -> Delivery | None:
        """What an earlier process had."""
        self.asked.append("remembered")
        return self.before

    async def changes(self) -> AsyncIterator[Cause]:
        """They are told elsewhere."""
        yield Cause.FILES


def refreshed(source: Source, times: int) -> Declared:
    """What is held after so many looks, a minute apart."""

    async def story(clock: VirtualClock) -> Declared:
        held = Declared(source, now=clock)
        for _ in range(times):
            await held.refresh()
            await asyncio.sleep(60)
        return held

    return run_virtual(story, start=NOW)


def test_what_is_wrong_does_not_replace_what_is_good() -> None:
    """Both are known: what is in force, and what is wrong with the newest, in one line and in full."""
    good = delivery()
    held = refreshed(Source([good, WRONG]), 2)

    assert held.delivery == good
    assert held.fault is not None
    assert held.fault.summary == "a.yaml:1:1: it is wrong"
    assert held.fault.error is WRONG


def test_the_same_fault_is_told_once() -> None:
    """And since when it is there."""
    with capture_logs() as logs:
        held = refreshed(Source([delivery(), WRONG, WRONG, WRONG]), 4)

    assert [entry["event"] for entry in logs] == ["configuration.accepted", "configuration.refused"]
    assert held.fault is not None
    assert round((held.fault.since - NOW).total_seconds()) == 60


def test_what_is_mended_is_told_even_when_it_is_as_it_was() -> None:
    """A fault that was told must not look as if it went on."""
    good = delivery()
    with capture_logs() as logs:
        held = refreshed(Source([good, WRONG, good]), 3)

    assert held.fault is None
    assert [entry["event"] for entry in logs][-1] == "configuration.accepted"


def test_another_commit_of_the_same_files_is_taken_up() -> None:
    """History and status name the newest."""
    held = refreshed(Source([delivery(), replace(delivery(), revision="def456")]), 2)

    assert held.delivery is not None
    assert held.delivery.revision == "def456"


def test_a_mistake_of_ours_is_a_fault_like_any_other() -> None:
    """It keeps the last good one in force."""
    with capture_logs() as logs:
        held = refreshed(Source([delivery(), RuntimeError("nobody thought of this")]), 2)

    assert held.delivery is not None
    assert held.fault is not None
    assert held.fault.summary == "unexpected RuntimeError: nobody thought of this"
    assert "configuration.crashed" in {entry["event"] for entry in logs}


def test_a_refused_commit_stands_until_another_is_taken_up() -> None:
    """A remote that goes away mends nothing, nor does a fault of the machine's settings."""
    refused, away = CommitRefused("its history was rewritten", remedy="push another"), GitUnreachable("no route")
    refused.commit = "a" * 40
    with capture_logs() as logs:
        held = refreshed(Source([delivery(), refused, away, WRONG, refused]), 5)
    assert held.refused is not None
    assert (held.refused.commit, held.refused.problems) == ("a" * 40, ("its history was rewritten",))
    assert round((held.refused.since - NOW).total_seconds()) == 60
    assert [entry["commit"] for entry in logs if entry["event"] == "configuration.refused"] == [
        "a" * 40,
        None,
        None,
        "a" * 40,
    ]

    assert refreshed(Source([delivery(), refused, away, delivery()]), 4).refused is None


def test_what_cannot_be_seen_is_not_called_wrong() -> None:
    """Nobody knows what the newest is like while the remote is away; a commit that is wrong has a name."""
    refused = CommitRefused("it is not signed")
    refused.commit = "a" * 40

    assert Fault(error=GitUnreachable("no route"), since=NOW).words == "the newest configuration cannot be read"
    assert Fault(error=WRONG, since=NOW).words == "the newest configuration is refused"
    assert Fault(error=refused, since=NOW).words == "commit aaaaaaaaaaaa is refused"


def test_at_a_start_what_was_good_before_is_gone_on_with() -> None:
    """Only then: whoever has a declaration needs no memory of an older one."""
    source = Source([CdsyncError("the remote is down"), CdsyncError("the remote is down")], before=delivery())
    held = refreshed(source, 2)

    assert held.delivery == delivery()
    assert held.fault is not None
    assert source.asked == ["latest", "remembered", "latest"]
