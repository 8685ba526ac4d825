"""Which URLs may be used: https, or plain http to this machine, without a password that a message could show."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f]+")


def url_fault(text: str) -> str | None:
    """Why a URL may not be used; None if it may. Says no more of it than scheme and host: the rest may be a secret."""
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        return "no URL; expected one such as https://hooks.example.com/path"
    if not _VISIBLE.fullmatch(text) or not host:
        return "no URL; expected one such as https://hooks.example.com/path"
    if url.username is not None or url.password is not None:
        return "a URL with a user or password in it; expected none"
    if url.scheme == "https" or (url.scheme == "http" and _is_loopback(url)):
        return None
    return f"{url.scheme}://{host}; expected https, or plain http to loopback only"


def base_url_fault(text: str) -> str | None:
    """Why a URL may not be the base of others; None if it may."""
    if fault := url_fault(text):
        return fault
    parts = urlsplit(text)
    return "a URL with a query or fragment; expected none" if parts.query or parts.fragment else None


def _is_loopback(url: SplitResult) -> bool:
    host = url.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
