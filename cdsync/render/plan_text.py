"""A plan for a terminal: a sign and an address per row, why, and what changes from what to what."""

from __future__ import annotations

import json

from cdsync.core.actions import Action, ActionKind, Blocked, Drift, Plan
from cdsync.core.diff import FieldChange
from cdsync.core.plan import summarise
from cdsync.core.revisions import short_revision
from cdsync.core.work import Json
from cdsync.render.lines import Line, counted, printable, wrapped

SIGNS = {
    ActionKind.CREATE: ("+", "create"),
    ActionKind.LAUNCH: (">", "resume"),
    ActionKind.ADOPT: ("<=", "adopt"),
    ActionKind.RENAME: ("~", "update"),
    ActionKind.UPDATE: ("~", "update"),
    ActionKind.REPLACE: ("-/+", "replace"),
    ActionKind.RESUME: (">", "resume"),
    ActionKind.RESUME_RUN: (">", "resume"),
    ActionKind.PAUSE: ("~", "update"),
    ActionKind.DELETE: ("-", "remove"),
    ActionKind.FORGET: ("-", "remove"),
    ActionKind.FETCH: (">", "resume"),
}

VALUE_WIDTH = 52


def plan_lines(plan: Plan, *, revision: str | None = None) -> list[Line]:
    """The plan as lines, the same for the same plan; `revision` is that of the declaration."""
    lines: list[Line] = []
    for action in plan.actions:
        lines.extend(_action_lines(action))
    lines.extend(_drift_lines(plan.drift))
    lines.extend(_blocked_lines(plan.blocked))
    for violation in plan.violations:
        lines.append(Line())
        lines.extend(wrapped(f"Refused: {violation.message}", indent=0, style="failed"))
        lines.extend(wrapped(f"If that is meant: {violation.remedy}", indent=2))
    lines.append(Line())
    sentence = summary_sentence(plan)
    if revision is not None:
        sentence = f"{sentence.removesuffix('.')}, as of {short_revision(revision)}."
    lines.extend(wrapped(sentence, indent=0, style="title"))
    return lines[1:] if lines[0] == Line() else lines


def _action_lines(action: Action) -> list[Line]:
    sign, style = ("-", "remove") if action.removes else SIGNS[action.kind]
    what = action.kind.value if action.uid is None else f"{action.kind.value} {action.uid}"
    lines = [Line(f"{sign:>3} {action.address}", style)]
    lines.extend(wrapped(f"{what}: {action.why}", indent=6, hang=2))
    lines.extend(_changes_lines(action.changes))
    if action.first_fire is not None:
        when = f"{action.first_fire:%a %Y-%m-%d %H:%M} {action.first_fire.tzinfo}"
        lines.extend(wrapped(f"fires first on {when}", indent=6, style="faint"))
    return lines


def _changes_lines(changes: tuple[FieldChange, ...]) -> list[Line]:
    width = max((len(change.path) for change in changes), default=0)
    lines: list[Line] = []
    for change in changes:
        before = "" if change.before is None else f"{_shown(change.before)} -> "
        lines.extend(wrapped(f"{change.path + ':':<{width + 1}} {before}{_shown(change.after)}", indent=8, hang=4))
    return lines


def _shown(value: Json) -> str:
    """A value as it would stand in the declaration, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=dict)
    return printable(text if len(text) <= VALUE_WIDTH else text[: VALUE_WIDTH - 3] + "...")


def _drift_lines(rows: tuple[Drift, ...]) -> list[Line]:
    if not rows:
        return []
    lines = [Line(), Line("Moved on the account since the last apply:", "title")]
    for row in rows:
        text = f"{row.address}: {row.path} was {_shown(row.applied)}, is {_shown(row.found)}"
        lines.extend(wrapped(text, indent=4, hang=2))
    return lines


def _blocked_lines(rows: tuple[Blocked, ...]) -> list[Line]:
    if not rows:
        return []
    lines = [Line(), Line("Left alone:", "title")]
    for row in rows:
        lines.append(Line(f"  ! {row.address}", "blocked"))
        lines.extend(wrapped(f"{row.reason.value}: {row.message}", indent=6, hang=2))
        lines.extend(_changes_lines(row.changes))
        if row.remedy:
            lines.extend(wrapped(f"what to do: {row.remedy}", indent=6, hang=2))
    return lines


def summary_sentence(plan: Plan) -> str:
    """What the plan comes to, in one sentence."""
    counts = summarise(plan)
    parts = [_part(kind, counts[kind.value]) for kind in ActionKind if counts[kind.value]]
    what = "Plan: " + ", ".join(parts) if parts else "No changes: the account is as declared"
    if not parts and plan.blocked:
        what = "No changes can be made now" if plan.pending else "Nothing to do now"
    if plan.blocked:
        what += f"; {len(plan.blocked)} left alone"
    return what + "."


def _part(kind: ActionKind, number: int) -> str:
    return f"{counted(number, 'run')} to resume" if kind is ActionKind.RESUME_RUN else f"{number} to {kind.value}"
