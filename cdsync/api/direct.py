"""Requests straight to a server, without a proxy: httpx on one side, httpcore on the other."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

from cdsync.api.sockets import Sockets

MOST_CONNECTIONS = 100

KEPT_FOR = 5.0
"""Seconds that a connection is kept without use: many a server, and what lies between, gives it up soon after."""


class Kept(httpx.AsyncBaseTransport):
    """Sends requests by connections of which so many (`kept`) stay open from one to the next."""

    def __init__(self, trust: ssl.SSLContext, *, kept: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            trust,
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=kept,
            keepalive_expiry=KEPT_FOR,
            network_backend=Sockets(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the answer has to be read to its end, or closed."""
        asked = _for_httpcore(request)
        with _told_as_by_httpx():
            answer = await self._pool.handle_async_request(asked)
        return _for_httpx(answer, answer.aclose)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


class OneEach(httpx.AsyncBaseTransport):
    """Sends each request by a connection of its own."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the answer has to be read to its end, or closed."""
        asked = _for_httpcore(request)
        connection = httpcore.AsyncHTTPConnection(asked.url.origin, self._trust, network_backend=Sockets())
        try:
            with _told_as_by_httpx():
                answer = await connection.handle_async_request(asked)
        except BaseException:
            await connection.aclose()
            raise
        return _for_httpx(answer, connection.aclose)


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response, close: Callable[[], Awaitable[None]]) -> None:
        self._answer = answer
        self._close = close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _told_as_by_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._close()


def _for_httpcore(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _for_httpx(answer: httpcore.Response, close: Callable[[], Awaitable[None]]) -> httpx.Response:
    return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer, close))


@contextmanager
def _told_as_by_httpx() -> Iterator[None]:
    """Turn what httpcore raises into what httpx does, which calls each error by the same name."""
    try:
        yield
    except Exception as error:
        alike = getattr(httpx, type(error).__name__, None) if type(error).__module__ == httpcore.__name__ else None
        if alike is None:
            raise
        raise alike(str(error)) from error
