"""Which hooks are believed."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from starlette.datastructures import Headers

from cdsync.daemon.hooks import is_genuine, is_greeting

SECRET = "a-s3cr3t"
BODY = b'{"ref": "refs/heads/main"}'


def signed(secret: str, body: bytes) -> str:
    """The signature that GitHub sends."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("headers", "genuine"),
    [
        ({"X-Hub-Signature-256": signed(SECRET, BODY)}, True),
        ({"X-Gitlab-Token": SECRET}, True),
        ({}, False),
        ({"X-Hub-Signature-256": ""}, False),
        ({"X-Hub-Signature-256": signed("another", BODY)}, False),
        ({"X-Hub-Signature-256": signed(SECRET, BODY + b" ")}, False),
        ({"X-Hub-Signature-256": signed(SECRET, BODY).removeprefix("sha256=")}, False),
        ({"X-Hub-Signature": "sha1=abc"}, False),
        ({"X-Gitlab-Token": SECRET + " "}, False),
        ({"X-Gitlab-Token": "s\u00e9cret"}, False),
        # A signature that is there must hold, whatever else is sent.
        ({"X-Hub-Signature-256": "sha256=0", "X-Gitlab-Token": SECRET}, False),
    ],
)
def test_only_who_knows_the_secret_is_believed(headers: dict[str, str], genuine: bool) -> None:
    """By GitHub's signature of the very body, or by GitLab's token."""
    assert is_genuine(Headers(headers), BODY, secret=SECRET) is genuine


def test_a_greeting_is_no_push() -> None:
    """GitHub sends one when a hook is set up."""
    assert is_greeting(Headers({"X-GitHub-Event": "ping"}))
    assert not is_greeting(Headers({"X-GitHub-Event": "push"}))
