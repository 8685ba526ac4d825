"""The transports that lead straight to a server: how many connections they make, and what they raise."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from cdsync.api.direct import Kept, OneEach

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
KEPT_OPEN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"


@dataclass
class Server:
    """Answers every request with the same bytes, and counts the connections; `cut` ends them before their time."""

    answer: bytes = KEPT_OPEN
    cut: bool = False
    port: int = 0
    connections: int = 0
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[httpx.URL]:
        """Serve on a port of this machine; gives the address."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield httpx.URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v4/schedules?limit=100")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await self._head(reader):
                self.asked.append(head.decode().splitlines()[0])
                writer.write(self.answer)
                await writer.drain()
                if self.cut:
                    break
        finally:
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""


def kept() -> httpx.AsyncBaseTransport:
    """Connections for reading."""
    return Kept(NOBODY, kept=4)


def one_each() -> httpx.AsyncBaseTransport:
    """Connections for writing."""
    return OneEach(NOBODY)


async def ask(transport: httpx.AsyncBaseTransport, url: httpx.URL) -> bytes:
    """One request, read to its end."""
    request = httpx.Request("GET", url, extensions={"timeout": httpx.Timeout(10).as_dict()})
    response = await transport.handle_async_request(request)
    content = await response.aread()
    await response.aclose()
    return content


@pytest.mark.parametrize(("make", "connections"), [(kept, 1), (one_each, 3)])
def test_connections_are_kept_for_reading_and_made_anew_for_each_write(
    make: Callable[[], httpx.AsyncBaseTransport], connections: int
) -> None:
    async def story() -> Server:
        server = Server()
        async with server.listening() as url, make() as transport:
            assert [await ask(transport, url) for _ in range(3)] == [b"[]"] * 3
        return server

    server = asyncio.run(story())
    assert server.connections == connections
    assert server.asked == ["GET /v4/schedules?limit=100 HTTP/1.1"] * 3


@pytest.mark.parametrize("make", [kept, one_each])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"no HTTP at all\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n[", httpx.RemoteProtocolError),
    ],
    ids=["nothing", "nonsense", "a half"],
)
def test_an_answer_that_breaks_off_is_an_error_of_httpx(
    make: Callable[[], httpx.AsyncBaseTransport], answer: bytes, error: type[Exception]
) -> None:
    """What the client knows how to tell, whether the head or the body is missing; the connection is not used again."""

    async def story() -> Server:
        server = Server(answer, cut=True)
        async with server.listening() as url, make() as transport:
            for _ in range(2):
                with pytest.raises(error):
                    await ask(transport, url)
        return server

    assert asyncio.run(story()).connections == 2


@pytest.mark.parametrize("make", [kept, one_each])
def test_a_server_that_is_not_there_is_an_error_of_httpx(make: Callable[[], httpx.AsyncBaseTransport]) -> None:
    """Of those after which nothing was sent, so that even a write may be tried again."""

    async def story() -> None:
        async with Server().listening() as url:
            pass
        async with make() as transport:
            with pytest.raises(httpx.ConnectError):
                await ask(transport, url)

    asyncio.run(story())


@pytest.mark.parametrize("make", [kept, one_each])
def test_an_answer_given_up_halfway_takes_its_connection_with_it(make: Callable[[], httpx.AsyncBaseTransport]) -> None:
    async def story() -> Server:
        server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n[")
        async with server.listening() as url, make() as transport:
            for _ in range(2):
                response = await transport.handle_async_request(httpx.Request("GET", url))
                await response.aclose()
        return server

    assert asyncio.run(story()).connections == 2
