"""Puts the daemon together: the state, the loop, the signals, and the service manager."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from cdsync.assembly import Surroundings, holder, references_of, settings_of
from cdsync.core.work import Reference
from cdsync.daemon.ending import Ending
from cdsync.daemon.endpoints import Desk, application
from cdsync.daemon.feed import Feed, FolderFeed
from cdsync.daemon.git_feed import GitFeed
from cdsync.daemon.listener import listening
from cdsync.daemon.loop import Loop
from cdsync.daemon.metrics import Metrics
from cdsync.daemon.pages import Window, page_routes, prepare
from cdsync.daemon.reporting import reporting
from cdsync.daemon.signals import Handlers, hearing
from cdsync.daemon.standing import Result, Standing
from cdsync.daemon.systemd import Systemd
from cdsync.daemon.threshold import first_settings
from cdsync.daemon.triggers import Cause, Triggers
from cdsync.daemon.viewing import snapshot_of
from cdsync.logs import logger
from cdsync.page.snapshot import Snapshot
from cdsync.settings import Settings
from cdsync.store import Store

EXIT_CODES = {Result.UNCHANGED: 0, Result.APPLIED: 0, Result.PARTIAL: 3}
"""How one single pass ends the process; what has an error ends with that one's code."""


async def run_daemon(around: Surroundings, *, once: bool) -> int:
    """Keep the account as declared until SIGTERM; or make one pass, with `once`. Gives the exit code.

    Raises:
        StoreError: the state is held by another, or cannot be used.
        CdsyncError: with `once`, what the pass failed of; without, what no later pass could mend.
    """
    systemd, triggers = Systemd(around.environment), Triggers()
    handlers = _handlers_before_the_loop(systemd, triggers)
    async with hearing(handlers, systemd):
        settings = settings_of(around) if once else await first_settings(around, systemd=systemd, triggers=triggers)
        if settings is None:
            return 0
        _refuse_missing_key(settings, around)
        metrics = Metrics()
        with around.open_store(settings.state, holder=holder("daemon", around.now())) as store:
            async with reporting(settings, around, metrics) as reporter:
                loop = Loop(
                    feed=_feed(settings, around),
                    store=store,
                    around=replace(around, on_call=metrics.count_call),
                    settings=settings,
                    systemd=systemd,
                    triggers=triggers,
                    on_event=metrics.count_event,
                    on_turn=reporter.hear,
                )
                if once:
                    return await _once(loop, systemd, handlers)
                async with _answering(loop, store, metrics, settings, around):
                    await _run(loop, systemd, handlers)
                return 0


def _feed(settings: Settings, around: Surroundings) -> Feed:
    return FolderFeed(around) if settings.daemon.git is None else GitFeed(around)


def _handlers_before_the_loop(systemd: Systemd, triggers: Triggers) -> Handlers:
    async def end() -> None:
        triggers.close()

    async def reload() -> None:
        systemd.reloading()
        triggers.request(Cause.SIGNAL)

    return Handlers(on_end=end, on_reload=reload)


def _refuse_missing_key(settings: Settings, around: Surroundings) -> None:
    """A variable that is not set now never will be in this process, unlike a file that may still come."""
    key = settings.api.key
    if isinstance(key, Reference) and key.source == "env":
        references_of(settings, around).resolve(key)


@asynccontextmanager
async def _answering(
    loop: Loop, store: Store, metrics: Metrics, settings: Settings, around: Surroundings
) -> AsyncIterator[None]:
    """Answer over HTTP where the settings say so, for the duration of a block."""
    listen = settings.daemon.listen
    if listen is None:
        yield
        return

    def secret(reference: Reference | None) -> str | None:
        return None if reference is None else references_of(loop.settings, around).resolve(reference)

    def standing() -> Standing:
        return loop.standing

    def snapshot() -> Snapshot:
        return snapshot_of(loop.standing, loop.verdict(), settings=loop.settings, now=around.now(), live=store.live)

    desk = Desk(
        standing=standing,
        verdict=loop.verdict,
        metrics=metrics.text,
        request=loop.triggers.request,
        token=lambda: secret(loop.settings.daemon.token),
        webhook_secret=lambda: secret(loop.settings.daemon.webhook_secret),
    )
    window = Window(
        snapshot=snapshot,
        history=lambda wanted, size: store.history_page(wanted, size=size),
        host=listen.host,
        token=desk.token,
        trusted_header=lambda: loop.settings.daemon.trusted_header,
    )
    metrics.show(standing, loop.verdict)
    async with listening(application(desk, more=page_routes(window)), listen) as taken:
        loop.listens_on(taken)
        yield


def _obey(loop: Loop, running: asyncio.Task[None], systemd: Systemd, handlers: Handlers) -> None:
    """Let signals be about this loop from now on."""
    ending = Ending()

    async def end() -> None:
        systemd.stopping()
        await ending.stop(loop, running)

    handlers.on_end, handlers.on_reload = end, loop.reload
    handlers.steady = lambda: loop.pulse.steady(request=loop.settings.longest_request)


async def _run(loop: Loop, systemd: Systemd, handlers: Handlers) -> None:
    running = asyncio.create_task(loop.run(), name="loop")
    _obey(loop, running, systemd, handlers)
    handlers.begin(loop.watch())
    if loop.standing.listens is not None:
        handlers.begin(prepare())
    logger().info("daemon.started", root=str(loop.settings.root), state=str(loop.settings.state))
    systemd.ready()
    await running
    logger().info("daemon.stopped", passes=loop.standing.last.number if loop.standing.last else 0)


async def _once(loop: Loop, systemd: Systemd, handlers: Handlers) -> int:
    running = asyncio.create_task(loop.single(), name="loop")
    _obey(loop, running, systemd, handlers)
    await running
    if loop.declared.fault is not None:
        raise loop.declared.fault.error
    last = loop.standing.last
    if last is not None and last.error is not None:
        raise last.error
    return EXIT_CODES.get(last.result, 1) if last is not None else 1
