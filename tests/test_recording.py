"""What a pass writes down beside what it does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.executor.world import World, live_in, schedule
from tests.virtual_time import Served


@dataclass
class Rewriting(httpx.AsyncBaseTransport):
    """An account that makes each schedule in a zone of its own choice."""

    inner: httpx.AsyncBaseTransport
    served: Served

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on, and put what was made into another zone."""
        answer = await self.inner.handle_async_request(request)
        if request.method == "POST" and request.url.path.endswith("/run/schedule"):
            newest = [*self.served.account.schedules.rows.values()][-1]
            newest.timezone = "Asia/Tokyo"
        return answer


def test_a_replacement_that_is_never_as_it_was_sent_is_given_up(tmp_path: Path) -> None:
    """Each try makes one schedule and cancels another, so after two it is a person's case."""

    async def story(world: World) -> None:
        world.transport.inner = Rewriting(world.transport.inner, world.served)
        declared = schedule("a", timezone="Europe/Paris")
        for _ in range(6):
            await world.apply(declared)

        assert len(world.rows()) == 3
        assert len(world.rows("ACTIVE")) == 1
        left = (await world.plan(declared)).plan
        assert left.actions == ()
        assert [row.reason.value for row in left.blocked] == ["not-converging"]

        moved = schedule("a", "30 10 * * *", timezone="Asia/Tokyo")
        assert (await world.apply(moved)).complete

    live_in(tmp_path, story, dialect="rest")
