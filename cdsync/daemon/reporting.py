"""What becomes known of each turn, and to whom: counted for Prometheus, and told to those who have subscribed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cdsync.assembly import Surroundings, references_of
from cdsync.core.work import Reference
from cdsync.daemon.metrics import Metrics
from cdsync.daemon.news import Memory, Occasion
from cdsync.daemon.notifications import Notifier
from cdsync.daemon.standing import PassRecord, Standing
from cdsync.logs import logger
from cdsync.settings import Settings

LAST_WORDS = 5.0
"""Seconds that the last notifications may take when the daemon ends."""


class Reporter:
    """Hears of every turn. `settings` are those of the start, until there is a declaration."""

    def __init__(self, settings: Settings, around: Surroundings, metrics: Metrics) -> None:
        self._settings = settings
        self._around = around
        self._metrics = metrics
        self._memory = Memory()
        self._notifier = Notifier(resolve=self._resolve, count=metrics.count_notification)

    def hear(self, standing: Standing, record: PassRecord | None) -> None:
        """Take note of a turn, and of its pass if one was made."""
        if standing.delivery is not None:
            self._settings = standing.delivery.configuration.settings
        if record is not None:
            self._metrics.count_pass(record)
        try:
            self._tell(standing, record)
        except Exception:
            # Whatever is wrong with telling, the account is kept.
            logger().exception("report.crashed")

    def _tell(self, standing: Standing, record: PassRecord | None) -> None:
        occasion = Occasion(
            at=self._around.now(),
            account=self._settings.account,
            revision=standing.delivery.revision if standing.delivery else None,
            number=record.number if record else None,
        )
        self._notifier.tell(self._memory.news(standing, record), occasion, self._settings.notify)

    def _resolve(self, url: str | Reference) -> str:
        return references_of(self._settings, self._around).resolve(url)

    async def close(self) -> None:
        """Let what is still to be told be told, briefly."""
        await self._notifier.close(within=LAST_WORDS)


@asynccontextmanager
async def reporting(settings: Settings, around: Surroundings, metrics: Metrics) -> AsyncIterator[Reporter]:
    """Report for the duration of a block."""
    reporter = Reporter(settings, around, metrics)
    try:
        yield reporter
    finally:
        await reporter.close()
