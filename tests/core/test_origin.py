"""Where the rows of a plan come from."""

from __future__ import annotations

import pytest

from cdsync.core.model import Address
from cdsync.core.origin import Origin, Since, beyond, origin_of
from cdsync.core.plan import Action, ActionKind, Blocked, BlockedReason, Plan, Reason
from tests.core.values import address


def since(*names: str) -> Since:
    """A change that touched these schedules."""
    return Since(ref="main", base="abc", files=("a.yaml",), addresses=frozenset(map(address, names)))


def action(reason: Reason, of: Address | None = None) -> Action:
    """A row with this reason."""
    return Action(address=of or address(), kind=ActionKind.UPDATE, reason=reason, why="because")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason.NEW, Origin.CHANGE),
        (Reason.CHANGED, Origin.CHANGE),
        (Reason.UNDECLARED, Origin.CHANGE),
        (Reason.RENAMED, Origin.CHANGE),
        (Reason.DRIFTED, Origin.DRIFT),
        (Reason.GONE, Origin.DRIFT),
        (Reason.STOPPED, Origin.OTHER),
        (Reason.HALF_REPLACED, Origin.OTHER),
        (Reason.UNFINISHED, Origin.OTHER),
    ],
)
def test_a_row_of_a_changed_file_comes_from_the_change_unless_the_account_moved(
    reason: Reason, expected: Origin
) -> None:
    """What moved on the account, and what an earlier apply left, is not the reviewer's change, whatever its file."""
    assert origin_of(action(reason), since("a")) is expected


@pytest.mark.parametrize("reason", [Reason.NEW, Reason.CHANGED, Reason.UNDECLARED])
def test_a_row_of_another_file_comes_from_elsewhere(reason: Reason) -> None:
    """An earlier change that was never applied is not the one under review."""
    assert origin_of(action(reason), since("b")) is Origin.OTHER


def test_what_is_left_alone_has_an_origin_too() -> None:
    """A lookalike of a changed file belongs to the change; a run that needs a person does not."""
    lookalike, attention = (
        Blocked(address=address(), reason=reason, message="m")
        for reason in (BlockedReason.LOOKALIKE, BlockedReason.NEEDS_ATTENTION)
    )
    assert origin_of(lookalike, since("a")) is Origin.CHANGE
    assert origin_of(attention, since("a")) is Origin.OTHER


def test_all_actions_beyond_the_change_are_counted() -> None:
    """Drift and other rows are beyond it, what is left alone is not counted."""
    plan = Plan(
        actions=(action(Reason.CHANGED), action(Reason.DRIFTED), action(Reason.NEW, address("b"))),
        blocked=(Blocked(address=address("c"), reason=BlockedReason.LOOKALIKE, message="m"),),
    )
    assert beyond(plan, since("a")) == 2
    assert beyond(plan, since("a", "b")) == 1
