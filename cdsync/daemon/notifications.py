"""Tells the targets of `notify` what happened. A pass never waits for one, and a target that is down costs nothing.

Each target has a queue of its own, bounded: the oldest is left out when it is full, and so is what would be more than
its share of an hour. How many were left out is told with the next one, and counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx

from cdsync import __version__
from cdsync.core.urls import url_fault
from cdsync.core.work import Json, Reference
from cdsync.daemon.news import News, Occasion, message
from cdsync.errors import UnresolvedReference
from cdsync.logs import logger
from cdsync.settings import Subscription

QUEUE = 100
PER_HOUR = 30
HOUR = 3600.0
ATTEMPTS = 8
LONGEST_PAUSE = 300.0
TIMEOUT = 10.0

Url: TypeAlias = str | Reference
Message: TypeAlias = dict[str, Json]


@dataclass(slots=True)
class _Target:
    """Who is told: what waits to be sent, when something was taken in, and how much was left out since."""

    queue: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    taken: deque[float] = field(default_factory=deque)
    left_out: int = 0
    task: asyncio.Task[None] | None = None


class Notifier:
    """Takes news and brings it to whoever has subscribed to it, in the background.

    `resolve` gives the value of a URL's reference, anew for each attempt; `count` hears of the event of each message
    and of what became of it.
    """

    def __init__(
        self,
        *,
        resolve: Callable[[Url], str],
        count: Callable[[str, str], None],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._resolve = resolve
        self._count = count
        self._targets: dict[Url, _Target] = {}
        self._transport = transport
        self._http: httpx.AsyncClient | None = None

    def tell(self, news: Iterable[News], occasion: Occasion, subscriptions: Iterable[Subscription]) -> None:
        """Put news into the queues of those who have subscribed to it; at once, whatever becomes of it."""
        news = tuple(news)
        for subscription in subscriptions:
            for piece in news:
                if piece.event in subscription.on:
                    self._put(subscription.url, message(piece, occasion))

    def _put(self, url: Url, body: Message) -> None:
        target = self._targets.setdefault(url, _Target())
        now = asyncio.get_running_loop().time()
        while target.taken and target.taken[0] <= now - HOUR:
            target.taken.popleft()
        if len(target.taken) >= PER_HOUR:
            self._leave_out(target, body)
            return
        if target.queue.qsize() >= QUEUE:
            self._leave_out(target, target.queue.get_nowait())
            target.queue.task_done()
        target.taken.append(now)
        target.queue.put_nowait(body)
        if target.task is None:
            target.task = asyncio.create_task(self._serve(url, target), name="notifications")

    def _leave_out(self, target: _Target, body: Message) -> None:
        target.left_out += 1
        self._count(str(body["event"]), "left-out")

    async def _serve(self, url: Url, target: _Target) -> None:
        while True:
            body = await target.queue.get()
            left_out, target.left_out = target.left_out, 0
            fault = await self._deliver(url, {**body, "left_out": left_out})
            if fault is not None:
                logger().warning("notification.failed", target=_name_of(url), about=body["event"], error=fault)
            self._count(str(body["event"]), "sent" if fault is None else "failed")
            target.queue.task_done()

    async def _deliver(self, url: Url, body: Message) -> str | None:
        """Post one message, again and again while that may help; gives why it was not taken."""
        fault = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(min(2.0**attempt, LONGEST_PAUSE))
            try:
                address = self._resolve(url)
                if fault := url_fault(address) or "":
                    return f"the URL is {fault}"
                response = await self._client().post(address, json=body)
            except UnresolvedReference as error:
                fault = str(error)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                # What httpx says may hold the URL, and that may be a secret.
                fault = type(error).__name__
            else:
                if response.is_success:
                    return None
                fault = f"HTTP {response.status_code}"
                if response.status_code not in {408, 425, 429} and response.status_code < 500:
                    return fault
        return f"{fault}, {ATTEMPTS} times"

    async def close(self, *, within: float) -> None:
        """Let what is queued be sent, for so many seconds at most, and end."""
        targets = tuple(self._targets.values())
        try:
            async with asyncio.timeout(within):
                await asyncio.gather(*(target.queue.join() for target in targets))
        except TimeoutError:
            logger().warning("notification.unsent")
        tasks = [target.task for target in targets if target.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    def _client(self) -> httpx.AsyncClient:
        """The client, made when there is something to tell: its certificates take a while to read."""
        if self._http is None:
            agent = {"User-Agent": f"cdsync/{__version__}"}
            self._http = httpx.AsyncClient(timeout=TIMEOUT, transport=self._transport, headers=agent)
        return self._http


def _name_of(url: Url) -> str:
    """What may be said of a target: its reference, or its scheme and host."""
    if isinstance(url, Reference):
        return str(url)
    found = httpx.URL(url)
    return f"{found.scheme}://{found.host}"
