"""Which fire times of a cron expression a change of daylight saving skips or repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cdsync.core.cron import Cron, exists, parse_cron, zone


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A fire time that daylight saving touches: `local` (naive) is skipped, or comes twice and fires the first time."""

    local: datetime
    skipped: bool


def clock_changes(
    expression: str, timezone: str | None, *, start: datetime, days: int = 366
) -> tuple[ClockChange, ...]:
    """Fire times within `days` after `start` that a daylight-saving change skips or repeats.

    Only the days of a change are looked at, so the cost does not grow with how often the schedule fires.
    """
    cron, local_zone = parse_cron(expression), zone(timezone)
    touched = _touched_minutes(str(local_zone.key), start.date().toordinal(), days)
    if cron.hours.isdisjoint(touched):
        return ()
    return tuple(
        sorted(
            (
                ClockChange(local, skipped)
                for hour in cron.hours & touched.keys()
                for local, skipped in touched[hour]
                if _names(cron, local)
            ),
            key=lambda change: change.local,
        )
    )


def _names(cron: Cron, local: datetime) -> bool:
    """Whether an expression that names the hour names the minute."""
    return local.minute in cron.minutes and cron.days.include(local)


@lru_cache(maxsize=1024)
def _touched_minutes(zone_key: str, first_day: int, days: int) -> Mapping[int, tuple[tuple[datetime, bool], ...]]:
    """Hour -> every local minute in it that is skipped (True) or repeated (False) in a zone, over some days."""
    local_zone = ZoneInfo(zone_key)
    touched: dict[int, list[tuple[datetime, bool]]] = {}
    for ordinal in range(first_day, first_day + days):
        midnight = datetime.fromordinal(ordinal)
        if (
            midnight.replace(tzinfo=local_zone).utcoffset()
            == (midnight + timedelta(days=1)).replace(tzinfo=local_zone).utcoffset()
        ):
            continue
        for minute in range(24 * 60):
            local = midnight + timedelta(minutes=minute)
            offsets = [local.replace(tzinfo=local_zone, fold=fold).utcoffset() for fold in (0, 1)]
            if offsets[0] != offsets[1]:
                touched.setdefault(local.hour, []).append((local, not exists(local, local_zone)))
    return {hour: tuple(minutes) for hour, minutes in touched.items()}
