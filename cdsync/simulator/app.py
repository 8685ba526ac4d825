"""The simulated API as an ASGI application: one pipeline for every request of either dialect.

fault -> catch up with time -> is the path served -> key -> rate limit -> operation -> log the call
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cdsync.simulator.account import Account
from cdsync.simulator.account import Call as LoggedCall
from cdsync.simulator.clock import Clock
from cdsync.simulator.control import PREFIX as CONTROL_PREFIX
from cdsync.simulator.control import control
from cdsync.simulator.deliveries import delivering
from cdsync.simulator.dialects import LISTINGS, match
from cdsync.simulator.faults import Fault
from cdsync.simulator.interference import Cut, interfere, with_unknown_fields
from cdsync.simulator.options import SimulatorOptions
from cdsync.simulator.refusals import Refusal, bad_input, not_found
from cdsync.simulator.simulation import NOTHING, Answer, Call, Operation, Simulation

HEARTBEAT = 0.05
EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_app(
    options: SimulatorOptions | None = None,
    *,
    time: Callable[[], datetime] | None = None,
    account: Account | None = None,
) -> Starlette:
    """Make the application; the simulation is at `app.state.simulation`.

    Without a lifespan (an in-process transport) nothing runs in the background: time moves on with each request, and
    callbacks stay in `account.outbox`.
    """
    options = options or SimulatorOptions()
    time = time or Clock(speed=options.speed)
    account = account or Account(started_at=time(), seed=options.seed)
    app = Starlette(
        routes=[Route("/{path:path}", _serve_request, methods=EVERY_METHOD)],
        lifespan=_background,
    )
    app.state.simulation = Simulation(options=options, account=account, time=time)
    return app


@asynccontextmanager
async def _background(app: Starlette) -> AsyncIterator[None]:
    task = asyncio.create_task(_tick(app.state.simulation))
    yield
    task.cancel()
    await asyncio.wait([task])


async def _tick(simulation: Simulation) -> None:
    async with delivering(simulation.account) as deliver:
        while True:
            simulation.catch_up()
            deliver()
            await asyncio.sleep(HEARTBEAT)


async def _serve_request(request: Request) -> Response:
    simulation: Simulation = request.app.state.simulation
    body = await request.body()
    if request.url.path.startswith(CONTROL_PREFIX):
        simulation.catch_up()
        response = _guarded(partial(_control, simulation, request, body))
    else:
        response = await _answer(simulation, request, body)
    response.headers["Date"] = format_datetime(simulation.now().astimezone(UTC), usegmt=True)
    return response


def _control(simulation: Simulation, request: Request, body: bytes) -> Response:
    host = request.client.host if request.client else ""
    payload = control(simulation, host, request.method, request.url.path, _read_json(request, body))
    return JSONResponse(payload)


async def _answer(simulation: Simulation, request: Request, body: bytes) -> Response:
    method, path = request.method, request.url.path
    fault = simulation.faults.take(method, path)
    respond = partial(_guarded, partial(_operate, simulation, request, body, fault))
    response = await interfere(fault, respond, path)
    simulation.account.calls.append(
        LoggedCall(
            method=method,
            path=path,
            status=None if isinstance(response, Cut) else response.status_code,
            at=simulation.now(),
            fault=None if fault is None else fault.kind,
        )
    )
    return response


def _operate(simulation: Simulation, request: Request, body: bytes, fault: Fault | None) -> Response:
    now = simulation.catch_up()
    options, path = simulation.options, request.url.path
    operation, values = _route(options, request.method, path)
    _check_key(options, request.headers.get("x-api-key"))
    simulation.rate_limit.admit(now, path, options.requests_per_minute)
    call = Call(
        now=now,
        url=str(request.url.replace(query="")),
        path=values,
        query=tuple(request.query_params.multi_items()),
        body=_read_json(request, body),
        fault=fault,
    )
    answer: Answer = operation(simulation, call)
    payload = answer.payload
    if fault is not None and fault.kind == "unknown_fields":
        payload = with_unknown_fields(payload)
    if options.envelope and operation in LISTINGS:
        payload = {"data": payload}
    return JSONResponse(payload, headers=dict(answer.headers))


def _guarded(work: Callable[[], Response]) -> Response:
    """Turn a refusal into its answer."""
    try:
        return work()
    except Refusal as refusal:
        return JSONResponse(refusal.body(), status_code=refusal.status, headers=refusal.headers)


def _route(options: SimulatorOptions, method: str, path: str) -> tuple[Operation, dict[str, str]]:
    try:
        operation, values = match(options, method, path)
    except LookupError as problem:
        raise not_found(f"no such path: {path}") from problem
    if operation is None:
        raise Refusal(405, f"{method} is not allowed for {path}", label="STATUS_405", scope="input")
    return operation, values


def _check_key(options: SimulatorOptions, key: str | None) -> None:
    if not key or (options.key is not None and key != options.key):
        raise Refusal(401, "The X-API-Key header is missing or wrong", label="STATUS_401", scope="auth")


def _read_json(request: Request, body: bytes) -> Any:
    if not body:
        return NOTHING
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise bad_input("the body must have content type application/json")
    try:
        return json.loads(body)
    except ValueError as problem:
        raise bad_input(f"the body is not JSON: {problem}") from problem
