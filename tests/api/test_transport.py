"""The way to the API: by the proxy that the environment names, if it names one."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme

from cdsync.api import connect
from cdsync.api.proxies import proxy_for
from cdsync.api.transport import Connections, transports_to
from cdsync.errors import Unreachable
from cdsync.settings import ApiSettings
from tests.api.answering import KEY, MONDAY_SEVEN

API = httpx.URL("https://api.example.com")
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ({"https_proxy": "p:3128"}, "http://p:3128"),
        ({"ALL_PROXY": "http://p:3128"}, "http://p:3128"),
        ({"HTTP_PROXY": "http://p:3128"}, None),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "localhost,.example.com"}, None),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "example.org"}, "http://p:3128"),
        ({"HTTPS_PROXY": ""}, None),
        *(
            ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": rule}, None)
            for rule in (
                "localhost,*",
                "https://api.example.com",
                "all://api.example.com/",
                "*.example.com",
                "API.example.com:443",
                " example.com ",
            )
        ),
        *(
            ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": rule}, "http://p:3128")
            for rule in (
                "http://api.example.com",
                "api.example.com:80",
                "xample.com",
                "10.0.0.0/8",
                ":",
                "*.",
                "[",
                ",",
            )
        ),
    ],
)
def test_the_proxy_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(API) == expected


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("http://127.0.0.1:8080", "127.0.0.0/8"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080", "[::1]"),
        ("http://[::1]:8080", "::1"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_addresses_are_excluded_however_they_are_named(
    monkeypatch: pytest.MonkeyPatch, address: str, rule: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://p:3128")
    assert proxy_for(httpx.URL(address)) == "http://p:3128"
    monkeypatch.setenv("NO_PROXY", rule)
    assert proxy_for(httpx.URL(address)) is None


@pytest.mark.parametrize(
    "proxy",
    [
        "gopher://p:70",
        "http://p:port",
        "socks5://p:1080",
        "http://user:hunter2/x@p:3128",
        "http://user:hunter2#x@p:3128",
        "http://user:hunter2@p:99999",
    ],
)
def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """What to set is said, instead of a traceback from the depths of a library."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(Unreachable) as caught:
        transports_to(str(API))(1)
    assert str(caught.value) == (
        "the proxy that the environment names for https://api.example.com cannot be used; expected http://HOST:PORT or "
        "https://HOST:PORT"
    )
    assert caught.value.remedy == "set HTTPS_PROXY so, or NO_PROXY to api.example.com"


@pytest.mark.parametrize(
    "address", ["https://999.999.999.999", "https://[v1.x]", "https://xn--\xe9", "https://" + "a" * 70_000]
)
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(Unreachable) as caught:
        transports_to(address)(1)
    assert caught.value.remedy == "check api.base_url"


@asynccontextmanager
async def listening(asked: list[str], *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server or proxy on this machine that answers every request with an empty listing; gives its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.decode().splitlines()[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_requests_go_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that read and those that write, each with the address that it is for."""

    async def story() -> list[str]:
        asked: list[str] = []
        async with listening(asked) as address:
            monkeypatch.setenv("HTTP_PROXY", address)
            settings = ApiSettings(base_url="http://127.0.0.1:9", dialect="rest")
            async with connect(settings, key=KEY, now=lambda: MONDAY_SEVEN) as api:
                await api.schedules()
                await api.pause_schedule("u-1")
        return asked

    reading, writing = asyncio.run(story())
    assert reading.startswith("GET http://127.0.0.1:9/")
    assert writing.startswith("POST http://127.0.0.1:9/")


def test_requests_are_encrypted_for_a_server_that_is_vouched_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those that read and those that write, on a server whose authority the environment names."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    proof = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(proof)

    async def story(*, name: str) -> list[str]:
        asked: list[str] = []
        async with listening(asked, tls=proof) as address:
            settings = ApiSettings(base_url=address.replace("127.0.0.1", name), dialect="rest")
            async with connect(settings, key=KEY, now=lambda: MONDAY_SEVEN) as api:
                await api.pause_schedule("u-1")
                await api.schedules()
        return asked

    writing, reading = asyncio.run(story(name="localhost"))
    assert writing.startswith("POST /v4/schedules/u-1/pause")
    assert reading.startswith("GET /v4/schedules?")
    with pytest.raises(Unreachable, match="certificate verify failed"):
        asyncio.run(story(name="127.0.0.1"))


@dataclass
class Full(httpx.AsyncBaseTransport):
    """Has no connection left."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.PoolTimeout("none is free", request=request)


def test_connections_that_never_become_free_are_made_anew() -> None:
    """What was given up may hold its connection for good; a process of months must not end so."""
    made: list[int] = []

    def make(kept: int) -> httpx.AsyncBaseTransport:
        made.append(kept)
        return Full() if len(made) <= 2 else httpx.MockTransport(lambda _: httpx.Response(200))

    async def story() -> int:
        connections = Connections(make)
        with pytest.raises(httpx.PoolTimeout):
            await connections.exchange(httpx.Request("GET", "https://api.example.com"))
        return (await connections.exchange(httpx.Request("GET", "https://api.example.com"))).status_code

    assert asyncio.run(story()) == 200
    assert len(made) == 4
