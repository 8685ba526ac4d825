"""SIGKILL at random moments, on the real process."""

from __future__ import annotations

import pytest

from tests.cli.kill_loop import kill_loop


@pytest.mark.parametrize("labels", [True, False])
def test_killed_applies_double_nothing_and_lose_nothing(labels: bool) -> None:
    """After any number of kills one apply finishes: no duplicate, no loss, no stuck lock, no firing."""
    outcome = kill_loop(8, seed=7, labels=labels)
    assert outcome.wrong == ()
    assert outcome.killed > 0
