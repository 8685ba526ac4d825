"""The last good declaration, and what is wrong with the newest one: the account is kept by the one, people see both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cdsync.core.records import RefusedCommit
from cdsync.core.revisions import short_revision
from cdsync.daemon.feed import Delivery, Feed
from cdsync.errors import CdsyncError, CommitRefused, ConfigError
from cdsync.logs import logger

REPORT = "report it with the log; the next try may succeed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why the newest declaration is not taken, and since when."""

    error: CdsyncError
    since: datetime

    @property
    def summary(self) -> str:
        """What is wrong in one line, the first of its problems."""
        return str(self.error).split("\n", 1)[0]

    @property
    def judged(self) -> bool:
        """Whether the newest was seen and is wrong; else it cannot be seen, and nobody knows what it is like."""
        return isinstance(self.error, ConfigError | CommitRefused)

    @property
    def commit(self) -> str | None:
        """The commit that is wrong, if it is one."""
        return self.error.commit if isinstance(self.error, ConfigError | CommitRefused) else None

    @property
    def words(self) -> str:
        """What is so, in a few words."""
        if self.commit is not None:
            return f"commit {short_revision(self.commit)} is refused"
        return f"the newest configuration {'is refused' if self.judged else 'cannot be read'}"


class Declared:
    """Looks at the feed when asked to; one at a time, whoever asks.

    `refused` is the commit that was refused last. A remote that cannot be asked does not make it good, so it stays
    until another one is taken up.
    """

    def __init__(self, feed: Feed, *, now: Callable[[], datetime], refused: RefusedCommit | None = None) -> None:
        self._feed = feed
        self._now = now
        self._turn = asyncio.Lock()
        self.delivery: Delivery | None = None
        self.fault: Fault | None = None
        self.refused = refused
        self.accepted_at: datetime | None = None

    async def refresh(self) -> None:
        """Take the newest declaration if it is good, else note what is wrong with it."""
        async with self._turn:
            try:
                found = await self._feed.latest()
            except CdsyncError as error:
                await self._keep(error)
            except Exception as problem:
                logger().exception("configuration.crashed")
                await self._keep(CdsyncError(f"unexpected {type(problem).__name__}: {problem}", remedy=REPORT))
            else:
                self._accept(found)

    async def _keep(self, error: CdsyncError) -> None:
        if self.delivery is None:
            await self._take_up_remembered()
        self._refuse(error)

    async def _take_up_remembered(self) -> None:
        """At a start, go on with what was good before it, as long as the newest declaration cannot be had."""
        try:
            found = await self._feed.remembered()
        except CdsyncError as error:
            logger().error("configuration.lost", problems=str(error).split("\n"), remedy=error.remedy)
            return
        if found is not None:
            self.delivery, self.accepted_at = found, self._now()
            logger().warning(
                "configuration.remembered",
                revision=found.revision,
                resources=len(found.configuration.desired.resources),
            )

    def _refuse(self, error: CdsyncError) -> None:
        known = self.fault
        fault = Fault(error=error, since=self._now())
        if known is not None and (known.commit, str(known.error)) == (fault.commit, str(error)):
            return
        self.fault = fault
        if fault.commit is not None:
            self._remember(fault, fault.commit)
        kept = self.delivery.revision if self.delivery else None
        logger().error(
            "configuration.refused",
            commit=fault.commit,
            problems=str(error).split("\n"),
            remedy=error.remedy,
            kept=kept,
            keeps_last_good=self.delivery is not None,
        )

    def _remember(self, fault: Fault, commit: str) -> None:
        known, problems = self.refused, tuple(str(fault.error).split("\n"))
        same = known is not None and (known.commit, known.problems) == (commit, problems)
        since = known.since if known is not None and same else fault.since
        self.refused = RefusedCommit(commit=commit, problems=problems, since=since, remedy=fault.error.remedy)

    def _accept(self, found: Delivery) -> None:
        before, self.delivery = self.delivery, found
        mended, self.fault, self.refused = self.fault is not None, None, None
        same = before is not None and _identity(before) == _identity(found)
        if mended or not same:
            self.accepted_at = self._now()
            configuration = found.configuration
            logger().info(
                "configuration.accepted",
                revision=found.revision,
                resources=len(configuration.desired.resources),
                files=len(configuration.files),
                warnings=[str(warning) for warning in configuration.warnings],
            )


def _identity(delivery: Delivery) -> tuple[str | None, Mapping[str, str]]:
    return delivery.revision, delivery.configuration.files
