"""When a schedule fires before and after a change of its times: what a reviewer of a cron expression wants to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cdsync.core.actions import Action, ActionKind, Blocked
from cdsync.core.cron import CronError, upcoming
from cdsync.core.cron_words import cron_words
from cdsync.core.model import Address, DesiredState, Schedule

SHOWN = 3
"""How many fires a preview shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """When a schedule fires: in words, and its next fires in its own zone; none where it is paused or unreadable."""

    words: str
    fires: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The firing before a change, None where there was none, and after it."""

    before: Firing | None
    after: Firing


def preview_of(row: Action | Blocked, desired: DesiredState, *, now: datetime) -> Preview | None:
    """The preview of a row that makes or changes the times of a declared schedule; None for any other row."""
    resource = desired.resources.get(row.address)
    changed = {change.path: change.before for change in row.changes}
    if not isinstance(resource, Schedule) or changed.keys().isdisjoint({"cron", "timezone"}):
        return None
    first = row.first_fire if isinstance(row, Action) else None
    after = _firing(
        resource.cron,
        resource.timezone,
        active=resource.state == "active",
        after=first - timedelta(minutes=1) if first is not None else now,
    )
    if isinstance(row, Action) and row.kind is ActionKind.CREATE:
        return Preview(before=None, after=after)
    cron, timezone = changed.get("cron", resource.cron), changed.get("timezone", resource.timezone)
    active = changed.get("state", resource.state) == "active"
    before = _firing(str(cron), str(timezone or "UTC"), active=active, after=now) if cron is not None else None
    return Preview(before=before, after=after)


def _firing(cron: str, timezone: str, *, active: bool, after: datetime) -> Firing:
    """The firing by values that may come from the API, and so may be anything."""
    words = cron_words(cron, timezone)
    try:
        fires = upcoming(cron, timezone, after=after, count=SHOWN) if active else ()
    except CronError:
        fires = ()
    return Firing(words=words if active else f"{words}, paused", fires=fires)


RowKey = tuple[Address, str]
"""A row of a plan by its address and its kind of action, or the reason why it is blocked."""


def row_key(row: Action | Blocked) -> RowKey:
    """The key of a row; a plan has at most one preview for each."""
    return row.address, row.kind.value if isinstance(row, Action) else row.reason.value
