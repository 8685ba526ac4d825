"""Whom a client trusts to be the API."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


def trust_for(base_url: str) -> ssl.SSLContext:
    """The authorities that may vouch for the server at an address; on plain http, which needs none, nobody."""
    return _nobody() if httpx.URL(base_url).scheme == "http" else httpx.create_ssl_context()


@cache
def _nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
