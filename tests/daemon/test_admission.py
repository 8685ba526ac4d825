"""Who may see the status page."""

from __future__ import annotations

import base64

import pytest
from starlette.datastructures import Headers

from cdsync.daemon.admission import Admission, admission

TOKEN = "t0k3n"
EVERYWHERE = "0.0.0.0"  # noqa: S104 # nothing listens there in this test
BASIC = "Basic " + base64.b64encode(b"anybody:t0k3n").decode()


def judge(host: str, *, peer: str = "127.0.0.1", token: str | None = TOKEN, **headers: str) -> Admission:
    """Judge a request with these headers at a listener on this host, which trusts X-User."""
    named = Headers({name.replace("_", "-"): text for name, text in headers.items()})
    return admission(named, peer=peer, host=host, token=token, trusted_header="X-User")


@pytest.mark.parametrize("name", ["127.0.0.1:9464", "localhost", "LOCALHOST:1", "[::1]:9464", "127.0.0.1"])
def test_on_loopback_everybody_on_this_machine_may_look(name: str) -> None:
    """Under every name of this machine."""
    assert judge("127.0.0.1", Host=name) is Admission.WELCOME


@pytest.mark.parametrize("name", ["evil.example.com", "evil.example.com:9464", "127.0.0.1.evil.example.com", ""])
def test_another_name_for_this_machine_is_not_answered(name: str) -> None:
    """A page on the web may have given it that name; a header that it can set as well does not help it."""
    assert judge("127.0.0.1", Host=name) is Admission.MISDIRECTED
    assert judge(EVERYWHERE, Host=name, X_User="me") is Admission.UNKNOWN


@pytest.mark.parametrize("given", ["Bearer t0k3n", "bearer  t0k3n", BASIC])
def test_elsewhere_the_token_lets_in(given: str) -> None:
    """As a program sends it, and as a browser does."""
    assert judge(EVERYWHERE, peer="10.0.0.9", Host="status.example.com", Authorization=given) is Admission.WELCOME


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Bearer", "Basic !", "Basic t0k3n", "Digest t0k3n"])
def test_elsewhere_nothing_else_lets_in(given: str) -> None:
    """Nor does anything where no token is set."""
    assert judge(EVERYWHERE, peer="10.0.0.9", Host="x", Authorization=given) is Admission.UNKNOWN
    assert judge(EVERYWHERE, peer="10.0.0.9", token=None, Host="x", Authorization=given) is Admission.UNKNOWN


def test_a_proxy_is_believed_on_this_machine_only() -> None:
    """Whoever is connected from elsewhere can write what they like."""
    assert judge(EVERYWHERE, peer="127.0.0.1", Host="127.0.0.1:9464", X_User="me") is Admission.WELCOME
    assert judge(EVERYWHERE, peer="10.0.0.9", Host="127.0.0.1:9464", X_User="me") is Admission.UNKNOWN
    assert judge(EVERYWHERE, peer="127.0.0.1", Host="127.0.0.1:9464", X_User="") is Admission.UNKNOWN
