"""What httpcore sends by: the sockets of asyncio itself.

Its own way to them is made for other event loops as well, and takes a seventh of the time of a request.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any

import httpcore

HEAD_START = 0.25
"""Seconds after which the next address of a name is tried beside the first (RFC 8305, "Happy Eyeballs")."""

PIECE = 65536
"""Bytes that are held back at most."""

NAMES = {"ssl_object": "ssl_object", "client_addr": "sockname", "server_addr": "peername", "socket": "socket"}
"""What httpcore asks about a stream, and what asyncio calls it."""


@contextmanager
def _told_as(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Turn what asyncio raises into what httpcore does."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except (OSError, UnicodeError) as error:
        # UnicodeError: a name that no host can have.
        raise broken(str(error)) from error


class Sockets(httpcore.AsyncNetworkBackend):
    """Connections over TCP. Times are in seconds, None for as long as it takes."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers.

        Raises:
            httpcore.ConnectError: none does.
            httpcore.ConnectTimeout: none did in time.
        """
        local = (local_address, 0) if local_address is not None else None
        delay = None if _is_address(host) else HEAD_START
        loop = asyncio.get_running_loop()
        reader = _Reader()
        protocol = asyncio.StreamReaderProtocol(reader)
        with _told_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                transport, _ = await loop.create_connection(
                    lambda: protocol, host, port, local_addr=local, happy_eyeballs_delay=delay
                )
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return _Stream(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Reader(asyncio.StreamReader):
    """One that knows how much has come that nobody has read, and keeps it when the connection breaks."""

    unread = 0

    def set_exception(self, exc: Exception) -> None:
        if self.unread:
            self.feed_eof()
        else:
            super().set_exception(exc)

    def feed_data(self, data: Any) -> None:
        self.unread += len(data)
        super().feed_data(data)

    async def read(self, n: int = -1) -> bytes:
        data = await super().read(n)
        self.unread -= len(data)
        return data


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._held = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 # httpcore's
        with suppress(httpcore.WriteError):
            # An answer may have come all the same.
            await self._send(timeout)
        with _told_as(httpcore.ReadTimeout, httpcore.ReadError):
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 # httpcore's
        # Head and body come one after the other; in one piece they cost one call of the system, and one packet.
        self._held += buffer
        if len(self._held) > PIECE:
            await self._send(timeout)

    async def _send(self, timeout: float | None) -> None:  # noqa: ASYNC109 # httpcore's
        if not self._held:
            return
        held, self._held = self._held, b""
        with _told_as(httpcore.WriteTimeout, httpcore.WriteError):
            async with asyncio.timeout(timeout):
                self._writer.write(held)
                await self._writer.drain()

    async def aclose(self) -> None:
        # At once: what has not left by now is taken for lost, and must not leave later.
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 # httpcore's
    ) -> httpcore.AsyncNetworkStream:
        try:
            with _told_as(httpcore.ConnectTimeout, httpcore.ConnectError):
                async with asyncio.timeout(timeout):
                    await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException:
            await self.aclose()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            # The end, or an answer that nobody asked for: in either case it cannot be used once more.
            wire = self._writer.get_extra_info("socket")
            return self._writer.is_closing() or self._reader.unread > 0 or _has_news(wire)
        return self._writer.get_extra_info(NAMES[info]) if info in NAMES else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _has_news(wire: socket.socket) -> bool:
    poll = select.poll()
    poll.register(wire, select.POLLIN)
    return bool(poll.poll(0))
