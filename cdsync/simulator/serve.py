"""The application on a real socket: in the foreground for people, in a thread for tests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from cdsync.simulator.account import Account
from cdsync.simulator.app import create_app
from cdsync.simulator.clock import Clock
from cdsync.simulator.faults import Fault
from cdsync.simulator.interference import TRANSPORT
from cdsync.simulator.options import SimulatorOptions
from cdsync.simulator.simulation import Simulation

POLL = 0.02
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Protocol(H11Protocol):
    """Shows the application its TCP transport, so that an injected fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport


class _Server(uvicorn.Server):
    """Tells when it is ready, notices quickly that it shall stop, and takes a signal as a wish, not as a death."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def main_loop(self) -> None:
        while not self.should_exit:  # noqa: ASYNC110 - a signal or another thread sets it
            await asyncio.sleep(POLL)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, *_signal: object) -> None:
        self.should_exit = True


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    options: SimulatorOptions | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then return.

    `on_ready` is called once with the URL, when requests are answered; port 0 takes any free port.

    Raises:
        OSError: the address is in use or may not be used.
    """
    listener = _listen(host, port)
    announce = on_ready or (lambda _url: None)
    server = _Server(_config(create_app(options)), lambda: announce(_url_of(listener)))
    with listener:
        asyncio.run(server.serve(sockets=[listener]))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSimulator:
    """A simulator in a thread; `account` may be read at any time, but only changed through here or the API."""

    url: str
    clock: Callable[[], datetime]
    simulation: Simulation
    loop: asyncio.AbstractEventLoop

    @property
    def account(self) -> Account:
        """The account being served."""
        return self.simulation.account

    def advance(self, seconds: float) -> None:
        """Skip time, and return when everything due in between has happened.

        Raises:
            TypeError: the time is driven from elsewhere.
        """
        clock = self.clock
        if not isinstance(clock, Clock):
            raise TypeError("the time of this simulator is driven from elsewhere")

        def skip() -> None:
            clock.advance(seconds)
            self.simulation.catch_up()

        self._within_server(skip)

    def inject(self, *faults: Fault) -> None:
        """Let things go wrong from the next request on."""
        self._within_server(lambda: self.simulation.faults.active.extend(faults))

    def _within_server(self, work: Callable[[], Any]) -> None:
        done: Future[None] = Future()

        def run() -> None:
            try:
                work()
            except BaseException as problem:
                done.set_exception(problem)
            else:
                done.set_result(None)

        self.loop.call_soon_threadsafe(run)
        done.result()


@contextlib.contextmanager
def running(
    options: SimulatorOptions | None = None,
    *,
    clock: Callable[[], datetime] | None = None,
    account: Account | None = None,
) -> Iterator[RunningSimulator]:
    """Serve on a free loopback port in a thread, for the duration of a `with` block."""
    options = options or SimulatorOptions()
    clock = clock or Clock(speed=options.speed)
    app = create_app(options, time=clock, account=account)
    ready: Future[asyncio.AbstractEventLoop] = Future()
    server = _Server(_config(app), lambda: ready.set_result(asyncio.get_running_loop()))
    with _listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listener]),), name="cdsync-simulator")
        thread.start()
        try:
            loop = ready.result(timeout=30)
            yield RunningSimulator(url=_url_of(listener), clock=clock, simulation=app.state.simulation, loop=loop)
        finally:
            server.should_exit = True
            thread.join()


def _config(app: Starlette) -> uvicorn.Config:
    # A cut connection is no news here: uvicorn would report each as an error of the application.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # asyncio does this only for sockets made another way; without it each answer waits for a delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url_of(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
