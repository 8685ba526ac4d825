"""The coming fire times as a calendar, read back by a library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar, Event

from cdsync.core.coming import coming_fires, span_of
from cdsync.core.model import DesiredState
from cdsync.render.coming import coming_document
from cdsync.render.coming_calendar import coming_calendar
from tests.core.values import NOW, desired, one_off, schedule, work
from tests.render.reviewed import HOSTILE

ZONES = ("Europe/Paris", "America/New_York", "Australia/Sydney")


def calendar_of(declared: DesiredState, start: datetime, **bound: int) -> str:
    """The calendar of what is declared."""
    return coming_calendar(coming_fires(declared.resources.values(), span_of(start, **bound)), declared)


def events(text: str) -> list[Event]:
    """The events of a calendar, with whatever the parser complains of as an error."""
    parsed = Calendar.from_ical(text)
    assert parsed.errors == []
    found = [part for part in parsed.walk("VEVENT") if isinstance(part, Event)]
    assert [event.errors for event in found] == [[] for _ in found]
    return found


@pytest.mark.parametrize("start", ["2026-03-06", "2026-03-27", "2026-04-03", "2026-10-02", "2026-10-23", "2026-10-30"])
def test_its_times_are_those_of_the_json_across_clock_changes(start: str) -> None:
    """In three zones, on both sides of each of their changes, the calendar and the document name the same instants."""
    declared = desired(*(schedule(f"s{n}", cron="30 1,2,3 * * *", timezone=zone) for n, zone in enumerate(ZONES)))
    found = coming_fires(
        declared.resources.values(), span_of(datetime.fromisoformat(f"{start}T12:00:00+00:00"), days=4)
    )
    document = coming_document(found, declared)

    rows = [(str(event["summary"]), event.decoded("dtstart")) for event in events(coming_calendar(found, declared))]

    assert len(rows) > 30
    assert rows == [(row["address"], datetime.fromisoformat(row["utc"])) for row in document["fires"]]


def test_the_same_fires_have_the_same_bytes() -> None:
    """Made at another moment, the calendar of the same fires does not differ, so that a file of it does not flap."""
    declared = desired(schedule(), one_off(schedule_at=NOW + timedelta(days=2)))

    assert calendar_of(declared, NOW, count=3) == calendar_of(declared, NOW + timedelta(minutes=7), count=3)


def test_every_event_is_known_by_its_resource_and_time() -> None:
    """A calendar that is imported again updates its events rather than doubling them."""
    declared = desired(schedule(), schedule("b"), one_off(schedule_at=NOW + timedelta(days=2)))
    uids = [str(event["uid"]) for event in events(calendar_of(declared, NOW, count=5))]

    assert len(set(uids)) == len(uids) == 11
    assert uids[:3] == ["schedule.a.20260602T070000Z@cdsync", "schedule.b.20260602T070000Z@cdsync", uids[2]]


@pytest.mark.parametrize("text", [*HOSTILE, "a\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:x", "a;b,c\\n:d", "é" * 200])
def test_a_hostile_action_stays_text(text: str) -> None:
    """What stands in a field can neither end an event nor begin another."""
    declared = desired(schedule(work=work(action=text)))
    (event,) = events(calendar_of(declared, NOW, count=1))

    assert set(event) == {"SUMMARY", "DTSTART", "DTSTAMP", "UID", "DESCRIPTION", "TRANSP"}
    assert str(event["summary"]) == "schedule/a"


def test_lines_are_as_the_format_wants_them() -> None:
    """Lines end with CR LF and are folded at 75 bytes (RFC 5545, 3.1), and times are in UTC."""
    text = calendar_of(desired(schedule("n" * 100, work=work(action="é" * 90))), NOW, count=1)

    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert text.endswith("END:VCALENDAR\r\n")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert "DTSTART:20260602T070000Z\r\n" in text


def test_the_description_tells_the_local_time() -> None:
    """A calendar shows events in the zone of its reader, so that the event tells its own."""
    start = datetime(2026, 10, 24, 12, tzinfo=UTC)
    (event,) = events(calendar_of(desired(schedule(cron="30 2 * * *")), start, count=1))

    assert str(event["description"]).split("\n") == [
        "salesnavigator-search-people",
        "Sun 2026-10-25 02:30 Europe/Paris",
        "every day at 02:30 Europe/Paris",
        "this local time comes twice, as the clock is put back; it fires the first time",
    ]
