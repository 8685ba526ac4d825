"""Who may see the status page. On loopback everybody on this machine; elsewhere who knows the token, or a proxy knows.

A page on the web can make a browser ask this machine under a name of its own (DNS rebinding), with any header that it
likes. So nothing but the token is believed of a request whose `Host` is not a name of this machine.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from enum import Enum

from cdsync.core.urls import is_loopback
from cdsync.daemon.hooks import same


class Admission(Enum):
    """What becomes of a request."""

    WELCOME = "welcome"
    UNKNOWN = "unknown"
    MISDIRECTED = "misdirected"


def admission(
    headers: Mapping[str, str], *, peer: str | None, host: str, token: str | None, trusted_header: str | None
) -> Admission:
    """Judge a request: `peer` is who is connected, `host` where is listened; the case of `headers` is no matter."""
    given = _given_token(headers.get("authorization", ""))
    if token is not None and given is not None and same(given, token):
        return Admission.WELCOME
    here = _is_here(headers.get("host", ""), host)
    if is_loopback(host):
        return Admission.WELCOME if here else Admission.MISDIRECTED
    if here and trusted_header is not None and peer is not None and is_loopback(peer) and headers.get(trusted_header):
        return Admission.WELCOME
    return Admission.UNKNOWN


def _is_here(named: str, host: str) -> bool:
    """Whether a `Host` header names this machine, or what the listener was told to listen on."""
    name, colon, port = named.rpartition(":")
    if not colon or not port.isdecimal():
        name = named
    name = name.removeprefix("[").removesuffix("]").lower()
    return is_loopback(name) or (name == host.lower() and name not in {"0.0.0.0", "::"})  # noqa: S104 # no name at all


def _given_token(authorization: str) -> str | None:
    """The token of a Bearer header, or of a Basic one as its password: a browser can send that."""
    scheme, _, rest = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            try:
                return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return None
        case _:
            return None
