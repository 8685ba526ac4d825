"""Names of time zones that mean the same clock."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo, available_timezones

import pytest

from cdsync.core import zones
from cdsync.core.match import matching_schedules
from cdsync.core.zones import UTC_NAMES, same_timezone
from tests.core.values import NOW, applied, desired, intent, observed, owned, plan_of, schedule, shown


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, "UTC", True),
        ("Etc/UTC", "utc", True),
        ("Zulu", None, True),
        ("GMT", "UTC", True),
        ("Etc/GMT", None, True),
        ("Greenwich", "Etc/UCT", True),
        ("Europe/Paris", "europe/paris", True),
        ("Asia/Kolkata", "Asia/Calcutta", True),
        ("Europe/Kyiv", "EUROPE/KIEV", True),
        ("America/New_York", "US/Eastern", True),
        ("Etc/GMT+1", "GMT", False),
        ("Europe/Paris", "Europe/Berlin", False),
        ("Europe/London", None, False),
        ("Africa/Abidjan", "GMT", False),
        ("Nowhere/Land", "Nowhere/Land", True),
        ("Nowhere/Land", "Nowhere/Else", False),
    ],
)
def test_zones_are_equal_by_meaning(one: str | None, other: str | None, same: bool) -> None:
    """No zone is UTC, GMT is UTC, an alias is what it stands for, and case does not matter."""
    assert same_timezone(one, other) is same
    assert same_timezone(other, one) is same


def test_whatever_is_equal_shows_the_same_time() -> None:
    """No two names are taken for one whose clocks differ, in winter or in summer."""
    by_key: dict[str, set[str]] = {}
    for name in available_timezones():
        by_key.setdefault(zones._key(name), set()).add(name)
    for names in by_key.values():
        for moment in (NOW, NOW.replace(month=12)):
            assert len({moment.astimezone(ZoneInfo(name)).utcoffset() for name in names}) == 1, names
    assert {"America/New_York", "US/Eastern"} <= by_key["america/new_york"]


@pytest.fixture
def without_tzdata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system whose zones come from elsewhere."""
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zones._links.cache_clear()
    zones._key.cache_clear()
    yield
    zones._links.cache_clear()
    zones._key.cache_clear()


@pytest.mark.usefixtures("without_tzdata")
def test_without_the_list_of_aliases_the_names_are_compared() -> None:
    """Then nothing fails, and UTC is still UTC by each of its names."""
    assert not same_timezone("Asia/Kolkata", "Asia/Calcutta")
    assert same_timezone("Asia/Kolkata", "asia/kolkata")
    assert all(same_timezone(name, None) for name in UTC_NAMES)


def test_a_zone_shown_by_its_other_name_is_no_difference() -> None:
    """An API that answers with the alias would have its schedule replaced for ever."""
    declared = schedule(timezone="Asia/Kolkata")
    remote = shown(declared, timezone="Asia/Calcutta")

    plan = plan_of(desired(declared), observed(remote), owned(applied(declared)))

    assert (plan.actions, plan.blocked, plan.drift) == ((), (), ())


def test_a_lookalike_in_a_zone_by_its_other_name_is_not_doubled() -> None:
    """What fires at the same moments is a lookalike, whatever its zone is called."""
    declared = schedule(timezone="Asia/Kolkata")

    plan = plan_of(desired(declared), observed(shown(declared, timezone="Asia/Calcutta")))

    assert plan.actions == ()
    assert [row.reason.value for row in plan.blocked] == ["lookalike"]


def test_a_lost_creation_is_found_in_a_zone_by_its_other_name() -> None:
    """Overlooking it would make it twice."""
    declared = schedule(timezone="Asia/Kolkata")
    made = shown(declared, "x1", timezone="Asia/Calcutta", created_at=NOW)

    assert matching_schedules(intent(declared), [made], labels=False) == (made,)
