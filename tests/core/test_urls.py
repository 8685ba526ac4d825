"""Which URLs may be used, and where a listener may listen."""

from __future__ import annotations

import pytest

from cdsync.core.urls import Endpoint, is_loopback, parse_endpoint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9464", Endpoint("127.0.0.1", 9464)),
        ("localhost:0", Endpoint("localhost", 0)),
        ("[::1]:80", Endpoint("::1", 80)),
        ("metrics.example.com:65535", Endpoint("metrics.example.com", 65535)),
    ],
)
def test_an_endpoint_is_a_host_and_a_port(text: str, expected: Endpoint) -> None:
    """It is read as it is written, and written as it was read."""
    assert parse_endpoint(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text",
    ["", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "a:65536", "a:-1", "::1:80", "[a]:80", "a b:80", "a:8\u0660"],
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=r"is no|has no|At least|not permitted|Expected"):
        parse_endpoint(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    """What only this machine can reach is known as such."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "::", "example.com", "localhost.example.com"])
def test_everything_else_can_be_reached_by_others(host: str) -> None:
    """No name and no other address is taken for this machine."""
    assert not is_loopback(host)
