"""A server of one's own invention, for what the simulator never does; and the ways to open the API in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx

from cdsync.api import Api, connect
from cdsync.api.client import Client
from cdsync.api.limiter import Limiter
from cdsync.settings import ApiSettings, DialectName
from cdsync.simulator import SimulatorOptions
from tests.virtual_time import URL, Served, VirtualClock, run_virtual, serve_virtually

T = TypeVar("T")

MONDAY_SEVEN = datetime(2026, 6, 1, 7, 0, tzinfo=UTC)
KEY = "canary-key-5f1c9b"


@dataclass
class Answering(httpx.AsyncBaseTransport):
    """Gives these answers (or raises them) one after another, the last one for ever; keeps what was asked, and when."""

    clock: VirtualClock
    answers: list[httpx.Response | Exception]
    asked: list[httpx.Request] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take the next answer."""
        self.asked.append(request)
        self.moments.append(self.clock.elapsed)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def client_of(
    transport: httpx.AsyncBaseTransport,
    clock: VirtualClock,
    *,
    per_minute: int = 6000,
    now: Callable[[], datetime] | None = None,
) -> Client:
    """A client without a dialect."""
    return Client(
        base_url=URL,
        key=KEY,
        limiter=Limiter(per_minute),
        timeout=timedelta(seconds=30),
        now=now or clock,
        transport=transport,
    )


def in_virtual_time(story: Callable[[VirtualClock], Coroutine[Any, Any, T]]) -> T:
    """Run a story that begins on Monday, 1 June 2026, 07:00 UTC."""
    return run_virtual(story, start=MONDAY_SEVEN)


@asynccontextmanager
async def opened(
    clock: VirtualClock, options: SimulatorOptions | None = None, *, dialect: DialectName = "manage"
) -> AsyncIterator[tuple[Api, Served]]:
    """The API of a simulated account, both in virtual time."""
    served = serve_virtually(clock, options)
    settings = ApiSettings(base_url=URL, dialect=dialect, requests_per_minute=60_000)
    async with connect(settings, key=KEY, now=clock, transport=served.transport) as api:
        yield api, served
