"""One request and its answer: the key, the budget, the retries, and every failure as an error of ours.

The rule that all else stands on: a read may be repeated, a write never is, unless the API said that it refused it (429)
or it was never sent. A write whose answer is lost is `OutcomeUnknown`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import urlencode

import httpx
import stamina
import stamina.instrumentation

from cdsync import __version__
from cdsync.api.answers import decoded, json_of, postponed_until, raise_for_status, refuse_in_disguise
from cdsync.api.bounded import TooLarge
from cdsync.api.limiter import Limiter, seconds_to_wait
from cdsync.api.transport import Connections, transports_to
from cdsync.errors import (
    ApiError,
    BadAnswer,
    OutcomeUnknown,
    RateLimited,
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

READ_ATTEMPTS = 4
REFUSALS = 5
LONGEST_HOLD = 300.0
LIVE_PATIENCE = 10
"""A live request does its work before it answers, and the answer is paid for: it may take so many times as long."""

BACK_OFF = 2.0
CALLS_KEPT = 10_000
"""A process that runs for months does not grow by what it has sent."""

FARTHEST = timedelta(days=3650)
"""A server's clock that is farther off than this is taken for none."""

Body: TypeAlias = Callable[[], Mapping[str, object]]
"""Makes the body when the request really leaves: after a wait, what depends on the time is another."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that left. `status` is None when no answer came."""

    method: str
    path: str
    status: int | None


