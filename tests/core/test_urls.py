"""Which URLs may be used, and where a listener may listen."""

from __future__ import annotations

import pytest

from cdsync.core.urls import Endpoint, base_url_fault, is_loopback, parse_endpoint


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


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com", "https://8.8.8.8/v4", "https://[2001:db8::1]:8443", "https://b\u00fccher.example/api/"],
)
def test_the_api_may_be_at_any_host(url: str) -> None:
    """By name or by address."""
    assert base_url_fault(url) is None


@pytest.mark.parametrize(
    "host",
    ["999.999.999.999", "1.2.3", "[v1.x]", "[::g]", "xn--\u00e9", "a..b", "\u2603.\u200d", "a" * 64, "a" * 70_000],
)
def test_a_host_that_cannot_be_asked_for_is_no_url(host: str) -> None:
    """It is told where it is declared, not when it is asked for."""
    assert base_url_fault(f"https://{host}") == "no URL; expected one such as https://api.captaindata.com"
