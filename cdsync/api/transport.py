"""How requests travel: straight to the API, or through the proxy that the environment names.

An account needs of an HTTP client neither redirects nor cookies nor a second host, which are half of what a request
costs; so its requests go to the transport itself.
"""

from __future__ import annotations

from urllib.request import getproxies, proxy_bypass

import httpx

from cdsync.api.trust import trust_for
from cdsync.errors import Unreachable

MOST_CONNECTIONS = 100


def transport_for(base_url: str, *, kept: int) -> httpx.AsyncBaseTransport:
    """A transport to an address that keeps at most so many connections open between requests.

    Raises:
        Unreachable: the environment names a proxy that cannot be used.
    """
    url = httpx.URL(base_url)
    limits = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=kept)
    try:
        return httpx.AsyncHTTPTransport(verify=trust_for(base_url), limits=limits, proxy=proxy_for(url))
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise Unreachable(
            f"the proxy that the environment names for {url.scheme}://{url.host} cannot be used: {error}",
            remedy=f"set {url.scheme.upper()}_PROXY to http://HOST:PORT, or NO_PROXY to {url.host}",
        ) from error


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy that the environment names for an address; None for none."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(f"{url.host}:{url.port}" if url.port else url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
