"""The coming fire times as a calendar (RFC 5545) that any calendar program imports.

Times are in UTC, so that no program has to know our zones; the text of an event tells the local time. The same fires
give the same bytes: an event is known by its resource and its time, and stamped with that time.
"""

from __future__ import annotations

from datetime import UTC

from icalendar import Calendar, Event

from cdsync import __version__
from cdsync.core.coming import Coming, Fire
from cdsync.core.cron_words import cron_words
from cdsync.core.model import DesiredState, Schedule
from cdsync.render.lines import printable


def coming_calendar(coming: Coming, desired: DesiredState) -> str:
    """The calendar as text with the line ends of the format."""
    calendar = Calendar()
    calendar.add("prodid", f"-//cdsync//cdsync {__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", "cdsync")
    for fire in coming.fires:
        calendar.add_component(_event(fire, desired))
    return str(calendar.to_ical(), "utf-8")


def _event(fire: Fire, desired: DesiredState) -> Event:
    resource = desired.resources[fire.address]
    moment = fire.at.astimezone(UTC)
    lines = [printable(resource.work.action), f"{fire.at:%a %Y-%m-%d %H:%M} {fire.at.tzinfo}"]
    if isinstance(resource, Schedule):
        lines.append(cron_words(resource.cron, resource.timezone))
    if fire.repeated:
        lines.append("this local time comes twice, as the clock is put back; it fires the first time")
    event = Event()
    event.add("uid", f"{fire.address.kind}.{fire.address.name}.{moment:%Y%m%dT%H%M%SZ}@cdsync")
    event.add("dtstamp", moment)
    event.add("dtstart", moment)
    event.add("summary", str(fire.address))
    event.add("description", "\n".join(lines))
    event.add("transp", "TRANSPARENT")
    return event