class Client:
    """Sends requests with the key to one account.

    `server_now` is the server's clock as its Date headers tell it; the local one until the first answer. `rate_limit`
    are the X-RateLimit headers of the last answer, by their names in small letters.

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
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        if not HEADER_VALUE.fullmatch(key):
            # httpx and h11 would refuse it too, but quote it in what they raise.
            raise Unauthorized("the API key cannot be sent: it holds more than visible ASCII", remedy="check api.key")
        self._base = base_url.rstrip("/")
        self._headers = {
            "X-API-Key": key,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"cdsync/{__version__}",
        }
        self._connections = Connections((lambda _: transport) if transport is not None else transports_to(base_url))
        self._limiter = limiter
        self._secrets = (key,)
        self._patience = timeout.total_seconds()
        self._now = now
        self._offset = timedelta()
        self.rate_limit: Mapping[str, str] = {}
        self._on_call = on_call or (lambda _call: None)
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    def local_now(self) -> datetime:
        """The present moment on this machine's clock, in UTC."""
        return self._now()

    def server_now(self) -> datetime:
        """The present moment on the server's clock, in UTC."""
        return self._now() + self._offset

    @property
    def waits_for_its_turn(self) -> bool:
        """Whether the budget of the minute is used up."""
        return self._limiter.used_up

    def hang_up(self) -> None:
        """Send nothing more: what waits to be sent never is, and what was sent may still be answered."""
        self._limiter.hang_up()

    async def read(
        self, path: str, *, query: Mapping[str, str | list[str]], decode: Callable[[bytes], Any] = json_of
    ) -> Any:
        """GET a JSON value, or what `decode` makes of it; repeated with a growing, jittered pause while the failure may
        pass.

        Raises:
            ApiError: what the last attempt ended with.
        """
        async for attempt in stamina.retry_context(
            on=(ServerFault, Unreachable, BadAnswer), attempts=READ_ATTEMPTS, timeout=None, wait_max=10.0
        ):
            with attempt:
                response = await self._send("GET", path, query=query, body=None, fault=ServerFault)
                raise_for_status(response, fault=ServerFault, secrets=self._secrets)
                return decoded(response, fault=BadAnswer, secrets=self._secrets, decode=decode)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def write(self, method: str, path: str, *, query: Mapping[str, str], body: Body | None) -> Any:
        """Send a request that changes something, once; gives the JSON value of the answer.

        Raises:
            OutcomeUnknown: it may have taken effect.
            ApiError: it has not.
        """
        return (await self.exchange(method, path, query=query, body=body))[0]

    async def exchange(
        self, method: str, path: str, *, query: Mapping[str, str], body: Body | None, live: bool = False
    ) -> tuple[Any, Mapping[str, str]]:
        """Like `write`; gives the headers of the answer as well.

        A path may bring its own query. A `live` request may take longer, and may be refused by an answer that says 200.
        """
        patience = LIVE_PATIENCE if live else 1
        response = await self._send(method, path, query=query, body=body, fault=OutcomeUnknown, patience=patience)
        raise_for_status(response, fault=OutcomeUnknown, secrets=self._secrets)
        if live:
            # What is worked on at once has no object that could be looked for: its answer alone says how it went.
            refuse_in_disguise(response, fault=OutcomeUnknown, secrets=self._secrets)
        return decoded(response, fault=OutcomeUnknown, secrets=self._secrets), response.headers

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | list[str]] | Mapping[str, str],
        body: Body | None,
        fault: type[ApiError],
        patience: int = 1,
    ) -> httpx.Response:
        """Send until the API takes it: a 429 is a refusal before any effect, so that repeating it is safe."""
        for refusal in range(REFUSALS + 1):
            if not await self._limiter.admit():
                raise Unreachable(f"{method} {path.partition('?')[0]}: not sent, because cdsync is stopping")
            response = await self._send_once(method, path, query=query, body=body, fault=fault, patience=patience)
            wait = seconds_to_wait(response.headers, now=self.server_now().timestamp())
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                if wait is None and (until := postponed_until(response)) is not None:
                    # One identity or action has to wait, which holds up nothing else.
                    raise self._limited(method, path, until=until)
                wait = wait if wait is not None else BACK_OFF * 2**refusal
                if wait > LONGEST_HOLD:
                    break
            if wait is not None:
                self._limiter.hold(min(wait, LONGEST_HOLD))
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return response
        raise self._limited(method, path, until=self.server_now() + timedelta(seconds=wait or 0.0))

    def _limited(self, method: str, path: str, *, until: datetime) -> RateLimited:
        wait = max((until - self.server_now()).total_seconds(), 0.0)
        return RateLimited(
            f"{method} {path.partition('?')[0]}: the API's rate limit is reached; it asks to wait {wait:.0f} s",
            status=httpx.codes.TOO_MANY_REQUESTS,
            postponed_until=until,
            remedy="try again later, or lower api.requests_per_minute",
        )

    async def _send_once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | list[str]] | Mapping[str, str],
        body: Body | None,
        fault: type[ApiError],
        patience: int,
    ) -> httpx.Response:
        status: int | None = None
        shown = path.partition("?")[0]
        content = None if body is None else json.dumps(body(), separators=(",", ":"), default=dict).encode()
        # httpx bounds each read; what bounds the whole keeps a body of a byte a second from never ending.
        allowed = self._patience * patience
        request = self._request(method, path, query, content, allowed)
        try:
            async with asyncio.timeout(allowed):
                response = await self._connections.exchange(request)
            status = response.status_code
        except NEVER_SENT as error:
            raise Unreachable(
                f"{method} {self._base}{shown}: no connection ({_text(error)})",
                remedy="check api.base_url and the network",
            ) from error
        except (httpx.HTTPError, TimeoutError, TooLarge) as error:
            lost = fault(f"{method} {shown}: the answer was lost ({_text(error)})")
            if isinstance(lost, OutcomeUnknown):
                lost.timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
            raise lost from error
        finally:
            self.calls.append(call := Call(method, shown, status))
            self._on_call(call)
        self._learn(response)
        return response

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | list[str]] | Mapping[str, str],
        content: bytes | None,
        allowed: float,
    ) -> httpx.Request:
        headers = self._headers if content is None else {**self._headers, "Content-Type": "application/json"}
        target = f"{path}?{urlencode(query, doseq=True)}" if query else path
        timeout = httpx.Timeout(allowed, connect=self._patience / 2).as_dict()
        return httpx.Request(
            method, _url(f"{self._base}{target}"), headers=headers, content=content, extensions={"timeout": timeout}
        )

    def _learn(self, response: httpx.Response) -> None:
        headers = response.headers.items()
        self.rate_limit = {name: value for name, value in headers if name.startswith("x-ratelimit-")}
        try:
            told = parsedate_to_datetime(response.headers["date"])
            if told.tzinfo is not None:
                offset = told.astimezone(UTC) - self._now()
                self._offset = offset if abs(offset) < FARTHEST else self._offset
        except (KeyError, ValueError, OverflowError):
            return


@lru_cache(maxsize=1024)
def _url(text: str) -> httpx.URL:
    """An address. Schedules of one action are created at the same one; to read it takes a twentieth of a request."""
    return httpx.URL(text)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
