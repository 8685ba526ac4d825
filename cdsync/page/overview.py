"""The first page: the account at a glance, what needs a person, what fires, every schedule, and the runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cdsync.core.cron_words import cron_words
from cdsync.core.model import Address, Kind, OneOffRun, Schedule
from cdsync.core.progress import LiveProgress
from cdsync.core.standing import RunStanding
from cdsync.core.status import Health, StatusRow
from cdsync.page.cutting import Cut, cut, link
from cdsync.page.rendering import rendered
from cdsync.page.snapshot import Snapshot
from cdsync.page.timeline import timeline_of
from cdsync.page.verdict import headline_of
from cdsync.page.words import HEALTH_TONES, HEALTH_WORDS, TONE_ORDER, run_tone

PAGE = 100
"""How many schedules one page shows."""

MOST_CONCERNS = 50
MOST_RUNS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asked to see: schedules by a part of their name and by health, which page, and reloading or not."""

    search: str = ""
    health: str = ""
    page: int = 1
    still: bool = False

    @property
    def query(self) -> Mapping[str, str]:
        """The wish as a query, but for its page."""
        return {"q": self.search, "health": self.health, "refresh": "off" if self.still else ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleLine:
    """One row of the table of schedules."""

    address: Address
    action: str
    health: str
    tone: str
    remote: str
    when: str | None
    timezone: str | None
    next_fire: datetime | None
    last_fire: datetime | None
    run: RunStanding | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run; or a live one, whose progress is known by input."""

    address: Address
    status: str
    tone: str
    run: RunStanding | None
    live: LiveProgress | None
    note: str | None


def overview_page(snapshot: Snapshot, wish: Wish) -> str:
    """The page of an account."""
    headline = headline_of(snapshot)
    schedules = [row for row in snapshot.rows if row.address.kind is Kind.SCHEDULE]
    found = [row for row in schedules if _matches(row, wish)]
    # A stable sort: within a health they stay in the order of their names.
    found.sort(key=lambda row: TONE_ORDER.index(HEALTH_TONES[row.health]))
    piece = cut(found, page=wish.page, size=PAGE, path="/", query=wish.query)
    firing = [
        resource
        for row in snapshot.rows
        if (resource := snapshot.desired.get(row.address)) is not None
        and (row.next_fire is not None or isinstance(resource, OneOffRun))
    ]
    runs = _runs(snapshot)
    return rendered(
        "overview.html.j2",
        active="account",
        snapshot=snapshot,
        headline=headline,
        concerns=snapshot.concerns[:MOST_CONCERNS],
        more_concerns=max(len(snapshot.concerns) - MOST_CONCERNS, 0),
        timeline=timeline_of(firing, snapshot.now),
        schedules=_with_lines(piece, snapshot),
        all_schedules=len(schedules),
        healths=[(health, HEALTH_WORDS[health], count) for health, count in _counts(schedules)],
        runs=runs[:MOST_RUNS],
        more_runs=max(len(runs) - MOST_RUNS, 0),
        statuses=sorted(Counter(line.status for line in runs).items(), key=lambda row: _order(row[0])),
        wish=wish,
        toggle=link("/", {**wish.query, "refresh": "" if wish.still else "off", "page": str(wish.page)}),
    )


def _matches(row: StatusRow, wish: Wish) -> bool:
    return wish.search.lower() in row.address.name and wish.health in {"", row.health.value}


def _counts(rows: list[StatusRow]) -> list[tuple[Health, int]]:
    counts = Counter(row.health for row in rows)
    return [(health, counts[health]) for health in Health if counts[health]]


def _with_lines(piece: Cut[StatusRow], snapshot: Snapshot) -> Cut[ScheduleLine]:
    return Cut(
        rows=[_schedule_line(row, snapshot) for row in piece.rows],
        first=piece.first,
        last=piece.last,
        total=piece.total,
        earlier=piece.earlier,
        later=piece.later,
    )


def _schedule_line(row: StatusRow, snapshot: Snapshot) -> ScheduleLine:
    resource = snapshot.desired.get(row.address)
    remote = snapshot.observed.get(row.uid) if row.uid else None
    cron, timezone, action = None, None, ""
    if isinstance(resource, Schedule):
        cron, timezone, action = resource.cron, resource.timezone, resource.work.action
    elif remote is not None:
        cron, timezone, action = remote.cron, remote.timezone, remote.action
    return ScheduleLine(
        address=row.address,
        action=action,
        health=HEALTH_WORDS[row.health],
        tone=HEALTH_TONES[row.health],
        remote=row.remote if resource is not None else f"{row.remote}, not declared",
        when=cron_words(cron, timezone) if cron else None,
        timezone=timezone,
        next_fire=row.next_fire,
        last_fire=row.last_fire,
        run=row.runs[0] if row.runs else None,
        note=row.note,
    )


def _order(status: str) -> tuple[int, str]:
    return TONE_ORDER.index(run_tone(status)), status


def _runs(snapshot: Snapshot) -> list[RunLine]:
    """Every run that is known, what stands still first, then by how new it is."""
    found: list[RunLine] = []
    for row in snapshot.rows:
        if row.live is not None:
            found.append(_live_line(row, row.live))
            continue
        for run in row.runs:
            note = row.note if row.address.kind is Kind.RUN else None
            found.append(
                RunLine(
                    address=row.address, status=run.status, tone=run_tone(run.status), run=run, live=None, note=note
                )
            )
    found.sort(key=_newness, reverse=True)
    found.sort(key=lambda line: TONE_ORDER.index(line.tone))
    return found


def _newness(line: RunLine) -> tuple[bool, float, str]:
    at = line.live.begun_at if line.live else line.run.created_at if line.run else None
    return at is not None, at.timestamp() if at else 0.0, str(line.address)


def _live_line(row: StatusRow, live: LiveProgress) -> RunLine:
    status, tone, note = "LIVE", "busy", row.note
    if live.halted is not None:
        status, tone = "HALTED", "bad"
        note = note or f"stopped by {live.halted}"
    elif live.finished:
        status, tone = "DONE", "good"
    return RunLine(address=row.address, status=status, tone=tone, run=None, live=live, note=note)
