"""What is left alone although it was decided; the table of the plan has the single rows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Plan, Reason
from cdsync.core.restraint import safe_now
from cdsync.core.setbacks import Setback
from tests.core.values import NOW, address, owned

REMOVAL = Action(address=address("old"), kind=ActionKind.PAUSE, reason=Reason.UNDECLARED, why="declared no more")
UPDATE = Action(address=address("other"), kind=ActionKind.UPDATE, reason=Reason.CHANGED, why="cron changed")


@pytest.mark.parametrize(
    ("kind", "reason", "removes"),
    [
        (ActionKind.CREATE, BlockedReason.BACKING_OFF, False),
        (ActionKind.REPLACE, BlockedReason.BACKING_OFF, False),
        (ActionKind.UPDATE, BlockedReason.BACKING_OFF, True),
        (ActionKind.CREATE, BlockedReason.UNRESOLVED_OUTCOME, False),
        (ActionKind.CREATE, BlockedReason.LOOKALIKE, True),
    ],
)
def test_nothing_is_removed_while_something_could_not_be_made(
    kind: ActionKind, reason: BlockedReason, removes: bool
) -> None:
    """Creates before removals: also when the creation failed passes ago and waits, but not because of any failure."""
    setback = Setback(count=3, message="HTTP 422: no", until=NOW + timedelta(minutes=4))
    state = owned(setbacks={(address("new"), kind): setback})
    plan = Plan(actions=(UPDATE, REMOVAL), blocked=(Blocked(address=address("new"), reason=reason, message="no"),))

    assert safe_now(plan, state) == ((UPDATE, REMOVAL) if removes else (UPDATE,))
