"""Which URLs may be used: https, or plain http to this machine, without a password that a message could show.

And where a listener may listen.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
API = "https://api.captaindata.com"
"""Where the API is, as an example."""

_DIGITS = re.compile(r"[0-9.]+")
_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f]+")


def url_fault(text: str, *, example: str = "https://hooks.example.com/path") -> str | None:
    """Why a URL may not be used; None if it may. Says no more of it than scheme and host: the rest may be a secret.

    `example` is one that could stand there instead.
    """
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        return f"no URL; expected one such as {example}"
    if not _VISIBLE.fullmatch(text) or not host or not _names_a_host(host, bracketed="[" in url.netloc):
        return f"no URL; expected one such as {example}"
    if url.username is not None or url.password is not None:
        return "a URL with a user or password in it; expected none"
    if url.scheme == "https" or (url.scheme == "http" and is_loopback(host)):
        return None
    return f"{url.scheme}://{host}; expected https, or plain http to loopback only"


def _names_a_host(host: str, *, bracketed: bool) -> bool:
    """Whether a host can be asked for at all: a name, in whatever script, or an address that is one."""
    try:
        if bracketed or _DIGITS.fullmatch(host):
            ipaddress.ip_address(host.partition("%")[0])
        return bool(host.encode("idna")) and (host.isascii() or "xn--" not in host)
    except ValueError:
        return False


def base_url_fault(text: str) -> str | None:
    """Why a URL may not be where the API is; None if it may."""
    if fault := url_fault(text, example=API):
        return fault
    parts = urlsplit(text)
    return "a URL with a query or fragment; expected none" if parts.query or parts.fragment else None


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen: a host, by name or address, and a port; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str) -> Endpoint:
    """The endpoint that `HOST:PORT` names; an IPv6 address stands in brackets.

    Raises:
        ValueError: it names none.
    """
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = str(ipaddress.IPv6Address(host[1:-1]))
    elif not _HOST.fullmatch(host):
        raise ValueError(f"{text!r} is no HOST:PORT")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError(f"{text!r} has no port from 0 to 65535")
    return Endpoint(host, int(port))
