"""Whom a client trusts to be the API."""

from __future__ import annotations

import ssl

import httpx


def trust_for(base_url: str) -> ssl.SSLContext:
    """The authorities that may vouch for the server at an address; on plain http, which needs none, nobody.

    To read the certificates of all authorities takes longer than the rest of a small pass.
    """
    if httpx.URL(base_url).scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.create_ssl_context()
