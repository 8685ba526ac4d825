"""A plan for a terminal: a sign and an address per row, why, and what changes from what to what."""

from __future__ import annotations

import json

from cdsync.core.actions import Action, Blocked, Drift, Plan
from cdsync.core.diff import FieldChange
from cdsync.core.preview import Firing, Preview, row_key
from cdsync.core.remarks import Remarks, reach_sentence
from cdsync.core.revisions import short_revision
from cdsync.core.work import Json
from cdsync.render.lines import Line, printable, shortened, wrapped
from cdsync.render.plan_sections import Section, sections_of, sign_of, since_sentence, summary_sentence

VALUE_WIDTH = 52

NO_REMARKS = Remarks()


def plan_lines(plan: Plan, remarks: Remarks = NO_REMARKS, *, revision: str | None = None) -> list[Line]:
    """The plan as lines, the same for the same plan and remarks; `revision` is that of the declaration."""
    lines: list[Line] = []
    drifted = _drift_lines(plan.drift)
    for section in sections_of(plan, remarks):
        if section.blocked and drifted:
            lines.extend(drifted)
            drifted = []
        lines.extend(_section_lines(section, remarks))
    lines.extend(drifted)
    if remarks.cannot_see:
        lines.extend([Line(), Line("Not seen:", "title")])
        for sentence in remarks.cannot_see:
            lines.extend(wrapped(sentence, indent=4, hang=2))
    for violation in plan.violations:
        lines.append(Line())
        lines.extend(wrapped(f"Refused: {violation.message}", indent=0, style="failed"))
        lines.extend(wrapped(f"If that is meant: {violation.remedy}", indent=2))
    if remarks.since is not None:
        lines.append(Line())
        lines.extend(wrapped(since_sentence(remarks.since), indent=0))
        if reach := reach_sentence(plan, remarks.since):
            lines.extend(wrapped(f"Warning: {reach}", indent=0, style="blocked"))
    lines.append(Line())
    sentence = summary_sentence(plan)
    if revision is not None:
        sentence = f"{sentence.removesuffix('.')}, as of {short_revision(revision)}."
    lines.extend(wrapped(sentence, indent=0, style="title"))
    return lines[1:] if lines[0] == Line() else lines


def _section_lines(section: Section, remarks: Remarks) -> list[Line]:
    lines = [Line(), *wrapped(f"{section.title}:", indent=0, style="title")] if section.title else []
    for action in section.actions:
        lines.extend(_action_lines(action, remarks.previews.get(row_key(action))))
    for row in section.blocked:
        lines.extend(_blocked_lines(row, remarks.previews.get(row_key(row))))
    return lines


def _action_lines(action: Action, preview: Preview | None) -> list[Line]:
    sign, style = sign_of(action)
    what = action.kind.value if action.uid is None else f"{action.kind.value} {action.uid}"
    lines = [Line(f"{sign:>3} {action.address}", style)]
    lines.extend(wrapped(f"{what}: {action.why}", indent=6, hang=2))
    lines.extend(_changes_lines(action.changes))
    lines.extend(_preview_lines(preview))
    if action.first_fire is not None:
        when = f"{action.first_fire:%a %Y-%m-%d %H:%M} {action.first_fire.tzinfo}"
        lines.extend(wrapped(f"fires first on {when}", indent=6, style="faint"))
    return lines


def _preview_lines(preview: Preview | None) -> list[Line]:
    """The times before and after a change; of a creation only what they are called, as its first fire is told too."""
    if preview is None:
        return []
    if preview.before is None:
        return wrapped(f"fires {preview.after.words}", indent=6, hang=2, style="faint")
    lines: list[Line] = []
    for when, firing in (("before", preview.before), ("after", preview.after)):
        lines.extend(wrapped(f"{when + ':':<7} {firing.words}", indent=8, hang=4))
        if fires := fires_text(firing):
            lines.extend(wrapped(fires, indent=12, style="faint"))
    return lines


def fires_text(firing: Firing) -> str:
    """The next fires in one line, in the zone that the words name."""
    return ", ".join(f"{fire:%a %Y-%m-%d %H:%M}" for fire in firing.fires)


def _changes_lines(changes: tuple[FieldChange, ...]) -> list[Line]:
    width = max((len(change.path) for change in changes), default=0)
    lines: list[Line] = []
    for change in changes:
        before = "" if change.before is None else f"{shown(change.before)} -> "
        lines.extend(wrapped(f"{change.path + ':':<{width + 1}} {before}{shown(change.after)}", indent=8, hang=4))
    return lines


def shown(value: Json, *, width: int = VALUE_WIDTH) -> str:
    """A value as it would stand in the declaration, in one line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=dict)
    return printable(shortened(text, width))


def _drift_lines(rows: tuple[Drift, ...]) -> list[Line]:
    if not rows:
        return []
    lines = [Line(), Line("Moved on the account since the last apply:", "title")]
    for row in rows:
        text = f"{row.address}: {row.path} was {shown(row.applied)}, is {shown(row.found)}"
        lines.extend(wrapped(text, indent=4, hang=2))
    return lines


def _blocked_lines(row: Blocked, preview: Preview | None) -> list[Line]:
    lines = [Line(f"  ! {row.address}", "blocked")]
    lines.extend(wrapped(f"{row.reason.value}: {row.message}", indent=6, hang=2))
    lines.extend(_changes_lines(row.changes))
    lines.extend(_preview_lines(preview))
    if row.remedy:
        lines.extend(wrapped(f"what to do: {row.remedy}", indent=6, hang=2))
    return lines
