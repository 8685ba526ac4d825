"""Many schedules in one minute, against an oracle that counts fire times one by one."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from cdsync.core.cron import fire_times
from cdsync.core.crowding import DAYS, MANY, crowd_in
from cdsync.core.model import Address, Resource, Schedule
from tests.core.values import NOW, address, one_off, schedule

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns")
STARTS = (NOW, datetime(2026, 10, 20, 7, 13, 5, tzinfo=UTC), datetime(2027, 3, 2, 23, 59, 30, tzinfo=UTC))
MINUTES = ("0", "30", "*/30", "59")
HOURS = ("2", "9", "*/6", "1-3")
DATES = ("* * *", "1 * *", "* * 0", "* 3,10 *", "13 * 5")

crons = st.tuples(st.sampled_from(MINUTES), st.sampled_from(HOURS), st.sampled_from(DATES)).map(" ".join)
declared = st.lists(
    st.tuples(crons, st.sampled_from(ZONES)),
    min_size=MANY,
    max_size=14,
).map(lambda rows: [schedule(f"s{n:02}", cron=cron, timezone=zone) for n, (cron, zone) in enumerate(rows)])


def counted(schedules: list[Schedule], start: datetime) -> dict[datetime, list[Address]]:
    """Who fires in each minute ahead, one fire time after the other."""
    first = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    end = first + timedelta(days=DAYS)
    found: defaultdict[datetime, list[Address]] = defaultdict(list)
    for row in schedules:
        fires = fire_times(row.cron, row.timezone, after=first - timedelta(seconds=1))
        for fire in takewhile(lambda fire: fire.astimezone(UTC) < end, fires):
            found[fire.astimezone(UTC)].append(row.address)
    return found


@settings(max_examples=60)
@given(declared, st.sampled_from(STARTS))
def test_the_fullest_minute_is_the_one_that_counting_finds(schedules: list[Schedule], start: datetime) -> None:
    """The minute, who fires in it and how many such minutes there are, also over clock changes, are counted right."""
    minutes = counted(schedules, start)
    crowded = {minute: who for minute, who in minutes.items() if len(who) >= MANY}

    found = crowd_in(schedules, now=start)

    if not crowded:
        assert found is None
        return
    assert found is not None
    most = max(map(len, crowded.values()))
    assert found.minute == min(minute for minute, who in crowded.items() if len(who) == most)
    assert found.addresses == tuple(sorted(minutes[found.minute]))
    assert found.minutes == len(crowded)


def test_a_few_at_once_are_no_crowd() -> None:
    """Four in one minute are ordinary, five are told, and what does not fire does not count."""
    four = [schedule(f"s{n}") for n in range(MANY - 1)]
    others: list[Resource] = [schedule("paused", state="paused"), one_off("run", schedule_at=NOW + timedelta(days=1))]

    assert crowd_in([*four, *others], now=NOW) is None
    found = crowd_in([*four, *others, schedule("fifth")], now=NOW)
    assert found is not None
    assert address("fifth") in found.addresses
    assert found.minute == datetime(2026, 6, 2, 7, 0, tzinfo=UTC)
    assert found.minutes == 23
