"""One request and its answer: the key, the budget, the retries, and every failure as an error of ours.

The rule that all else stands on: a read may be repeated, a write never is, unless the API said that it refused it (429)
or it was never sent. A write whose answer is lost is `OutcomeUnknown`.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import stamina
import stamina.instrumentation

from cdsync import __version__
from cdsync.api.limiter import Limiter, seconds_to_wait
from cdsync.errors import (
    ApiError,
    BadAnswer,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    Unauthorized,
    Unreachable,
)

NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
    httpx.LocalProtocolError,
)
HEADER_VALUE = re.compile(r"[!-~]+")
# What a retry was about is told once, by the error that ends it.
stamina.instrumentation.set_on_retry_hooks(())

BODY_SHOWN = 256
READ_ATTEMPTS = 4
REFUSALS = 5
LONGEST_HOLD = 300.0
BACK_OFF = 2.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request that left: for tests and metrics. `status` is None when no answer came."""

    method: str
    path: str
    status: int | None


class Client:
    """Sends requests with the key to one account.

    `server_now` is the server's clock as its Date headers tell it; the local one until the first answer.

    Raises:
        Unauthorized: the key can be no header's value.
    """

    def __init__(
        self,
        *,
        base_url: str,
        key: str,
        limiter: Limiter,
        timeout: timedelta,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not HEADER_VALUE.fullmatch(key):
            # httpx and h11 would refuse it too, but quote it in what they raise.
            raise Unauthorized("the API key cannot be sent: it holds more than visible ASCII", remedy="check api.key")
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={
                "X-API-Key": key,
                "Accept": "application/json",
                "User-Agent": f"cdsync/{__version__}",
            },
            timeout=timeout.total_seconds(),
            transport=transport,
            follow_redirects=False,
        )
        self._limiter = limiter
        self._now = now
        self._offset = timedelta()
        self.calls: deque[Call] = deque(maxlen=100_000)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def server_now(self) -> datetime:
        """The present moment on the server's clock, in UTC."""
        return self._now() + self._offset

    async def read(self, path: str, *, query: Mapping[str, str | list[str]]) -> Any:
        """GET a JSON value; repeated with a growing, jittered pause while the failure may pass.

        Raises:
            ApiError: what the last attempt ended with.
        """
        async for attempt in stamina.retry_context(
            on=(ServerFault, Unreachable, BadAnswer), attempts=READ_ATTEMPTS, timeout=None, wait_max=10.0
        ):
            with attempt:
                response = await self._send("GET", path, query=query, body=None, fault=ServerFault)
                _raise_for_status(response, fault=ServerFault)
                return _decoded(response, fault=BadAnswer)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def write(
        self, method: str, path: str, *, query: Mapping[str, str], body: Mapping[str, object] | None
    ) -> Any:
        """Send a request that changes something, once; gives the JSON value of the answer.

        Raises:
            OutcomeUnknown: it may have taken effect.
            ApiError: it has not.
        """
        response = await self._send(method, path, query=query, body=body, fault=OutcomeUnknown)
        _raise_for_status(response, fault=OutcomeUnknown)
        return _decoded(response, fault=OutcomeUnknown)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | list[str]] | Mapping[str, str],
        body: Mapping[str, object] | None,
        fault: type[ApiError],
    ) -> httpx.Response:
        """Send until the API takes it: a 429 is a refusal before any effect, so that repeating it is safe."""
        for refusal in range(REFUSALS + 1):
            await self._limiter.admit()
            response = await self._send_once(method, path, query=query, body=body, fault=fault)
            wait = seconds_to_wait(response.headers, now=self.server_now().timestamp())
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                wait = wait if wait is not None else BACK_OFF * 2**refusal
                if wait > LONGEST_HOLD:
                    break
            if wait is not None:
                self._limiter.hold(min(wait, LONGEST_HOLD))
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return response
        raise RateLimited(
            f"{method} {path}: the API's rate limit is reached" + (f"; it asks to wait {wait:.0f} s" if wait else ""),
            status=response.status_code,
            remedy="try again later, or lower api.requests_per_minute",
        )

    async def _send_once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | list[str]] | Mapping[str, str],
        body: Mapping[str, object] | None,
        fault: type[ApiError],
    ) -> httpx.Response:
        status: int | None = None
        content = None if body is None else json.dumps(body, separators=(",", ":"), default=dict).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            response = await self._http.request(method, path, params=query, content=content, headers=headers)
            status = response.status_code
        except NEVER_SENT as error:
            raise Unreachable(
                f"{method} {str(self._http.base_url).rstrip('/')}{path}: no connection ({_text(error)})",
                remedy="check api.base_url and the network",
            ) from error
        except httpx.HTTPError as error:
            raise fault(f"{method} {path}: the answer was lost ({_text(error)})") from error
        finally:
            self.calls.append(Call(method, path, status))
        self._learn_time(response)
        return response

    def _learn_time(self, response: httpx.Response) -> None:
        try:
            told = parsedate_to_datetime(response.headers["date"])
            if told.tzinfo is not None:
                self._offset = told.astimezone(UTC) - self._now()
        except (KeyError, ValueError, OverflowError):
            return


def _raise_for_status(response: httpx.Response, *, fault: type[ApiError]) -> None:
    status = response.status_code
    if httpx.codes.is_success(status):
        return
    facts = _error_facts(response)
    where = f"{response.request.method} {response.request.url.path}"
    said = facts.pop("message") or _cut(response.text)
    message = f"{where}: HTTP {status}: {said}" if said else f"{where}: HTTP {status}"
    if facts["label"]:
        message += f" ({facts['label']})"
    if status in {401, 403}:
        raise Unauthorized(
            message, status=status, remedy="check api.key; cdsync has concluded nothing from it", **facts
        )
    if status == 404:
        raise NotFound(message, status=status, **facts)
    if 300 <= status < 400:
        remedy = "set api.base_url to where the API really is; cdsync never sends the key to another address"
        raise Rejected(f"{where}: HTTP {status}: it redirects", status=status, remedy=remedy)
    if status >= 500 or status == 408:
        raise fault(message, status=status, **facts)
    raise Rejected(message, status=status, **facts)


def _error_facts(response: httpx.Response) -> dict[str, str | None]:
    """Label, scope, ref and message of the API's flat error body, wherever they are given."""
    try:
        body = response.json()
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    label = body.get("error_label") or body.get("label")
    facts = {"label": label, "scope": body.get("error_scope"), "ref": body.get("error_ref")}
    return {
        **{key: _cut(str(value)) if value is not None else None for key, value in facts.items()},
        "message": _cut(str(body["message"])) if body.get("message") else None,
    }


def _decoded(response: httpx.Response, *, fault: type[ApiError]) -> Any:
    if response.status_code == httpx.codes.NO_CONTENT:
        return None
    try:
        return response.json()
    except ValueError as error:
        where = f"{response.request.method} {response.request.url.path}"
        raise fault(
            f"{where}: HTTP {response.status_code}, but no JSON: {_cut(response.text)!r}", status=response.status_code
        ) from error


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= BODY_SHOWN else flat[:BODY_SHOWN] + "..."


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
