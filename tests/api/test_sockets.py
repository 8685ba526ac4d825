"""The sockets under the client, against servers on this machine that do what servers should not."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpcore
import pytest
import trustme

from cdsync.api.sockets import Sockets

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SOON = 0.05
MUCH = b"x" * 16 * 2**20
"""More than the buffers of two sockets hold."""


@asynccontextmanager
async def listening(serve: Serve, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on this machine; gives its port. A connection is closed when `serve` is done with it."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def until_told(event: asyncio.Event) -> None:
    """Wait no longer than any test may take."""
    async with asyncio.timeout(10):
        await event.wait()


async def connected(port: int) -> httpcore.AsyncNetworkStream:
    """A connection to a port of this machine."""
    return await Sockets().connect_tcp("127.0.0.1", port, timeout=10)


async def whole(stream: httpcore.AsyncNetworkStream) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    while part := await stream.read(65536, timeout=10):
        parts.append(part)
    return b"".join(parts)


def trusting() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server proves that it is `localhost` by, and what a client believes it by."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return server, client


@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_sent_arrives_however_much_it_is(encrypted: bool) -> None:
    """More than all buffers hold, both ways, plain and encrypted."""
    proof, trust = trusting()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(len(MUCH)))
        await writer.drain()

    async def story() -> bytes:
        async with listening(echo, tls=proof if encrypted else None) as port:
            stream = await connected(port)
            if encrypted:
                stream = await stream.start_tls(trust, server_hostname="localhost", timeout=10)
            assert (stream.get_extra_info("ssl_object") is not None) is encrypted
            await stream.write(MUCH, timeout=10)
            received = await whole(stream)
            await stream.aclose()
            return received

    assert asyncio.run(story()) == MUCH


def test_a_name_is_connected_to_by_whichever_of_its_addresses_answers() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()

    async def story() -> bytes:
        async with listening(greet) as port:
            stream = await Sockets().connect_tcp("localhost", port, timeout=10)
            received = await whole(stream)
            await stream.aclose()
            return received

    assert asyncio.run(story()) == b"hello"


def test_a_port_where_nobody_listens_is_told_with_the_reason() -> None:
    async def nothing(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None: ...

    async def story() -> None:
        async with listening(nothing) as port:
            pass
        with pytest.raises(httpcore.ConnectError, match=f"127.0.0.1.*{port}"):
            await connected(port)

    asyncio.run(story())


def test_a_name_that_no_host_can_have_is_told() -> None:
    async def story() -> None:
        with pytest.raises(httpcore.ConnectError, match="label"):
            await Sockets().connect_tcp("a" * 70 + ".invalid", 80, timeout=10)

    asyncio.run(story())


def test_a_server_that_no_authority_vouches_for_is_told() -> None:
    async def nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> None:
        async with listening(nothing, tls=trusting()[0]) as port:
            stream = await connected(port)
            with pytest.raises(httpcore.ConnectError, match="certificate verify failed"):
                await stream.start_tls(trusting()[1], server_hostname="localhost", timeout=10)

    asyncio.run(story())


def test_nothing_is_waited_for_longer_than_allowed() -> None:
    """A server that says nothing and takes nothing."""
    ended = asyncio.Event()

    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await until_told(ended)

    async def story() -> None:
        async with listening(silent) as port:
            stream = await connected(port)
            with pytest.raises(httpcore.ReadTimeout):
                await stream.read(1, timeout=SOON)
            with pytest.raises(httpcore.WriteTimeout):
                await stream.write(MUCH, timeout=SOON)
            await stream.aclose()
            other = await connected(port)
            with pytest.raises(httpcore.ConnectTimeout):
                await other.start_tls(trusting()[1], server_hostname="localhost", timeout=SOON)
            ended.set()

    asyncio.run(story())


def test_head_and_body_leave_together_and_not_before_an_answer_is_waited_for() -> None:
    """In one piece; what is given up before has not left at all."""
    pieces: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            pieces.append(piece)
            writer.write(b"taken")

    async def story() -> None:
        async with listening(take) as port:
            given_up = await connected(port)
            await given_up.write(b"never sent", timeout=10)
            await given_up.aclose()
            stream = await connected(port)
            await stream.write(b"head ", timeout=10)
            await stream.write(b"body", timeout=10)
            assert await stream.read(65536, timeout=10) == b"taken"
            await stream.aclose()

    asyncio.run(story())
    assert pieces == [b"head body"]


def test_what_has_not_left_when_a_connection_is_closed_never_does() -> None:
    """It is taken for lost by then; what left later could take effect after it was ruled out."""
    closed = asyncio.Event()
    arrived: asyncio.Future[int]

    async def late(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await until_told(closed)
        size = 0
        try:
            while part := await reader.read(2**20):
                size += len(part)
        except ConnectionError:
            pass
        arrived.set_result(size)

    async def story() -> int:
        nonlocal arrived
        arrived = asyncio.get_running_loop().create_future()
        async with listening(late) as port:
            stream = await connected(port)
            with pytest.raises(httpcore.WriteTimeout):
                await stream.write(MUCH, timeout=SOON)
            await stream.aclose()
            closed.set()
            async with asyncio.timeout(10):
                return await arrived

    assert asyncio.run(story()) < len(MUCH)


async def until_readable(stream: httpcore.AsyncNetworkStream) -> None:
    """Wait until something has come."""
    while not stream.get_extra_info("is_readable"):  # noqa: ASYNC110 # the socket tells nobody
        await asyncio.sleep(0)


async def speaks_unasked(writer: asyncio.StreamWriter) -> None:
    """Say more than was asked for, and go on."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await writer.drain()


async def closes(writer: asyncio.StreamWriter) -> None:
    """End in an orderly way."""
    writer.close()


async def breaks_off(writer: asyncio.StreamWriter) -> None:
    """End like a machine that has lost its memory."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@pytest.mark.parametrize("behave", [speaks_unasked, closes, breaks_off])
def test_a_connection_that_has_ended_or_said_more_is_not_used_again(
    behave: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> None:
    """What is readable before anything was asked is the end, or an answer to something else."""
    asked, ended = asyncio.Event(), asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await until_told(asked)
        await behave(writer)
        await until_told(ended)

    async def story() -> None:
        async with listening(serve) as port:
            stream = await connected(port)
            assert not stream.get_extra_info("is_readable")
            asked.set()
            await asyncio.wait_for(until_readable(stream), 10)
            # Also when it is no longer with the socket, but with asyncio.
            for _ in range(10):
                await asyncio.sleep(0)
                assert stream.get_extra_info("is_readable")
            await stream.aclose()
            ended.set()

    asyncio.run(story())


def test_what_has_come_is_read_although_the_connection_broke_since() -> None:
    """A server that answers before it has taken the whole request, and then is gone, has answered."""
    read = asyncio.Event()

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\n\r\n")
        await writer.drain()
        await until_told(read)
        await breaks_off(writer)

    async def until_taken_up(stream: httpcore.AsyncNetworkStream) -> None:
        await until_readable(stream)
        for _ in range(10):
            await asyncio.sleep(0)
        read.set()

    async def story() -> bytes:
        async with listening(refuse) as port:
            stream = await connected(port)
            watching = asyncio.create_task(until_taken_up(stream))
            with pytest.raises(httpcore.WriteError):
                await stream.write(MUCH, timeout=10)
            await watching
            received = await whole(stream)
            await stream.aclose()
            return received

    assert asyncio.run(story()) == b"HTTP/1.1 413 Too Large\r\n\r\n"
