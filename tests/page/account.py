"""Accounts that pages are made of, with what matters said in place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cdsync.core.model import Address, Kind, Schedule, SourceLocation
from cdsync.core.status import Health, StatusRow
from cdsync.core.work import Callback, Reference, Work
from cdsync.page.snapshot import PassView, Snapshot

NOW = datetime(2026, 6, 1, 7, 0, tzinfo=UTC)


def schedule(name: str = "a", *, cron: str = "0 9 * * 1-5", **work: Any) -> Schedule:
    """A declared schedule."""
    made = Work(action="act", inputs=({"url": "https://example.com"},))
    return Schedule(
        address=Address(Kind.SCHEDULE, name),
        work=replace(made, **work),
        cron=cron,
        timezone="Europe/Paris",
        location=SourceLocation(file="a.yaml", line=2, column=3),
    )


def secretive() -> Schedule:
    """A schedule with something sensitive in it."""
    headers: dict[str, str | Reference] = {"Authorization": "a-literal-canary", "X-Ref": Reference("env", "HOOK")}
    return schedule("secretive", callback=Callback(url=Reference("env", "HOOK_URL"), headers=headers))


def row(name: str = "a", health: Health = Health.OK, **changes: Any) -> StatusRow:
    """How a schedule stands."""
    made = StatusRow(
        address=Address(Kind.SCHEDULE, name),
        declared="active",
        remote="active",
        health=health,
        next_fire=NOW + timedelta(days=1),
    )
    return replace(made, **changes)


def snapshot(*rows: StatusRow, **changes: Any) -> Snapshot:
    """An account with these schedules, after a pass that changed nothing."""
    made = Snapshot(
        now=NOW,
        account="https://api.example.com/v4 as cdsync",
        started=NOW,
        refresh=timedelta(seconds=15),
        revision="abc123",
        accepted_at=NOW,
        last=PassView(number=7, result="unchanged", decided=True, began=NOW, seconds=0.4, causes=("timer",)),
        seen_at=NOW,
        next_at=NOW + timedelta(minutes=1),
        rows=rows,
        desired={found.address: schedule(found.address.name) for found in rows},
    )
    return replace(made, **changes)
