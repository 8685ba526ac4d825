"""The coming fire times, as lines that fit 80 columns and as plain data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cdsync.core.coming import Coming, Fire, Skipped
from cdsync.core.cron_words import cron_words
from cdsync.core.model import DesiredState, Schedule
from cdsync.render.lines import WIDTH, Line, counted, wrapped

ZONE_WIDTH = 17


def coming_lines(coming: Coming) -> list[Line]:
    """A line for each fire, by time, each in its own zone; one that will not come stands where it would have been."""
    rows = [(fire.at.astimezone(UTC), _fire_lines(fire)) for fire in coming.fires]
    rows += [(skip.at.astimezone(UTC), _skip_lines(skip)) for skip in coming.skipped]
    lines = [line for _, found in sorted(rows, key=lambda row: row[0]) for line in found]
    if not lines:
        return [Line("Nothing fires: what matches is paused, over, or not within these days.")]
    resources = len({fire.address for fire in coming.fires})
    count = f"{counted(len(coming.fires), 'fire')} of {counted(resources, 'resource')}, each in its own time zone"
    return [*lines, Line(), Line(f"{count}.", "title")]


def _fire_lines(fire: Fire) -> list[Line]:
    lines = _row(fire.at, str(fire.address))
    if fire.repeated:
        text = f"{fire.at:%H:%M} comes twice, as the clock is put back; it fires the first time"
        lines.extend(wrapped(text, indent=4, style="blocked"))
    return lines


def _skip_lines(skip: Skipped) -> list[Line]:
    lines = _row(skip.at, str(skip.address), style="blocked")
    text = f"does not fire: {skip.at:%H:%M} is skipped, as the clock is put forward"
    return [*lines, *wrapped(text, indent=4, style="blocked")]


def _row(moment: datetime, address: str, *, style: str = "") -> list[Line]:
    time, zone = f"{moment:%a %Y-%m-%d %H:%M}", str(moment.tzinfo)
    text = f"{time} {zone:<{ZONE_WIDTH}} {address}"
    if len(text) <= WIDTH:
        return [Line(text, style)]
    # A name that is cut could be another's, so it gets a line of its own.
    return [Line(f"{time} {zone}", style), *wrapped(address, indent=4, style=style)]


def coming_document(coming: Coming, desired: DesiredState) -> dict[str, Any]:
    """The coming fires as the document that `schema/next.schema.json` describes."""
    span = coming.span
    return {
        "format_version": 1,
        "from": span.start.isoformat(),
        "until": span.until.isoformat() if span.until is not None else None,
        "count": span.count,
        "fires": [_fire(fire, desired) for fire in coming.fires],
        "skipped": [
            {
                "address": str(row.address),
                "local": row.at.replace(tzinfo=None).isoformat(),
                "timezone": str(row.at.tzinfo),
            }
            for row in coming.skipped
        ],
    }


def _fire(fire: Fire, desired: DesiredState) -> dict[str, Any]:
    resource = desired.resources[fire.address]
    return {
        "address": str(fire.address),
        "at": fire.at.isoformat(),
        "utc": fire.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "timezone": str(fire.at.tzinfo),
        "action": resource.work.action,
        "words": cron_words(resource.cron, resource.timezone) if isinstance(resource, Schedule) else None,
        "repeated": fire.repeated,
    }
