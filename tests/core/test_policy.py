"""The limits of a policy, and durations as its settings write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.core.policy import Limit, Policy, PruneMode, duration_text, parse_duration


@given(st.integers(min_value=0, max_value=10**9))
def test_a_duration_that_is_written_reads_back(seconds: int) -> None:
    """What a plan says of a setting can be copied into the settings, as long as its number is of a sensible size."""
    duration = timedelta(seconds=seconds)
    text = duration_text(duration)

    assert len(text) > 7 or parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1.5h", "5w", "1d2h", "٣m", "1234567s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """The message says what was expected."""
    with pytest.raises(ValueError, match=r"is no duration; expected 30s, 5m, 2h or 1d$"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("limit", "text", "ceiling"),
    [
        (Limit(share=0.25), "25%", 25),
        (Limit(share=0.125), "12.5%", 12),
        (Limit(count=3), "3", 3),
        (Limit(count=0), "0", 1),
        (Limit(share=0.0, always=10), "0%", 10),
        (Limit(), "0%", 1),
    ],
)
def test_a_limit_is_a_count_or_a_share(limit: Limit, text: str, ceiling: int) -> None:
    """It is told as it was set, and rounds down, but never below what is always allowed."""
    assert (str(limit), limit.ceiling(100)) == (text, ceiling)
    assert limit.allows(ceiling, owned=100)
    assert not limit.allows(ceiling + 1, owned=100)


def test_the_defaults_are_those_of_the_documentation() -> None:
    """A root that sets no policy has this one."""
    policy = Policy()

    assert (policy.prune, duration_text(policy.grace)) == (PruneMode.DELETE, "1d")
    assert (str(policy.max_removals), policy.max_removals.always) == ("25%", 1)
    assert (str(policy.max_changes), policy.max_changes.always) == ("50%", 10)
    assert (policy.resume.statuses, policy.resume.attempts, duration_text(policy.resume.backoff)) == (
        ("STOPPED",),
        3,
        "5m",
    )
    assert not policy.allow_lookalikes
