"""The floors of listing and of creating: plain httpx. As a program, `python -m benchmarks.plain_httpx URL` lists."""

from __future__ import annotations

import asyncio
import json
import sys

import httpx


async def read_pages(url: str) -> None:
    """Read every page of the schedules, with its JSON."""
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": "bench"}) as client:
        offset, rows = 0, [None] * 100
        while len(rows) == 100:
            query = f"status=ACTIVE&status=PAUSED&sort=created_at&limit=100&offset={offset}"
            rows = json.loads((await client.get(f"/v4/schedules?{query}")).content)
            offset += len(rows)


async def send_creations(url: str, count: int, *, at_a_time: int) -> None:
    """Create so many schedules."""
    slots = asyncio.Semaphore(at_a_time)
    body = {"inputs": [{"url": "https://example.com"}], "cron": "0 9 1 1 *", "timezone": "UTC"}
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": "bench"}) as client:

        async def create(number: int) -> None:
            async with slots:
                (await client.post(f"/v4/actions/floor-{number}/run/schedule", json=body)).raise_for_status()

        await asyncio.gather(*map(create, range(count)))


if __name__ == "__main__":
    asyncio.run(read_pages(sys.argv[1]))
