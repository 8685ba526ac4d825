"""When a schedule fires before and after a change of its times."""

from __future__ import annotations

from dataclasses import replace

from cdsync.core.model import Schedule
from cdsync.core.preview import Preview
from cdsync.core.remarks import previews_of
from tests.core.values import NOW, applied, desired, observed, owned, plan_of, schedule, shown


def preview(then: Schedule, now: Schedule, **remote: object) -> Preview | None:
    """The preview of a schedule that is declared otherwise now than it was applied."""
    seen = observed(replace(shown(then), **remote), in_place=True)  # type: ignore[arg-type]
    declared = desired(now)
    found = previews_of(plan_of(declared, seen, owned(applied(then))), declared, now=NOW)
    return next(iter(found.values()), None)


def fires(found: Preview) -> tuple[list[str], list[str]]:
    """The local times before and after."""
    before = [f"{fire:%d %H:%M}" for fire in found.before.fires] if found.before else []
    return before, [f"{fire:%d %H:%M}" for fire in found.after.fires]


def test_a_changed_cron_shows_words_and_three_fires_on_both_sides() -> None:
    """A reviewer reads what an expression means and when it comes to pass."""
    found = preview(schedule(), schedule(cron="0 10 * * *"))

    assert found is not None
    assert found.before is not None
    assert found.before.words == "weekdays at 09:00 Europe/Paris"
    assert found.after.words == "every day at 10:00 Europe/Paris"
    assert fires(found) == (["02 09:00", "03 09:00", "04 09:00"], ["02 10:00", "03 10:00", "04 10:00"])


def test_a_changed_zone_shows_the_old_one_before() -> None:
    """The same expression in another zone is another time."""
    found = preview(schedule(timezone="America/New_York"), schedule())

    assert found is not None
    assert found.before is not None
    assert found.before.words == "weekdays at 09:00 America/New_York"
    assert found.after.words == "weekdays at 09:00 Europe/Paris"


def test_a_zone_that_the_api_does_not_name_is_utc() -> None:
    """An absent zone stands as what it means."""
    found = preview(schedule(), schedule(), timezone=None)

    assert found is not None
    assert found.before is not None
    assert found.before.words == "weekdays at 09:00 UTC"


def test_what_is_paused_shows_no_fires() -> None:
    """A paused schedule has words, and no time at which anything would come to pass."""
    found = preview(schedule(state="paused"), schedule(state="paused", cron="0 10 * * *"))

    assert found is not None
    assert found.after.words == "every day at 10:00 Europe/Paris, paused"
    assert fires(found) == ([], [])


def test_an_expression_that_nobody_can_read_stands_as_it_is() -> None:
    """What the API shows may be anything, and is neither guessed nor an error."""
    found = preview(schedule(), schedule(), cron="@reboot <b>", timezone="Mars/Olympus")

    assert found is not None
    assert found.before is not None
    assert found.before.words == "cron @reboot <b>, Mars/Olympus"
    assert found.before.fires == ()


def test_other_changes_have_no_preview() -> None:
    """Where the times stay as they are there is nothing to show."""
    assert preview(schedule(), schedule(state="paused")) is None


def test_a_creation_shows_only_what_comes() -> None:
    """There is no before."""
    declared = desired(schedule())
    (found,) = previews_of(plan_of(declared), declared, now=NOW).values()

    assert found.before is None
    assert fires(found) == ([], ["02 09:00", "03 09:00", "04 09:00"])
