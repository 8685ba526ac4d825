"""What the daemon answers over HTTP. Nothing secret is in any answer, and what is not set up is not there.

Another page is another route: `application` takes further ones, and everything it may show stands in `Desk`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from cdsync.daemon.health import Verdict
from cdsync.daemon.hooks import is_genuine, is_greeting, same
from cdsync.daemon.standing import Standing
from cdsync.daemon.triggers import Cause
from cdsync.errors import CdsyncError
from cdsync.logs import logger

LARGEST_BODY = 2**20
BODY_WITHIN = 10.0

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""

NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the daemon shows and takes over HTTP. A secret is looked up when it is needed; None is one not set."""

    standing: Callable[[], Standing]
    verdict: Callable[[], Verdict]
    metrics: Callable[[], bytes]
    request: Callable[[Cause], None]
    token: Callable[[], str | None]
    webhook_secret: Callable[[], str | None]


def application(desk: Desk, *, more: Iterable[BaseRoute] = ()) -> Starlette:
    """The application that answers; `more` are further routes, asked first."""

    async def healthz(_request: Request) -> Response:
        verdict = desk.verdict()
        return JSONResponse(verdict.document(), status_code=200 if verdict.healthy else 503, headers=NO_STORE)

    async def readyz(_request: Request) -> Response:
        verdict = desk.verdict()
        return JSONResponse(verdict.document(), status_code=200 if verdict.ready else 503, headers=NO_STORE)

    async def metrics(_request: Request) -> Response:
        return Response(desk.metrics(), headers={**NO_STORE, "Content-Type": METRICS_TYPE})

    async def hook(request: Request) -> Response:
        secret = _secret(desk.webhook_secret)
        if not is_genuine(request.headers, await _body(request), secret=secret):
            raise _unknown_sender(request)
        if is_greeting(request.headers):
            return JSONResponse({"accepted": False, "why": "a greeting; nothing to do"})
        return _accept(desk, Cause.HOOK)

    async def reconcile(request: Request) -> Response:
        token = _secret(desk.token)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not same(given.strip(), token):
            raise _unknown_sender(request)
        return _accept(desk, Cause.REQUEST)

    return Starlette(
        routes=[
            *more,
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/hooks/git", hook, methods=["POST"]),
            Route("/reconcile", reconcile, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _refuse, Exception: _break},
    )


async def _refuse(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


async def _break(request: Request, error: Exception) -> Response:
    logger().error("listener.crashed", path=request.url.path, exc_info=error)
    return JSONResponse({"error": "this went wrong on the side of the daemon; see its log"}, status_code=500)


def _accept(desk: Desk, cause: Cause) -> Response:
    desk.request(cause)
    return JSONResponse({"accepted": True, "why": "a pass is made as soon as none runs"}, status_code=202)


def _secret(look_up: Callable[[], str | None]) -> str:
    """The secret that a caller has to know.

    Raises:
        HTTPException: there is none, so the path is not there; or it cannot be read just now.
    """
    try:
        secret = look_up()
    except CdsyncError as error:
        logger().error("listener.no_secret", error=str(error), remedy=error.remedy)
        raise HTTPException(503, "the secret of this path cannot be read; see the log") from None
    if secret is None:
        raise HTTPException(404, "Not Found")
    return secret


def _unknown_sender(request: Request) -> HTTPException:
    logger().warning("listener.refused", path=request.url.path, peer=request.client.host if request.client else None)
    return HTTPException(401, "the caller does not know the secret of this path", {"WWW-Authenticate": "Bearer"})


async def _body(request: Request) -> bytes:
    """The body of a request, as far as it may be long.

    Raises:
        HTTPException: it is longer, or too slow.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_BODY:
                    raise HTTPException(413, f"the body is longer than {LARGEST_BODY} bytes", {"Connection": "close"})
    except TimeoutError:
        raise HTTPException(408, f"the body took longer than {BODY_WITHIN:.0f} s", {"Connection": "close"}) from None
    return bytes(body)
