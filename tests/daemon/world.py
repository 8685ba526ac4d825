"""A daemon's loop in virtual time: real YAML, a real store, the simulated API, and hours that cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from cdsync.assembly import Surroundings, settings_of
from cdsync.daemon.feed import FolderFeed, Read
from cdsync.daemon.loop import Loop
from cdsync.daemon.standing import PassRecord, Standing
from cdsync.daemon.systemd import Systemd
from cdsync.daemon.triggers import Triggers
from cdsync.simulator import SimulatorOptions
from cdsync.store import open_writer
from tests.cli.process import schedules_yaml
from tests.virtual_time import Served, VirtualClock, run_virtual, serve_virtually

T = TypeVar("T")

START = datetime(2026, 6, 1, 7, 0, 1, tzinfo=UTC)
SETTINGS = "api: {requests_per_minute: 6000, key: {file: key.txt}}\ndaemon: {interval: 60s}\n"


@dataclass
class Line(httpx.AsyncBaseTransport):
    """The way to the API, which may be cut, or lose the answers to what changes something, after some seconds.

    With `mistake` it fails in a way that no code expects.
    """

    served: Served
    cut: bool = False
    mistake: bool = False
    loses_after: float | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, or fail as a network that is down."""
        if self.mistake:
            raise RuntimeError("nobody thought of this")
        if self.cut:
            raise httpx.ConnectError("no route to host", request=request)
        response = await self.served.transport.handle_async_request(request)
        if self.loses_after is not None and request.method != "GET":
            await asyncio.sleep(self.loses_after)
            raise httpx.ReadError("connection reset", request=request)
        return response


@dataclass
class Kept:
    """A root that a daemon keeps: its files, its API, its loop, and every pass so far."""

    root: Path
    clock: VirtualClock
    line: Line
    loop: Loop
    running: asyncio.Task[None]
    passes: list[tuple[float, PassRecord]] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """Write a file of the root."""
        (self.root / name).write_text(text, encoding="utf-8")

    def declare(self, **crons: str) -> None:
        """Declare one schedule for each name, with this cron."""
        self.write("schedules.yaml", schedules_yaml(**crons))

    @property
    def results(self) -> list[str]:
        """How each pass ended."""
        return [record.result.value for _, record in self.passes]

    def calls(self, method: str = "") -> int:
        """How many requests the API has seen, of this method if one is given."""
        return sum(1 for call in self.line.served.account.calls if method in {"", call.method})


async def inline(work: Callable[[], Read]) -> Read:
    """Do the work in the loop: a thread may not be waited for in virtual time."""
    return work()


def keep(
    root: Path,
    story: Callable[[Kept], Coroutine[Any, Any, T]],
    *,
    options: SimulatorOptions | None = None,
    settings: str = SETTINGS,
    declared: Mapping[str, str],
) -> T:
    """Run a daemon's loop in virtual time while a story goes on, and end both with it."""
    (root / "cdsync.yaml").write_text(settings, encoding="utf-8")
    (root / "key.txt").write_text("a-key\n", encoding="utf-8")
    (root / "schedules.yaml").write_text(schedules_yaml(**declared), encoding="utf-8")

    async def run(clock: VirtualClock) -> T:
        line = Line(serve_virtually(clock, options))
        around = Surroundings(root=root, environment={"CDSYNC_API_URL": "http://127.0.0.1"}, now=clock, transport=line)
        found = settings_of(around)
        with open_writer(found.state, holder="a test") as store:
            passes: list[tuple[float, PassRecord]] = []

            def note(_standing: Standing, record: PassRecord | None) -> None:
                if record is not None:
                    passes.append((clock.elapsed, record))

            loop = Loop(
                feed=FolderFeed(around, aside=inline),
                store=store,
                around=around,
                settings=found,
                systemd=Systemd({}),
                triggers=Triggers(),
                on_turn=note,
                draw=lambda: 0.5,
            )
            running = asyncio.create_task(loop.run())
            kept = Kept(root, clock, line, loop, running, passes)
            try:
                return await story(kept)
            finally:
                loop.triggers.close()
                with suppress(asyncio.CancelledError):
                    await running

    return run_virtual(run, start=START)
