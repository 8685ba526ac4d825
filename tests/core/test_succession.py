"""What leaves stays until what does the same has come."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cdsync.core.plan import BlockedReason, Plan, PruneMode
from tests.core.values import address, applied, desired, observed, owned, plan_of, policy, schedule, shown


def renamed_without_was(**rules: object) -> Plan:
    """The plan for a schedule under a new name, whose creation a stranger's lookalike blocks."""
    old, new = schedule("old"), schedule("new")
    seen = observed(shown(old), shown(new, "x1"))
    return plan_of(desired(new), seen, owned(applied(old)), rules=policy(**rules))


@pytest.mark.parametrize("rules", [{}, {"grace": timedelta()}, {"prune": PruneMode.PAUSE}], ids=str)
def test_what_leaves_goes_on_while_its_successor_is_blocked(rules: dict[str, object]) -> None:
    """Nothing is paused or cancelled whose stand-in cannot be created, and the plan says for what it waits."""
    plan = renamed_without_was(**rules)

    assert plan.actions == ()
    assert {(row.address, row.reason) for row in plan.blocked} == {
        (address("new"), BlockedReason.LOOKALIKE),
        (address("old"), BlockedReason.WAITING),
    }
    (waiting,) = (row for row in plan.blocked if row.reason is BlockedReason.WAITING)
    assert waiting.message == "no longer declared, but goes on until schedule/new, which does the same, is settled"
    assert "was: old" in (waiting.remedy or "")


@pytest.mark.parametrize("other", [{"cron": "5 5 * * *"}, {"timezone": "America/New_York"}], ids=str)
def test_what_does_something_else_leaves_all_the_same(other: dict[str, str]) -> None:
    """Only a successor with the same action and times holds a removal back."""
    old, new = schedule("old", **other), schedule("new")
    plan = plan_of(desired(new), observed(shown(old), shown(new, "x1")), owned(applied(old)))

    assert [(str(row.address), row.kind.value) for row in plan.actions] == [("schedule/old", "pause")]


def test_a_removal_that_has_begun_goes_on() -> None:
    """What was paused long ago and whose grace is over stands in for nothing any more."""
    old, new = schedule("old"), schedule("new")
    begun = applied(old, removed_at=applied(old).created_at, state="paused")
    plan = plan_of(desired(new), observed(shown(old, status="PAUSED"), shown(new, "x1")), owned(begun))

    assert [(str(row.address), row.kind.value) for row in plan.actions] == [("schedule/old", "delete")]
