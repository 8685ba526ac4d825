"""What is remembered of failures from pass to pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cdsync.core.actions import ActionKind, BlockedReason, Plan
from cdsync.core.events import Event, Failed, Succeeded, Unresolved
from cdsync.core.model import DesiredState, Resource
from cdsync.daemon.backoff import JITTER
from cdsync.daemon.setbacks import MOST_INTERVALS, Setbacks
from cdsync.errors import CdsyncError, GuardRefused, RateLimited, Rejected, StoreUnwritable, Unauthorized, Unreachable
from tests.core.values import schedule
from tests.daemon.values import NOW, action, blocked

MINUTE = timedelta(minutes=1)
CREATE = action()
NOTHING = DesiredState()
WAITING = Plan(blocked=(blocked(reason=BlockedReason.BACKING_OFF),))


def learn(
    setbacks: Setbacks, *events: Event, declared: DesiredState = NOTHING, left: Plan | None = None
) -> dict[str, tuple[int, float]]:
    """What waits after a pass: how often it failed, and for how many intervals it waits."""
    setbacks.learn(events, declared, left=left or Plan(), now=NOW, interval=MINUTE)
    return {
        f"{address.name} {kind}": (row.count, round((row.until - NOW) / MINUTE + JITTER, 6))
        for (address, kind), row in setbacks.in_force(declared).items()
    }


def failed(error: CdsyncError | None = None) -> Failed:
    """A creation that failed."""
    return Failed(CREATE, "HTTP 422: no", error=error or Rejected("HTTP 422: no", status=422))


def test_the_pause_doubles_up_to_sixty_four_intervals() -> None:
    """Each failure doubles it."""
    setbacks = Setbacks()
    pauses = [learn(setbacks, failed())["a create"] for _ in range(9)]

    assert pauses == [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 64), (8, MOST_INTERVALS), (9, 64)]


def test_what_succeeds_is_forgotten() -> None:
    """Its next failure is a first one."""
    setbacks = Setbacks()
    learn(setbacks, failed())
    learn(setbacks, failed())

    assert learn(setbacks, Succeeded(CREATE, "u1")) == {}
    assert learn(setbacks, failed())["a create"] == (1, 1)


def test_what_waits_is_kept_and_what_is_no_longer_wanted_is_forgotten() -> None:
    """As the plan of the last look tells."""
    setbacks = Setbacks()
    learn(setbacks, failed())

    assert learn(setbacks, left=WAITING) == {"a create": (1, 1)}
    assert learn(setbacks) == {}


def test_a_pass_that_saw_nothing_changes_nothing() -> None:
    """An outage is no reason to try everything again."""
    setbacks = Setbacks()
    learn(setbacks, failed())
    setbacks.learn((), NOTHING, left=None, now=NOW, interval=MINUTE)

    assert len(setbacks.in_force(NOTHING)) == 1


def test_an_unknown_outcome_is_a_setback() -> None:
    """Or a creation whose answer is always lost would be sent in every other pass."""
    assert learn(Setbacks(), Unresolved(CREATE, "the answer was lost")) == {"a create": (1, 1)}


@pytest.mark.parametrize(
    "error",
    [Unreachable("down"), RateLimited("429"), StoreUnwritable("the disk is full"), GuardRefused("a tick is near")],
)
def test_what_is_not_about_the_resource_is_no_setback(error: CdsyncError) -> None:
    """The next one would have failed as well."""
    assert learn(Setbacks(), failed(error)) == {}


def test_a_write_that_is_not_permitted_is_one() -> None:
    """The key may read, and that may be right."""
    assert learn(Setbacks(), failed(Unauthorized("HTTP 403", status=403))) == {"a create": (1, 1)}


def test_what_was_not_tried_did_not_fail() -> None:
    """It was left out because of another."""
    assert learn(Setbacks(), Failed(CREATE, "a creation failed in this pass", tried=False)) == {}


def test_another_declaration_is_another_try() -> None:
    """Whoever mends it does not wait; what is as it was does."""

    def declaring(resource: Resource) -> DesiredState:
        return DesiredState(resources={resource.address: resource})

    setbacks, before = Setbacks(), schedule("a", cron="0 9 * * 1")
    learn(setbacks, failed(), declared=declaring(before))

    assert len(setbacks.in_force(declaring(schedule("a", cron="0 9 * * 1")))) == 1
    assert setbacks.in_force(declaring(replace(before, cron="0 10 * * 1"))) == {}


def test_each_kind_of_action_waits_for_itself() -> None:
    """A run that cannot be resumed does not keep its schedule from being updated."""
    update = action(kind=ActionKind.UPDATE)
    found = learn(Setbacks(), failed(), Failed(update, "no", error=Rejected("no")))

    assert set(found) == {"a create", "a update"}


def test_a_person_may_have_everything_tried_again() -> None:
    """At once."""
    setbacks = Setbacks()
    learn(setbacks, failed())
    setbacks.forget()

    assert setbacks.in_force(NOTHING) == {}
