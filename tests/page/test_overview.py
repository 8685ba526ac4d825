"""The first page, read by a real parser."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from justhtml import JustHTML

from cdsync.core.standing import RunStanding
from cdsync.core.status import Health
from cdsync.page.overview import PAGE, Wish, overview_page
from cdsync.page.resource import missing_page, resource_page
from cdsync.page.snapshot import Concern, PassView, Refusal
from tests.page.account import NOW, row, schedule, secretive, snapshot

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e"
SOON = 3.0
"""Seconds in which a large page is made also on a machine that is busy; it takes a tenth of that."""


def parsed(html: str) -> JustHTML:
    """A page, without any cleaning by the parser."""
    return JustHTML(html, sanitize=False)


def text_of(html: str, selector: str = "main") -> str:
    """What a person reads in a part of a page."""
    return " ".join(" ".join(node.to_text().split()) for node in parsed(html).query(selector))


def test_an_account_that_is_as_declared_is_in_sync() -> None:
    """It is said in the one heading."""
    html = overview_page(snapshot(row()), Wish())

    assert text_of(html, "h1") == "In sync"
    assert "weekdays at 09:00 Europe/Paris" in text_of(html, "table")
    assert "Needs a person" not in text_of(html)


def test_what_needs_a_person_comes_first() -> None:
    """In the heading, in the first section, and at the top of the table."""
    concern = Concern(subject="schedule/b", message="two of them are there", remedy="cdsync adopt schedule/b UID")
    html = overview_page(snapshot(row(), row("b", Health.ATTENTION), concerns=(concern,)), Wish())

    assert text_of(html, "h1") == "1 thing needs a person"
    assert text_of(html, "h2").startswith("Needs a person")
    assert "cdsync adopt schedule/b UID" in text_of(html, ".concerns")
    assert text_of(html, "tbody th").startswith("b ")


def test_a_refused_configuration_is_told_with_every_problem() -> None:
    """And that the last good one is kept."""
    refusal = Refusal(problems=("a.yaml:1:1: one", "a.yaml:2:1: two"), since=NOW, remedy="mend it", kept=True)
    said = text_of(overview_page(snapshot(row(), refusal=refusal), Wish()))

    assert "a.yaml:1:1: one" in said
    assert "a.yaml:2:1: two" in said
    assert "the last good one is kept in force" in said


def test_a_pass_that_failed_is_not_called_in_sync() -> None:
    """What is shown is said to be of an earlier look."""
    last = PassView(
        number=8,
        result="failed",
        decided=False,
        began=NOW,
        seconds=1,
        causes=("timer",),
        error="HTTP 503",
        remedy="wait",
    )
    html = overview_page(snapshot(row(), last=last, failures=2), Wish())

    assert text_of(html, "h1") == "The last pass failed, 2 times in a row"
    assert "HTTP 503" in text_of(html, ".concerns")


@pytest.mark.parametrize("where", ["note", "message", "account", "problem", "label"])
def test_what_is_hostile_stays_text(where: str) -> None:
    """No value becomes markup, in whatever field it comes, and none turns the direction of writing."""
    run = RunStanding(uid="u", status="FAILED", label=HOSTILE, message=HOSTILE, advice=HOSTILE)
    page = snapshot(row("a", Health.BLOCKED, note=HOSTILE if where == "note" else None))
    match where:
        case "message":
            page = replace(page, concerns=(Concern(subject=HOSTILE, message=HOSTILE, remedy=HOSTILE),))
        case "account":
            page = replace(page, account=HOSTILE, revision=HOSTILE)
        case "problem":
            page = replace(page, refusal=Refusal(problems=(HOSTILE,), since=NOW, remedy=HOSTILE, kept=False))
        case "label":
            page = replace(page, rows=(row(runs=(run,)),))
        case _:
            pass
    html = overview_page(page, Wish(search=HOSTILE if where == "account" else ""))
    tree = parsed(html)

    assert not tree.query("script")
    assert not tree.query("img")
    assert not tree.query("[onerror]")
    assert not tree.query("[style]")
    assert "\u202e" not in html
    assert "&lt;script&gt;" in html


def test_a_thousand_schedules_are_cut_into_pages_and_each_is_on_one() -> None:
    """A page comes soon, and none is lost between them."""
    page = snapshot(*(row(f"s{number:04}") for number in range(1000)))
    names: set[str] = set()
    began = time.perf_counter()
    first = overview_page(page, Wish())
    assert time.perf_counter() - began < SOON
    for number in range(1, 1000 // PAGE + 1):
        links = parsed(overview_page(page, Wish(page=number))).query("section tbody th a")
        names |= {node.to_text() for node in links}

    assert len(names) == 1000
    assert "1" in text_of(first, ".pages")


def test_ten_thousand_schedules_are_still_one_small_page() -> None:
    """Its size does not grow with the account."""
    page = snapshot(*(row(f"s{number:05}") for number in range(10_000)))
    began = time.perf_counter()
    html = overview_page(page, Wish())

    assert time.perf_counter() - began < 2 * SOON
    assert len(html) < 200_000


def test_schedules_are_found_by_name_and_by_state() -> None:
    """Both at once; a page beyond the end is the last."""
    page = snapshot(row("leads"), row("leads-eu", Health.HELD), row("other", Health.HELD))

    assert text_of(overview_page(page, Wish(search="leads", health="held", page=9)), "tbody th") == "leads-eu act"


def test_a_page_of_a_resource_hides_what_is_sensitive_and_nothing_else() -> None:
    """The names of headers are shown, their values and references are not."""
    declared = secretive()
    page = snapshot(row("secretive"), desired={declared.address: declared})
    html = resource_page(page, declared.address, ())
    assert html is not None
    said = text_of(html)

    assert "a-literal-canary" not in html
    assert "HOOK_URL" not in html
    assert "Authorization" in said
    assert "https://example.com" in said
    assert "0 9 * * 1-5" in said


def test_a_resource_that_nobody_knows_has_no_page() -> None:
    """The page that says so names the nearest one."""
    page = snapshot(row("weekday-leads"))

    assert resource_page(page, schedule("weekday-lead").address, ()) is None
    assert "did you mean 'schedule/weekday-leads'?" in text_of(missing_page(page, "schedule/weekday-lead"))
