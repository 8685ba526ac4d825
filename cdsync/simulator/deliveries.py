"""Callbacks leave the simulator here: posted in the background, tried once, never allowed to disturb the account."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache

import httpx

from cdsync.simulator.account import Account, Delivery

TIMEOUT = 5.0
AT_ONCE = 10


@asynccontextmanager
async def delivering(account: Account) -> AsyncIterator[Callable[[], None]]:
    """Yield a function that starts to post what waits in the outbox; leaving gives up what is under way."""
    at_once = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as tasks:

        def deliver() -> None:
            while account.outbox:
                tasks.create_task(_post(account.outbox.popleft(), at_once))

        yield deliver


async def _post(delivery: Delivery, at_once: asyncio.Semaphore) -> None:
    headers = {"Content-Type": "application/json", **delivery.callback.headers}
    content = json.dumps(delivery.payload)
    try:
        async with at_once, httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=_trust()) as client:
            answer = await client.post(delivery.callback.url, content=content, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        delivery.status = "FAILED"
        return
    delivery.http_status = answer.status_code
    delivery.status = "SUCCESS" if answer.is_success else "FAILED"


@cache
def _trust() -> ssl.SSLContext:
    """Reading the system's certificates takes longer than a delivery, so it happens once."""
    return ssl.create_default_context()
