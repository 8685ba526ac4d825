"""A plan as one HTML page that needs nothing else, for a reviewer's browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cdsync.core.actions import Action, ActionKind, Blocked, Plan
from cdsync.core.plan import fingerprint_of_plan
from cdsync.core.remarks import Remarks
from cdsync.core.revisions import short_revision
from cdsync.render.lines import printable
from cdsync.render.page import page
from cdsync.render.plan_rows import WIDTH, RowText, row_text
from cdsync.render.plan_sections import SIGNS, sections_of, since_sentence, summary_sentence, tally, warnings_of
from cdsync.render.plan_text import NO_REMARKS, shown


@dataclass(frozen=True, slots=True)
class _Count:
    sign: str
    style: str
    text: str


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    rows: tuple[RowText, ...]


def plan_html(
    plan: Plan,
    *,
    account: str,
    revision: str | None = None,
    targets: tuple[str, ...] = (),
    remarks: Remarks = NO_REMARKS,
) -> str:
    """The plan as a page, the same for the same plan and remarks; `revision` is that of the declaration."""
    since = remarks.since
    return page(
        "plan.html.j2",
        summary=summary_sentence(plan).removesuffix("."),
        account=printable(account),
        revision=printable(short_revision(revision)) if revision is not None else None,
        warnings=tuple(map(printable, warnings_of(plan, remarks))),
        counts=tuple(_counts(plan)),
        since=printable(since_sentence(since)) if since is not None else None,
        sections=_sections(plan, remarks),
        drift=[
            {
                "address": str(row.address),
                "path": printable(row.path),
                "applied": shown(row.applied, width=WIDTH),
                "found": shown(row.found, width=WIDTH),
            }
            for row in plan.drift
        ],
        cannot_see=remarks.cannot_see,
        fingerprint=fingerprint_of_plan(plan),
        targets=tuple(map(printable, targets)),
    )


def _counts(plan: Plan) -> Iterator[_Count]:
    for kind in ActionKind:
        rows = [action for action in plan.actions if action.kind is kind]
        if rows:
            sign, style = SIGNS[kind]
            yield _Count(sign, style, tally(rows))
    if plan.blocked:
        yield _Count("!", "blocked", tally(plan.blocked))


def _sections(plan: Plan, remarks: Remarks) -> tuple[_Section, ...]:
    found: list[_Section] = []
    for section in sections_of(plan, remarks):
        rows: tuple[Action | Blocked, ...] = (*section.actions, *section.blocked)
        title = printable(section.title) or "What would be done"
        found.append(_Section(title, tuple(row_text(row, remarks) for row in rows)))
    return tuple(found)
