"""The HTTP server, in the loop of the daemon: it begins and ends with it, and takes no signal for itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette

from cdsync.core.urls import Endpoint
from cdsync.errors import CdsyncError
from cdsync.logs import logger

MOST_CONNECTIONS = 100
IDLE = 15
LAST_ANSWERS = 2


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the daemon."""
        yield


@contextlib.asynccontextmanager
async def listening(app: Starlette, endpoint: Endpoint) -> AsyncIterator[Endpoint]:
    """Serve for the duration of a block; gives the endpoint with the port that was taken.

    Raises:
        CdsyncError: it is in use, or may not be used.
    """
    with _bound(endpoint) as listener:
        server = _Server(_config(app))
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="listener")
        taken = Endpoint(endpoint.host, listener.getsockname()[1])
        logger().info("listener.started", url=f"http://{taken}")
        try:
            yield taken
        finally:
            server.should_exit = True
            await asyncio.wait({serving})


def _bound(endpoint: Endpoint) -> socket.socket:
    try:
        family = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((endpoint.host, endpoint.port), family=family)
    except OSError as error:
        raise CdsyncError(
            f"daemon.listen: {endpoint} cannot be used: {error.strerror or error}",
            remedy="choose another port, or stop who uses it",
        ) from error


def _config(app: Starlette) -> uvicorn.Config:
    # What clients do wrong is not the daemon's log.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Who asks is who is connected: a header that anybody can send does not change that.
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=LAST_ANSWERS,
    )
