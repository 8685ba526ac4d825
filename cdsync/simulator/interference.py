"""How a fault takes hold of a request: before its effect, after it, or in its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from cdsync.simulator.faults import Fault
from cdsync.simulator.limits import too_many
from cdsync.simulator.refusals import ConnectionDropped, Refusal

TRANSPORT = "cdsync.transport"
"""The scope extension in which the server leaves its TCP transport, so that a fault can cut it."""

UNKNOWN_FIELDS = {"x_new_field": {"since": "tomorrow"}, "x_flags": [None, 1, "two"]}


class Cut(Response):
    """Closes the connection instead of answering, or in the middle of an answer."""

    def __init__(self, beginning: Response | None = None) -> None:
        super().__init__()
        self._beginning = beginning

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send the beginning, if any, then close."""
        if self._beginning is not None:
            await self._send_half(self._beginning, send)
        transport = scope.get("extensions", {}).get(TRANSPORT)
        if transport is None:
            raise ConnectionDropped("the connection was closed by an injected fault")
        # An abort throws away what is still to be sent, so half an answer needs the polite way.
        if self._beginning is None:
            transport.abort()
        else:
            transport.close()
        await asyncio.sleep(0)

    async def _send_half(self, response: Response, send: Send) -> None:
        body = bytes(response.body)
        headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
        headers.append((b"content-length", str(len(body) + 100).encode()))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


async def interfere(fault: Fault | None, respond: Callable[[], Response], path: str) -> Response:
    """Answer a request as a fault will have it; `respond` is what brings about its effect."""
    if fault is None:
        return respond()
    match fault.kind:
        case "drop_before":
            return Cut()
        case "drop_after":
            respond()
            return Cut()
        case "partial":
            return Cut(respond())
        case "slow":
            return await _slowly(fault, respond)
        case "status" | "non_json" | "rate_limit":
            if fault.after:
                respond()
            return _error(fault, path)
        case _:
            return respond()


def with_unknown_fields(payload: Any) -> Any:
    """The payload with fields that no documentation names, in every object at the top."""
    if isinstance(payload, list):
        return [with_unknown_fields(item) for item in payload]
    return {**payload, **UNKNOWN_FIELDS} if isinstance(payload, dict) else payload


async def _slowly(fault: Fault, respond: Callable[[], Response]) -> Response:
    response = respond() if fault.after else None
    await asyncio.sleep(fault.seconds)
    return response or respond()


def _error(fault: Fault, path: str) -> Response:
    if fault.kind == "non_json":
        code = fault.code or 502
        title = f"{code} Gateway trouble"
        return HTMLResponse(f"<html><head><title>{title}</title></head><body>{title}</body></html>", status_code=code)
    if fault.kind == "rate_limit":
        refusal = too_many(path, fault.seconds)
    else:
        refusal = Refusal(fault.code or 500, fault.message, label=fault.label, scope="server")

    return JSONResponse(refusal.body(), status_code=refusal.status, headers=refusal.headers)
