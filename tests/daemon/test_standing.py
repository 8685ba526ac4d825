"""How things stand, in the one line that the service manager shows."""

from __future__ import annotations

from cdsync.core.actions import Plan
from cdsync.core.events import Failed, Succeeded
from cdsync.core.urls import Endpoint
from cdsync.daemon.declared import Fault
from cdsync.daemon.standing import Result, headline
from cdsync.errors import ConfigError, Problem, Unreachable
from tests.daemon.values import NOW, action, blocked, record, standing

FAULT = Fault(error=ConfigError((Problem("a.yaml", 3, 1, None, "it is wrong"),)), since=NOW)


def test_a_line_says_what_is_in_force_and_how_the_last_pass_ended() -> None:
    """And when the next one is due, and where to ask for more."""
    events = (Succeeded(action(), "u1"), Failed(action("b"), "no"), Failed(action("c"), "later", tried=False))
    last = record(Result.PARTIAL, events=events, plan=Plan(blocked=(blocked(),)))

    assert headline(standing(last, next_at=NOW, listens=Endpoint("127.0.0.1", 9464))) == (
        "0 declared at abc123; pass 1 partial: 1 done, 1 failed, 1 left alone; next at 07:00:01 UTC; "
        "listens on 127.0.0.1:9464"
    )


def test_a_line_says_what_is_wrong() -> None:
    """A configuration that is not taken, and failures in a row."""
    last = record(Result.FAILED, error=Unreachable("GET /schedules: no connection\nsecond line"))

    assert headline(standing(last, failures=3, fault=FAULT)) == (
        "the newest configuration is refused since 07:00 UTC (a.yaml:3:1: it is wrong), "
        "keeping the last good one at abc123; "
        "pass 1 failed 3 times in a row: GET /schedules: no connection"
    )


def test_before_the_first_pass_a_line_says_so() -> None:
    """Also when there is nothing yet to make one with."""
    assert headline(standing()) == "0 declared at abc123; no pass yet"
    assert headline(standing(delivery=None, fault=FAULT)).endswith("nothing is kept until one is valid; no pass yet")
