"""What the API shows again, compared with what it was sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cdsync.core.echo import loosely, same_moment, same_url
from cdsync.core.work import Json
from tests.core.values import NOW


@pytest.mark.parametrize(
    ("sent", "shown", "same"),
    [
        (5, "5", True),
        (5, 5.0, True),
        (5, 6, False),
        (0.5, "0.5", True),
        (True, "true", True),
        (True, "True", True),
        (True, "False", False),
        ("full", "full", True),
        ("full", "incremental", False),
        ([1, 2], ["1", "2"], True),
        ([1, 2], [2, 1], False),
        ({"deep": {"max": 5}}, {"deep": {"max": "5"}}, True),
        ({"a": None}, {}, True),
        ({"a": 1}, {}, False),
        (None, None, True),
        (None, "None", False),
    ],
)
def test_values_are_the_same_as_texts(sent: Json, shown: Json, same: bool) -> None:
    """A server may store each scalar as text, and leave out what is null."""
    assert (loosely(sent) == loosely(shown)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://hooks.example.com", "https://hooks.example.com/", True),
        ("https://hooks.example.com/cd", "https://hooks.example.com/cd/", True),
        ("https://Hooks.Example.com/cd", "HTTPS://hooks.example.com/cd", True),
        ("https://hooks.example.com:443/cd", "https://hooks.example.com/cd", True),
        ("https://hooks.example.com?a=1", "https://hooks.example.com/?a=1", True),
        ("https://hooks.example.com/cd", "https://hooks.example.com/CD", False),
        ("https://hooks.example.com:8443/cd", "https://hooks.example.com/cd", False),
        ("https://hooks.example.com/?a=1", "https://hooks.example.com/?a=2", False),
        ("https://[broken", "https://[broken/", False),
        ("https://[broken", "https://[broken", True),
        ("https://hooks.example.com", None, False),
        (None, None, True),
    ],
)
def test_urls_are_the_same_by_where_they_lead(one: str | None, other: str | None, same: bool) -> None:
    """Scheme and host have no case, and a slash at the end leads nowhere else; all other letters count."""
    assert same_url(one, other) is same
    assert same_url(other, one) is same


def test_times_are_the_same_to_the_second() -> None:
    """Fractions are not sent, and may be shown."""
    assert same_moment(NOW, NOW + timedelta(milliseconds=999))
    assert same_moment(None, None)
    assert not same_moment(NOW, NOW + timedelta(seconds=1))
    assert not same_moment(NOW, None)
