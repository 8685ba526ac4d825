"""Time that costs nothing: an event loop whose clock jumps to the next timer, with the simulated API inside it.

All that waits in such a loop, waits for timers or for each other; so whenever nobody can go on, the clock is moved to
the next timer. Hours of back-off take milliseconds, and the same story always takes the same time. No real socket, file
descriptor or thread may be waited for inside: time would run ahead of it.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from starlette.applications import Starlette
from starlette.types import Message, Scope

from cdsync.simulator import Account, ConnectionDropped, SimulatorOptions, create_app
from cdsync.simulator.simulation import Simulation

T = TypeVar("T")

URL = "http://simulator"
"""Where the simulated API is, as far as a client knows."""

TURN = 1e-9
"""What each turn of the loop takes, so that a waiter who woke up a rounding error too early does not do so for ever."""

PATIENCE = 5.0
"""Real seconds after which a loop without any timer is taken for stuck."""


class StuckError(RuntimeError):
    """Everybody waits, and no timer is set: nothing would ever happen again."""


class VirtualClock:
    """The time of a virtual loop as a moment; also a plain callable, which is what cdsync and the simulator take.

    `shift` is by how much it is wrong, which the simulated API's own is not.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, start: datetime) -> None:
        self._loop = loop
        self._start = start.astimezone(UTC)
        self.shift = timedelta()

    def now(self) -> datetime:
        """The present moment in UTC, to the microsecond."""
        return self._start + timedelta(seconds=self.elapsed) + self.shift

    @property
    def elapsed(self) -> float:
        """How many seconds have passed since the start."""
        return self._loop.time()

    __call__ = now


class _Selector(selectors.PollSelector):
    """Never waits: what the loop would have slept through, it passes on."""

    def __init__(self, pass_time: Callable[[float], None]) -> None:
        super().__init__()
        self._pass_time = pass_time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None:
            # Nothing real is waited for in here, so the kernel is asked only when nothing else is left.
            self._pass_time(max(timeout, TURN))
            return []
        ready = super().select(PATIENCE)
        if not ready:
            raise StuckError("everybody waits, and no timer is set")
        self._pass_time(TURN)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that starts at zero and jumps from timer to timer."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        super().__init__(_Selector(self._pass_time))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._elapsed

    def _pass_time(self, seconds: float) -> None:
        # After some months a turn is less than what a float of seconds can tell apart.
        self._elapsed = max(self._elapsed + seconds, math.nextafter(self._elapsed, math.inf))


def run_virtual(story: Callable[[VirtualClock], Coroutine[Any, Any, T]], *, start: datetime) -> T:
    """Run a coroutine in virtual time that begins at `start`; it gets the clock, and its result is given back.

    Whatever it leaves running is cancelled at its end, as by the death of a process.

    Raises:
        StuckError: everybody waits, and no timer is set.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        # Its own `run` would prepare for Ctrl-C each time, at the price of the text of all that the story gives back.
        return loop.run_until_complete(story(VirtualClock(loop, start=start)))


class InProcess(httpx.AsyncBaseTransport):
    """Serves requests by an ASGI application in the same loop, and fails as a network does.

    A request that its sender has given up still comes to its end at the server.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._served: set[asyncio.Task[httpx.Response]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Give the application's answer.

        Raises:
            httpx.ReadError: the application dropped the connection.
            httpx.ReadTimeout: it has not answered in the time that the request allows.
        """
        serving = asyncio.create_task(_answer(self._app, request))
        self._served.add(serving)
        serving.add_done_callback(self._end)
        allowed = request.extensions.get("timeout", {}).get("read")
        try:
            return await asyncio.wait_for(asyncio.shield(serving), allowed)
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time", request=request) from None
        except ConnectionDropped as error:
            raise httpx.ReadError(str(error), request=request) from error

    def _end(self, serving: asyncio.Task[httpx.Response]) -> None:
        self._served.discard(serving)
        if not serving.cancelled():
            # Asking for it marks it as seen: the sender may be gone.
            serving.exception()


async def _answer(app: Starlette, request: httpx.Request) -> httpx.Response:
    """Ask an ASGI application and wait for the whole of its answer; its own errors go to the sender."""
    url = request.url
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 1),
    }
    asked: Message = {"type": "http.request", "body": await request.aread()}
    sent: list[Message] = []

    async def receive() -> Message:
        return asked

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *parts = sent
    content = b"".join(part.get("body", b"") for part in parts)
    return httpx.Response(start["status"], headers=start["headers"], content=content, request=request)


@dataclass(frozen=True, slots=True)
class Served:
    """A simulated account in virtual time: what happens there, and the transport that leads to it."""

    simulation: Simulation
    transport: InProcess

    @property
    def account(self) -> Account:
        """The account being served."""
        return self.simulation.account


def serve_virtually(
    clock: VirtualClock, options: SimulatorOptions | None = None, *, account: Account | None = None
) -> Served:
    """Serve an account, new unless given, at `URL` in the time of a clock."""
    app = create_app(options, time=clock, account=account)
    return Served(app.state.simulation, InProcess(app))
