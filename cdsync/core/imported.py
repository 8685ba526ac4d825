"""A schedule that nobody owns yet, as a declaration could take it over: under which name, and whether it can be."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from cdsync.core.cron import CronError, parse_cron, zone
from cdsync.core.labels import is_anothers, name_in
from cdsync.core.model import NAME, RemoteSchedule
from cdsync.core.work import Json, Work

PLACEHOLDER = "cdsync-fill-in"
"""The key of an input that stands for inputs nobody could read: what holds one is never sent."""


def lacks_inputs(work: Work) -> bool:
    """Whether inputs are still to be filled in by a person."""
    return any(PLACEHOLDER in row for row in work.inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An unowned schedule under a name. None is what could not be recovered; `skipped` why it cannot be declared."""

    name: str
    remote: RemoteSchedule
    inputs: tuple[Mapping[str, Json], ...] | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)
    callback_url: str | None = None
    skipped: str | None = None

    @property
    def complete(self) -> bool:
        """Whether its inputs are known."""
        return bool(self.inputs)


def undeclarable(remote: RemoteSchedule, *, owner: str, asked_for: bool) -> str | None:
    """Why a schedule cannot be declared as it is; None when it can."""
    if not asked_for and is_anothers(remote.label, owner=owner):
        return f"its label {remote.label!r} is another owner's; name its UID to import it all the same"
    if remote.cron is None:
        return "a one-time schedule; declare it under runs with schedule_at"
    try:
        parse_cron(remote.cron)
        zone(remote.timezone)
    except CronError as error:
        return str(error)
    return None


def name_for(remote: RemoteSchedule, taken: Collection[str], *, owner: str) -> str:
    """The name in its label, else one made of the label or the action; numbered where it is taken."""
    stem = name_in(remote.label, owner=owner) or re.sub(r"[^a-z0-9]+", "-", (remote.label or remote.action).lower())
    stem = stem.strip("-._")[:90] or "schedule"
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in candidates if name not in taken and NAME.fullmatch(name))
