"""Whether a hook comes from whom it should: GitHub's signature of the body, or GitLab's shared token.

Both are compared in constant time, so that nothing can be learnt by trying.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

SIGNATURE = "x-hub-signature-256"
TOKEN = "x-gitlab-token"  # noqa: S105 # the name of a header
EVENT = "x-github-event"


def is_genuine(headers: Mapping[str, str], body: bytes, *, secret: str) -> bool:
    """Whether the sender knows the secret; `headers` are found whatever their case."""
    if (signature := headers.get(SIGNATURE)) is not None:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return same(signature, expected)
    if (token := headers.get(TOKEN)) is not None:
        return same(token, secret)
    return False


def is_greeting(headers: Mapping[str, str]) -> bool:
    """Whether a hook only tells that it was set up."""
    return headers.get(EVENT) == "ping"


def same(given: str, expected: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode(), expected.encode())
