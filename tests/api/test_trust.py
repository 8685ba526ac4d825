"""Whom the client trusts."""

from __future__ import annotations

import ssl

import pytest

from cdsync.api.trust import trust_for


@pytest.mark.parametrize("url", ["https://api.captaindata.com", "HTTPS://api.captaindata.com/v4"])
def test_an_encrypted_connection_needs_one_of_the_known_authorities(url: str) -> None:
    """However the scheme is spelt, a server proves its name, and the usual authorities may vouch for it."""
    trusted = trust_for(url)

    assert (trusted.verify_mode, trusted.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert trusted.get_ca_certs()


def test_where_nothing_is_encrypted_nobody_is_trusted() -> None:
    """No certificate is read for plain http, and none would be accepted."""
    trusted = trust_for("http://127.0.0.1:8080")

    assert (trusted.verify_mode, trusted.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert trusted.get_ca_certs() == []
