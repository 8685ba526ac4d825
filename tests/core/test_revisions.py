"""How a revision is shown."""

from __future__ import annotations

import pytest

from cdsync.core.revisions import short_revision

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("revision", "shown"),
    [
        (COMMIT, "0123456789ab"),
        (f"{COMMIT}-dirty", "0123456789ab-dirty"),
        ("0123456789abcdef" * 4, "0123456789ab"),
        ("0123456789ab-dirty", "0123456789ab-dirty"),
        ("v1", "v1"),
    ],
)
def test_people_are_shown_twelve_characters(revision: str, shown: str) -> None:
    """What is no full commit id, as an older state may hold, stays as it is."""
    assert short_revision(revision) == shown
