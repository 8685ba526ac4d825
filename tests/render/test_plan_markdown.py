"""A plan as Markdown, rendered by a real renderer: values stay text, and a large plan is cut honestly."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from justhtml import JustHTML
from markdown_it import MarkdownIt

from cdsync.core.plan import Plan, fingerprint_of_plan
from cdsync.core.remarks import remarks_on
from cdsync.render.lines import printable
from cdsync.render.plan_markdown import LIMIT, code, plan_markdown, prose
from tests.core.values import NOW, applied, desired, observed, owned, plan_of, schedule, shown
from tests.render.reviewed import HOSTILE, hostile_plan, hostile_remarks, large_plan

ACCOUNT = "https://api.example.com/v4 as cdsync"

RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": True})
"""Tables, strikethrough, raw HTML, and bare addresses made links: as the platforms do."""


def rendered(markdown: str) -> JustHTML:
    """The Markdown as a browser would get it, parsed."""
    return JustHTML(RENDERER.render(markdown), sanitize=False, fragment=True)


def elements(page: JustHTML) -> Counter[tuple[str, str]]:
    """Every element with its attributes, and how often it stands there."""
    return Counter((node.name, str(sorted((node.attrs or {}).items()))) for node in page.root.query("*"))


def text_outside_code(page: JustHTML) -> str:
    """What a platform would look through for mentions and references."""
    found: list[str] = []

    def visit(node: object) -> None:
        if getattr(node, "name", "") in {"code", "pre"}:
            return
        if getattr(node, "name", "") == "#text":
            found.append(str(getattr(node, "data", "")))
        for child in getattr(node, "children", None) or ():
            visit(child)

    visit(page.root)
    return " ".join(found)


def hostile(text: str) -> str:
    """The Markdown of a plan with this text everywhere."""
    plan = hostile_plan(text)
    return plan_markdown(plan, account=text, revision=text, targets=(text,), remarks=hostile_remarks(plan, text))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_becomes_markup(text: str) -> None:
    """Every element and attribute of the rendered comment is one that a harmless plan has too."""
    page, harmless = rendered(hostile(text)), rendered(hostile("text"))

    # A sign that would be a mention or a reference is code, so that there may be more of it.
    plain = ("code", "[]")
    assert {**elements(page), plain: 0} == {**elements(harmless), plain: 0}
    assert {name for name, _ in elements(page)} <= {
        "h3", "blockquote", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "ul", "li", "details",
        "summary", "b", "pre",
    }  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_every_value_can_be_read_as_it_is(text: str) -> None:
    """What is escaped reads the same once it is rendered."""
    assert " ".join(printable(text).split()) in " ".join(rendered(hostile(text)).to_text().split())


def test_nobody_is_mentioned_and_nothing_is_referred_to() -> None:
    """Mentions, issue references and addresses stand only in code, where platforms look for none."""
    for text in HOSTILE:
        outside = text_outside_code(rendered(hostile(text)))
        assert "@" not in outside
        assert "#" not in outside


@given(st.text())
@example("-")
@example("- a")
@example("1. a")
@example("12) a")
@example("0 #")
def test_a_sentence_and_a_value_read_as_they_are(text: str) -> None:
    """Any text survives as text, in a line of its own and in the cell of a table."""
    words = printable(text)
    for escaped in (prose(text), code(text)):
        page = rendered(f"| a | b |\n| --- | --- |\n| {escaped} | x |\n\n> {escaped}\n")
        assert page.root.query("td")[0].to_text(separator="", strip=False).strip() == words.strip()
        assert page.root.query("blockquote")[0].to_text(separator="", strip=False).strip() == words.strip()
        assert {node.name for node in page.root.query("td *")} <= {"code"}


def test_three_hundred_changes_fit_and_the_cut_is_told() -> None:
    """What is not shown is counted by kind in the head and at its fold, and what takes away is shown first."""
    text = plan_markdown(large_plan(300), account=ACCOUNT)
    page = rendered(text).to_text()

    assert len(text) < LIMIT
    shown_rows = {sign: len(re.findall(rf"^{re.escape(sign)} schedule/", text, re.MULTILINE)) for sign in "+~-"}
    assert shown_rows["-"] == 100
    left = 300 - sum(shown_rows.values())
    assert 0 < left < 200
    assert f"{100 - shown_rows['+']} to create" in page.split("Not shown")[1].split("For all of it")[0]
    assert f"{left} of them not shown" in page
    assert "For all of it: cdsync plan" in page
    assert "Plan: 100 to create, 100 to update, 100 to delete." in page


def test_a_plan_that_fits_is_not_cut() -> None:
    """Nothing is left out without need."""
    text = plan_markdown(large_plan(60), account=ACCOUNT)

    assert "ot shown" not in text
    assert text.count("\n+ schedule/") + text.count("\n~ schedule/") + text.count("\n- schedule/") == 60


@pytest.mark.parametrize("size", [1, 5, 300, 25_000])
@pytest.mark.parametrize("text", ["`", "x", "<&|", "@#"])
def test_no_text_makes_it_longer_than_a_comment_may_be(text: str, size: int) -> None:
    """A row that would take the room of all others is counted, not shown."""
    plan = hostile_plan(text * size)
    markdown = plan_markdown(
        plan,
        account=text * size,
        revision=text * size,
        targets=(text * size,) * 9,
        remarks=hostile_remarks(plan, text * size),
    )

    assert len(markdown) < LIMIT
    assert fingerprint_of_plan(plan) in markdown
    assert ("ot shown" in markdown) == (size > 5 and (size > 300 or text != "x"))


def test_a_changed_cron_shows_words_and_fires_of_both_sides() -> None:
    """A reviewer sees in the comment what an expression means, before and after."""
    then, now = schedule("weekday-leads"), schedule("weekday-leads", cron="0 10 * * 1-5")
    declared = desired(now)
    plan = plan_of(declared, observed(shown(then), in_place=True), owned(applied(then)))
    text = plan_markdown(plan, account=ACCOUNT, remarks=remarks_on(plan, declared, now=NOW))

    assert (
        """
~ schedule/weekday-leads
    update u1: cron changed in the declaration; changed in place
-     cron: 0 9 * * 1-5
+     cron: 0 10 * * 1-5
-     fires weekdays at 09:00 Europe/Paris
-       Tue 2026-06-02 09:00, Wed 2026-06-03 09:00, Thu 2026-06-04 09:00
+     fires weekdays at 10:00 Europe/Paris
+       Tue 2026-06-02 10:00, Wed 2026-06-03 10:00, Thu 2026-06-04 10:00
"""
        in text
    )


def test_the_commit_that_was_planned_is_told() -> None:
    """A reviewer sees which one it is about; without one nothing is said of it."""
    text = plan_markdown(large_plan(1), account="x", revision=f"{'a' * 40}-dirty")

    assert text.endswith(" for <code>x</code>, as of <code>aaaaaaaaaaaa-dirty</code>.\n")
    assert "as of" not in plan_markdown(large_plan(1), account="x")


def test_an_empty_plan_says_so() -> None:
    """Nothing to do is one sentence and a fingerprint."""
    text = plan_markdown(Plan(), account=ACCOUNT)

    assert text.startswith("### No changes: the account is as declared.\n")
    assert "<details" not in text


def test_the_same_plan_has_the_same_bytes() -> None:
    """A comment that is updated in place changes only when the plan does."""
    assert hostile("text") == hostile("text")
