"""What a document was found to declare, kept as bytes: the same values in every respect, or nothing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.config.checked import Checked, decode_checked, encode_checked
from cdsync.core.fingerprint import canonical
from cdsync.core.model import NEVER_RESUME, Address, Kind, OneOffRun, Resource, Schedule, SourceLocation
from cdsync.core.work import Callback, Json, Reference, Work
from cdsync.errors import Problem

DAY = "2026-06-01"
MOST = 100_000
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
rows = st.dictionaries(text, json_values, max_size=3)
references = st.builds(Reference, st.sampled_from(("env", "file", "credential")), text)
callbacks = st.builds(
    Callback,
    url=text | references,
    headers=st.dictionaries(text, text | references, max_size=2),
    on=st.sampled_from(("all", "final")),
)
works = st.builds(
    Work,
    action=text,
    inputs=st.lists(rows, max_size=3).map(tuple),
    parameters=rows,
    identity_mode=st.sampled_from(("direct", "auto", "managed")),
    identity_ids=st.lists(text, max_size=2).map(tuple),
    callback=st.none() | callbacks,
)
places = st.builds(SourceLocation, file=text, line=st.integers(1, 9999), column=st.integers(1, 99))
names = st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True)
zones = st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=zones).map(  # noqa: DTZ001 # bounds
    lambda moment: moment.replace(microsecond=0)
)
schedules = st.builds(
    Schedule,
    address=st.builds(Address, st.just(Kind.SCHEDULE), names),
    work=works,
    cron=text,
    timezone=st.sampled_from(("UTC", "Europe/Paris")),
    state=st.sampled_from(("active", "paused", "absent")),
    first_fire=st.sampled_from(("next-tick", "immediate")),
    protect=st.booleans(),
    was=st.none() | names,
    resume=st.none(),
    location=places,
)
runs = st.builds(
    OneOffRun,
    address=st.builds(Address, st.just(Kind.RUN), names),
    work=works,
    mode=st.sampled_from(("async", "live")),
    schedule_at=st.none() | moments,
    timezone=st.sampled_from(("UTC", "Europe/Paris")),
    protect=st.booleans(),
    was=st.none() | names,
    resume=st.none(),
    location=places,
)
resources: st.SearchStrategy[Resource] = schedules | runs


def as_told(resource: Resource) -> str:
    """All of a resource as text: Python takes 1, 1.0 and True for equal, and one instant in two zones."""
    moment = resource.schedule_at.isoformat() if isinstance(resource, OneOffRun) and resource.schedule_at else None
    return canonical([asdict(resource) | {"schedule_at": moment}])


@given(resource=resources, own=st.lists(text, max_size=3, unique=True), message=text)
def test_what_was_checked_comes_back_as_it_was(resource: Resource, own: list[str], message: str) -> None:
    """Down to the types of numbers and the offsets of times."""
    warning = Problem("a.yaml", 3, 7, str(resource.address), message)
    line = encode_checked(Checked(((resource, own),), (warning,)), file="a.yaml", day=DAY, most=MOST)
    found = decode_checked(line, file="a.yaml", day=DAY)
    assert found is not None
    ((again, its_own),) = found.resources
    assert (again, sorted(its_own), found.warnings) == (resource, sorted(own), (warning,))
    assert as_told(again) == as_told(resource)
    assert hash(again.address) == hash(resource.address)
    assert type(again.address) is Address


SCHEDULE = Schedule(
    address=Address(Kind.SCHEDULE, "a"),
    work=Work(action="a", inputs=({},)),
    cron="0 9 * * *",
    location=SourceLocation(file="a.yaml", line=1, column=1),
)


@pytest.mark.parametrize(("file", "day"), [("b.yaml", DAY), ("a.yaml", "2026-06-02")])
def test_it_holds_for_its_file_and_its_day(file: str, day: str) -> None:
    """Every place names the file, and what is warned of depends on the day."""
    line = encode_checked(Checked(((SCHEDULE, ()),)), file="a.yaml", day=DAY, most=MOST)
    assert decode_checked(line, file="a.yaml", day=DAY) == Checked(((SCHEDULE, []),))
    assert decode_checked(line, file=file, day=day) is None


def test_what_depends_on_the_settings_is_not_kept() -> None:
    """A policy for resuming takes from them what it leaves out."""
    resuming = Schedule(
        address=SCHEDULE.address,
        work=SCHEDULE.work,
        cron=SCHEDULE.cron,
        resume=NEVER_RESUME,
        location=SCHEDULE.location,
    )
    assert encode_checked(Checked(((resuming, ()),)), file="a.yaml", day=DAY, most=MOST) == b""


def test_what_cannot_be_written_is_not_kept() -> None:
    """Python itself refuses to read a number of more digits."""
    work = Work(action="a", inputs=({"n": 10**5000},))
    endless = Schedule(address=SCHEDULE.address, work=work, cron=SCHEDULE.cron, location=SCHEDULE.location)
    assert encode_checked(Checked(((endless, ()),)), file="a.yaml", day=DAY, most=MOST) == b""


def test_what_grows_beyond_reason_is_not_kept() -> None:
    """What stands in the defaults once is written with each resource."""
    work = Work(action="a", inputs=({},), parameters={"long": "x" * 1000})
    many = [
        Schedule(address=Address(Kind.SCHEDULE, f"s{n}"), work=work, cron="0 9 * * *", location=SCHEDULE.location)
        for n in range(100)
    ]
    checked = Checked(tuple((row, ()) for row in many))
    assert encode_checked(checked, file="a.yaml", day=DAY, most=MOST) == b""
    assert len(encode_checked(checked, file="a.yaml", day=DAY, most=2 * MOST)) > MOST


def test_a_zone_that_is_no_longer_known_is_looked_at_anew() -> None:
    """The zones are those of the machine, which may change at any time."""
    nowhere = Schedule(
        address=SCHEDULE.address,
        work=SCHEDULE.work,
        cron=SCHEDULE.cron,
        timezone="Foo/Bar",
        location=SCHEDULE.location,
    )
    line = encode_checked(Checked(((nowhere, ()),)), file="a.yaml", day=DAY, most=MOST)
    assert line
    assert decode_checked(line, file="a.yaml", day=DAY) is None


def test_a_time_that_would_come_back_as_another_is_not_kept() -> None:
    """The form in which it is kept has offsets in minutes."""
    work = Work(action="a", inputs=({},))
    for seconds in (0, 30):
        at = datetime(2026, 6, 1, tzinfo=timezone(timedelta(hours=1, seconds=seconds)))
        address = Address(Kind.RUN, "a")
        run = OneOffRun(address=address, work=work, schedule_at=at, location=SCHEDULE.location)
        line = encode_checked(Checked(((run, ()),)), file="a.yaml", day=DAY, most=MOST)
        assert (line == b"") == bool(seconds)


@pytest.mark.parametrize("line", [b"", b"[", b"[]", b"{}", b'["a.yaml","2026-06-01",[[{},[]]],[],[]]', b"[" * 9999])
def test_what_makes_no_sense_is_nothing(line: bytes) -> None:
    """A line that another reader wrote is as good as none."""
    assert decode_checked(line, file="a.yaml", day=DAY) is None
