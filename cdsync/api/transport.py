"""How requests travel: straight to the API, or through the proxy that the environment names.

An account needs of an HTTP client neither redirects nor cookies nor a second host, which are half of what a request
costs; so its requests go to the transport itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from cdsync.api.bounded import read_bounded
from cdsync.api.direct import MOST_CONNECTIONS, Kept, OneEach
from cdsync.api.proxies import proxy_for
from cdsync.api.trust import trust_for
from cdsync.errors import Unreachable

KEPT = 20
"""How many connections for reading are kept open between requests."""


def transports_to(base_url: str) -> Callable[[int], httpx.AsyncBaseTransport]:
    """What makes transports to an address, each told how many connections to keep open between requests.

    Raises:
        Unreachable: the address is none, or the environment names a proxy that cannot be used.
    """
    try:
        url = httpx.URL(base_url)
        # Made once, because to read the certificates of all authorities takes longer than the rest of a small pass.
        trust = trust_for(base_url)
    except httpx.InvalidURL as error:
        raise Unreachable(f"{base_url[:200]}: no address of a server: {error}", remedy="check api.base_url") from error

    def make(kept: int) -> httpx.AsyncBaseTransport:
        try:
            if (proxy := proxy_for(url)) is None:
                return Kept(trust, kept=kept) if kept else OneEach(trust)
            limits = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=kept)
            return httpx.AsyncHTTPTransport(verify=trust, limits=limits, proxy=proxy)
        except (ImportError, ValueError, httpx.InvalidURL):
            # What the library says of it may hold a part of its password.
            raise Unreachable(
                f"the proxy that the environment names for {url.scheme}://{url.host} cannot be used; expected "
                "http://HOST:PORT or https://HOST:PORT",
                remedy=f"set {url.scheme.upper()}_PROXY so, or NO_PROXY to {url.host}",
            ) from None

    return make


@dataclass(slots=True)
class Connections:
    """The connections to one account, made by `make`, which is told how many of them to keep.

    Those for reading are kept open. A write shares its connection with nothing: an answer that came twice would be
    taken for that of the next.
    """

    make: Callable[[int], httpx.AsyncBaseTransport]
    _reading: httpx.AsyncBaseTransport = field(init=False)
    _writing: httpx.AsyncBaseTransport = field(init=False)

    def __post_init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._reading = self.make(KEPT)
        self._writing = self.make(0)

    async def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request and give the whole answer.

        Raises:
            TooLarge: it holds more than any answer of this API.
            httpx.HTTPError: it was not answered, or not to the end.
        """
        try:
            if request.method == "GET":
                return await read_bounded(self._reading, request)
            request.headers["Connection"] = "close"
            return await read_bounded(self._writing, request)
        except httpx.PoolTimeout:
            # No connection became free in all that time: they are of requests that were given up, and never will.
            self._open()
            raise

    async def close(self) -> None:
        """Close all of them."""
        await self._reading.aclose()
        await self._writing.aclose()
