"""A plan as an HTML page, read by a real parser: values stay text, and nothing comes from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from itertools import pairwise

import pytest
from justhtml import JustHTML

from cdsync.core.plan import Plan
from cdsync.core.remarks import remarks_on
from cdsync.render.lines import printable
from cdsync.render.plan_html import plan_html
from tests.core.values import NOW, applied, desired, observed, owned, plan_of, schedule, shown
from tests.render.reviewed import HOSTILE, hostile_plan, hostile_remarks, large_plan


def hostile(text: str) -> str:
    """The page of a plan with this text everywhere."""
    plan = hostile_plan(text)
    return plan_html(plan, account=text, revision=text, targets=(text,), remarks=hostile_remarks(plan, text))


def parsed(html: str) -> JustHTML:
    """The page as a browser reads it; a fault of the markup is an error."""
    return JustHTML(html, sanitize=False, strict=True)


def elements(page: JustHTML) -> Counter[tuple[str, str]]:
    """Every element with its attributes, and how often it stands there."""
    return Counter((node.name, str(sorted((node.attrs or {}).items()))) for node in page.root.query("*"))


def values(page: JustHTML, selector: str, attribute: str) -> list[str | None]:
    """An attribute of every element that a selector finds."""
    return [(node.attrs or {})[attribute] for node in page.root.query(selector)]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_becomes_an_element_or_an_attribute(text: str) -> None:
    """Whatever a plan holds, its page has the very elements and attributes of a harmless one."""
    assert elements(parsed(hostile(text))) == elements(parsed(hostile("text")))


@pytest.mark.parametrize("text", HOSTILE)
def test_every_value_can_be_read_as_it_is(text: str) -> None:
    """What is escaped is shown unchanged, in the body and in the title."""
    page = parsed(hostile(text))
    assert " ".join(printable(text).split()) in " ".join(page.to_text().split())


def test_the_page_needs_nothing_and_may_run_nothing() -> None:
    """No script, no outside asset, no inline style; the policy allows the one style sheet by its digest."""
    html = hostile("text")
    page = parsed(html)
    names = {node.name for node in page.root.query("*")}
    attributes = {name for node in page.root.query("*") for name in node.attrs or {}}
    style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()

    assert names & {"script", "link", "img", "iframe", "object", "form", "base", "a", "svg"} == set()
    assert attributes & {"style", "src", "href", "action", "srcset"} == set()
    assert not [name for name in attributes if name and name.startswith("on")]
    assert len(style) == 1
    assert "url(" not in style[0]
    assert "@import" not in style[0]
    (policy,) = values(page, "meta[http-equiv]", "content")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_the_page_is_for_everybody() -> None:
    """A language, a title, one first heading, headings in order, column and row heads, light and dark, also a phone."""
    page = parsed(hostile("text"))
    levels = [int(node.name[1]) for node in page.root.query("h1, h2, h3")]

    assert page.root.query("html")[0].attrs == {"lang": "en"}
    assert page.root.query("title")[0].to_text().startswith("cdsync plan: Plan: 1 to create")
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert all("scope" in (node.attrs or {}) for node in page.root.query("th"))
    assert len(values(page, 'meta[name="viewport"]', "content")) == 1
    assert "prefers-color-scheme: dark" in page.root.query("style")[0].to_text()
    assert len(page.root.query("main")) == 1


def test_a_changed_cron_shows_words_and_fires_of_both_sides() -> None:
    """The page tells in words and times what the expression did and will do."""
    then, now = schedule("weekday-leads"), schedule("weekday-leads", cron="0 10 * * 1-5")
    declared = desired(now)
    plan = plan_of(declared, observed(shown(then), in_place=True), owned(applied(then)))
    page = parsed(plan_html(plan, account="x", remarks=remarks_on(plan, declared, now=NOW)))

    text = page.to_text()
    assert "weekdays at 09:00 Europe/Paris" in text
    assert "weekdays at 10:00 Europe/Paris" in text
    assert values(page, "time", "datetime") == [
        *(f"2026-06-0{day}T09:00:00+02:00" for day in (2, 3, 4)),
        *(f"2026-06-0{day}T10:00:00+02:00" for day in (2, 3, 4)),
    ]


def test_no_row_is_left_out_of_a_large_plan() -> None:
    """A page has no limit."""
    page = parsed(plan_html(large_plan(300), account="x"))
    assert len(page.root.query("article")) == 300


def test_the_commit_that_was_planned_is_told() -> None:
    """A reviewer sees which one it is about; without one nothing is said of it."""
    page = parsed(plan_html(large_plan(1), account="x", revision="a" * 40))
    (line,) = page.query("header > p")

    assert " ".join(line.to_text().split()) == "cdsync plan for x , as of aaaaaaaaaaaa"
    assert "as of" not in plan_html(large_plan(1), account="x")


def test_an_empty_plan_says_so() -> None:
    """Nothing to do is a heading."""
    page = parsed(plan_html(Plan(), account="x"))
    assert page.root.query("h1")[0].to_text() == "No changes: the account is as declared"
    assert page.root.query("article") == []
