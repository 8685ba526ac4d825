"""The first page, read by a real parser."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from justhtml import JustHTML

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Plan, Reason
from cdsync.core.model import Address, Kind
from cdsync.core.progress import LiveProgress
from cdsync.core.standing import RunStanding
from cdsync.core.status import Health
from cdsync.page.overview import PAGE, Wish, overview_page
from cdsync.page.resource import missing_page, resource_page
from cdsync.page.snapshot import Concern, PassView, Refusal, ResultFiles
from tests.page.account import NOW, row, schedule, secretive, snapshot

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e"
LAST = PassView(number=7, result="unchanged", decided=True, began=NOW, seconds=0.4, causes=("timer",))
REFUSAL = Refusal(
    title="The newest configuration is refused",
    judged=True,
    problems=("a.yaml:1:1: one",),
    since=NOW,
    remedy="mend it",
    kept=True,
)
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
    refusal = replace(REFUSAL, problems=("a.yaml:1:1: one", "a.yaml:2:1: two"))
    said = text_of(overview_page(snapshot(row(), refusals=(refusal,)), Wish()))

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


def test_a_refused_configuration_is_never_in_sync() -> None:
    """It is the headline, or counted into it, however well the account is kept by the one before."""
    alone = overview_page(snapshot(row(), refusals=(REFUSAL,)), Wish())
    assert text_of(alone, "h1") == "The newest configuration is refused"
    assert text_of(alone, ".verdict.bad p").startswith("The last good one is kept in force.")

    concern = Concern(subject="schedule/a", message="two of them are there")
    both = overview_page(snapshot(row(), refusals=(REFUSAL,), concerns=(concern,)), Wish())
    assert text_of(both, "h1") == "2 things need a person"
    assert text_of(both, ".verdict p").startswith("The newest configuration is refused.")


def test_a_configuration_that_cannot_be_read_is_not_called_refused() -> None:
    """Nobody knows what it is like; and the commit that was refused before is told beside it."""
    away = replace(REFUSAL, title="The newest configuration cannot be read", judged=False)
    html = overview_page(snapshot(row(), refusals=(away,)), Wish())
    assert text_of(html, "h1") == "The newest configuration cannot be read"
    assert text_of(html, ".facts .chip.warn") == "cannot be read"

    html = overview_page(snapshot(row(), refusals=(away, REFUSAL)), Wish())
    assert text_of(html, "h1") == "2 things need a person"
    assert text_of(html, ".facts .chip.bad") == "refused"


def test_a_refused_plan_does_not_go_on_by_itself() -> None:
    """A person has to lift the limit, so the headline promises nothing."""
    last = replace(LAST, result="refused", error="5 of 8 would be removed", left=5)
    html = overview_page(snapshot(row("a", Health.PENDING), last=last), Wish())

    assert text_of(html, "h1") == "The plan is refused"
    assert text_of(html, ".verdict p") == "Nothing of it is done. 0 of 1 resource is as declared."


def waiting(name: str, until: datetime | None, reason: BlockedReason = BlockedReason.WAITING) -> Blocked:
    """What is left alone until its time."""
    return Blocked(address=schedule(name).address, reason=reason, message="it waits", until=until)


def verdict(*blocked: Blocked, actions: tuple[Action, ...] = ()) -> tuple[str, str]:
    """The headline of an account with this plan, and the sentence below it."""
    plan = Plan(actions=actions, blocked=blocked)
    addresses = [*(found.address for found in blocked), *(action.address for action in actions)]
    rows = [row(address.name, Health.PENDING) for address in addresses]
    html = overview_page(snapshot(row("ok"), *rows, plan=plan), Wish())
    return text_of(html, "h1"), text_of(html, ".verdict p")


def test_what_only_waits_is_said_with_what_it_waits_for_and_until_when() -> None:
    """No next pass does it before its time, so it is not called on the way."""
    tomorrow, later = NOW + timedelta(days=1), NOW + timedelta(days=3)
    deferred = waiting("c", NOW + timedelta(minutes=2), BlockedReason.DEFERRED)

    assert verdict(waiting("a", tomorrow)) == (
        "1 removal waits for its grace",
        "Until Tue 2 Jun 07:00 UTC, in 24 h (schedule/a). 1 of 2 resources are as declared.",
    )
    assert verdict(waiting("b", later), waiting("a", tomorrow)) == (
        "2 removals wait for their grace",
        "The first until Tue 2 Jun 07:00 UTC, in 24 h (schedule/a). 1 of 3 resources are as declared.",
    )
    assert verdict(deferred)[0] == "1 replacement waits for its next tick"
    assert verdict(waiting("a", tomorrow), deferred)[0] == "2 changes wait for their time"
    assert verdict(waiting("a", None)) == ("In sync", "1 of 2 resources are as declared.")


def test_what_waits_is_told_beside_what_is_on_the_way() -> None:
    """And not counted with it."""
    action = Action(address=schedule("b").address, kind=ActionKind.UPDATE, reason=Reason.CHANGED, why="it changed")

    assert verdict(waiting("a", NOW + timedelta(days=1)), actions=(action,)) == (
        "1 change on the way",
        "The next pass goes on by itself. "
        "1 removal waits for its grace: until Tue 2 Jun 07:00 UTC, in 24 h (schedule/a).",
    )


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
            page = replace(page, refusals=(replace(REFUSAL, title=HOSTILE, problems=(HOSTILE,), remedy=HOSTILE),))
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


def test_the_page_of_a_live_run_names_the_file_of_its_rows() -> None:
    """Whoever waits for rows finds them; the file of what failed is named once something did."""
    live = LiveProgress(action="act", total=4, begun_at=NOW, active_at=NOW, done=2, rows=20)
    files = ResultFiles(rows="results/hot.jsonl", failed="results/hot.failed.jsonl")
    address = Address(Kind.RUN, "hot")

    def said(progress: LiveProgress) -> str:
        page = snapshot(row(address=address, live=progress), desired={}, results={address: files})
        return text_of(resource_page(page, address, ()) or "", "#main > section .box")

    assert "Its rows are in results/hot.jsonl" in said(live)
    assert "hot.failed" not in said(live)
    assert "the inputs that failed in results/hot.failed.jsonl" in said(replace(live, failed=1))


def test_a_resource_that_nobody_knows_has_no_page() -> None:
    """The page that says so names the nearest one."""
    page = snapshot(row("weekday-leads"))

    assert resource_page(page, schedule("weekday-lead").address, ()) is None
    assert "did you mean 'schedule/weekday-leads'?" in text_of(missing_page(page, "schedule/weekday-lead"))
