"""The coming fire times as text and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema

from cdsync.core.coming import coming_fires, span_of
from cdsync.core.model import Resource
from cdsync.render.coming import coming_document, coming_lines
from cdsync.render.lines import joined
from tests.core.values import NOW, desired, one_off, schedule

SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "next.schema.json").read_text(encoding="utf-8"))
LONG = "x" * 100


def test_each_fire_has_a_line_in_its_own_zone() -> None:
    """Local time, zone and address stand in columns, by time; a name that is long is never cut."""
    declared: list[Resource] = [
        schedule("weekday-leads"),
        schedule(LONG, cron="0 12 1 7 *", timezone="America/Argentina/Buenos_Aires"),
        one_off("backfill", schedule_at=datetime.fromisoformat("2026-06-02T08:30:00+01:00")),
    ]
    text = joined(coming_lines(coming_fires(declared, span_of(NOW, count=1))))

    assert (
        text
        == f"""\
Tue 2026-06-02 09:00 Europe/Paris      schedule/weekday-leads
Tue 2026-06-02 08:30 UTC+01:00         run/backfill
Wed 2026-07-01 12:00 America/Argentina/Buenos_Aires
    schedule/{LONG}

3 fires of 3 resources, each in its own time zone.
"""
    )


def test_daylight_saving_is_told_where_it_matters() -> None:
    """A skipped time stands where it would have been, and a repeated one says which of the two fires."""
    spring = coming_fires([schedule(cron="30 2 * * *")], span_of(datetime(2027, 3, 27, 12, tzinfo=UTC), count=1))
    autumn = coming_fires([schedule(cron="30 2 * * *")], span_of(datetime(2026, 10, 24, 12, tzinfo=UTC), count=1))

    assert (
        joined(coming_lines(spring))
        == """\
Sun 2027-03-28 02:30 Europe/Paris      schedule/a
    does not fire: 02:30 is skipped, as the clock is put forward
Mon 2027-03-29 02:30 Europe/Paris      schedule/a

1 fire of 1 resource, each in its own time zone.
"""
    )
    assert (
        joined(coming_lines(autumn))
        == """\
Sun 2026-10-25 02:30 Europe/Paris      schedule/a
    02:30 comes twice, as the clock is put back; it fires the first time

1 fire of 1 resource, each in its own time zone.
"""
    )


def test_nothing_that_fires_is_said() -> None:
    """An empty list would look like a fault."""
    text = joined(coming_lines(coming_fires([schedule(state="paused")], span_of(NOW, count=3))))
    assert text == "Nothing fires: what matches is paused, over, or not within these days.\n"


def test_the_document_is_what_its_schema_says() -> None:
    """Every instant stands in its own zone and in UTC, with what the cron says."""
    declared = desired(schedule(cron="30 2 * * *"), one_off(schedule_at=datetime(2027, 3, 28, 0, tzinfo=UTC)))
    span = span_of(datetime(2027, 3, 27, 12, tzinfo=UTC), days=2)
    document = coming_document(coming_fires(declared.resources.values(), span), declared)

    jsonschema.validate(document, SCHEMA)
    assert document["skipped"] == [
        {"address": "schedule/a", "local": "2027-03-28T02:30:00", "timezone": "Europe/Paris"}
    ]
    assert document["fires"] == [
        {
            "address": "run/a",
            "at": "2027-03-28T00:00:00+00:00",
            "utc": "2027-03-28T00:00:00Z",
            "timezone": "UTC",
            "action": "linkedin-extract-people",
            "words": None,
            "repeated": False,
        },
        {
            "address": "schedule/a",
            "at": "2027-03-29T02:30:00+02:00",
            "utc": "2027-03-29T00:30:00Z",
            "timezone": "Europe/Paris",
            "action": "salesnavigator-search-people",
            "words": "every day at 02:30 Europe/Paris",
            "repeated": False,
        },
    ]
