"""An account in which every column holds the longest that it does in earnest, to see whether a page has room for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cdsync.core.model import Address, Kind, OneOffRun, Resource, SourceLocation
from cdsync.core.progress import LiveProgress
from cdsync.core.records import HistoryEntry
from cdsync.core.standing import RunStanding
from cdsync.core.status import Health, StatusRow
from cdsync.core.work import Work
from cdsync.page.snapshot import Concern, Refusal, Snapshot
from tests.page.account import NOW, row, schedule, snapshot

LATER = timedelta(days=1)
UID = "0472f18e-49ce-598b-be1b-97abe2da56ee"
COMMIT = "3f786850e387550fdab836ed7e6dc881de23001b"
ENDLESS = "x" * 100
"""A name without any place to break it."""

GRACE = f"waiting: no longer declared; {UID} is paused; deleted by the first apply after 2026-06-02 07:00 UTC"
UNKNOWN = "unresolved-outcome: whether its create of 2026-06-01 07:00:00 UTC took effect is not known yet"


def _run(status: str, **changes: Any) -> RunStanding:
    made = RunStanding(uid=UID, status=status, created_at=NOW - timedelta(hours=3), inputs=500, outputs=12345)
    return replace(made, **changes)


def _live(name: str, halted: str | None) -> StatusRow:
    progress = LiveProgress(
        action="act", total=10_000, begun_at=NOW, active_at=NOW, done=4567, failed=89, rows=123_456, halted=halted
    )
    address = Address(Kind.RUN, name)
    return StatusRow(address=address, declared="live", remote="launched", health=Health.OK, uid=UID, live=progress)


def crowded() -> Snapshot:
    """Schedules and runs in every state, with the longest words, and a configuration that is refused."""
    advice = "update the credentials of the identity, then: cdsync resume schedule/weekday-leads"
    rows = (
        row("weekday-leads", Health.ATTENTION, note=UNKNOWN, runs=(_run("FAILED", label="INVALID_CREDENTIALS"),)),
        row("leaving", Health.PENDING, remote="paused", note=GRACE, runs=(_run("PARTIAL_SUCCEEDED"),)),
        row("fine", next_fire=None),
        row("waits", runs=(_run("POSTPONED", postponed_until=NOW + LATER, message="The limit is reached"),)),
        row(ENDLESS, runs=(_run("STOPPED", label="PROXY_ERROR", advice=advice, resumes=2, attempts=3),)),
        _live("hot-leads", None),
        _live("halted-leads", "INSUFFICIENT_CREDITS"),
    )
    return snapshot(
        *rows,
        revision=COMMIT,
        desired={found.address: _declared(found.address) for found in rows},
        concerns=(Concern(subject="schedule/weekday-leads", message=UNKNOWN, remedy=advice),),
        refusals=(
            Refusal(
                title="Commit 3f786850e387 is refused",
                judged=True,
                problems=(f"infra/eu/{ENDLESS}.yaml:2:44: schedule/a: timezone is 'Europe/Pari'",),
                since=NOW,
                remedy=None,
                kept=True,
            ),
        ),
    )


def _declared(address: Address) -> Resource:
    if address.kind is Kind.SCHEDULE:
        return schedule(address.name, cron="15,45 8-18 1,15 * 1-5")
    place = SourceLocation(file="a.yaml", line=2, column=3)
    return OneOffRun(address=address, work=Work(action="act", inputs=({},)), mode="live", location=place)


DONE = (("weekday-leads", "update", "done"), (ENDLESS, "resume-run", "unresolved"), ("signals", "replace", "failed"))

ENTRIES = tuple(
    (
        number,
        HistoryEntry(
            at=NOW - timedelta(days=number),
            address=Address(Kind.SCHEDULE, name),
            action=action,
            result=result,
            uid=UID,
            why="no longer declared: paused now, deleted after 1d",
            detail="POST /schedules/cancel: HTTP 422: the schedule cannot be cancelled",
            revision=f"{COMMIT}-dirty",
        ),
    )
    for number, (name, action, result) in enumerate(DONE)
)
"""What was done, as a page of history takes it."""
