"""A plan cut into the sections that a reader sees, the same in every format.

What is done stands apart by where it comes from, and from what is not done. Nothing is decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from cdsync.core.actions import Action, ActionKind, Blocked, Plan
from cdsync.core.origin import Origin, Since, origin_of
from cdsync.core.remarks import Remarks, crowd_sentence, reach_sentence
from cdsync.render.lines import counted, shortened

Row = TypeVar("Row", Action, Blocked)

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
"""What stands before a row of each kind, and the word for its style."""

SETTINGS_FILE = "cdsync.yaml"


@dataclass(frozen=True, slots=True)
class Section:
    """Some rows under one title; an empty title is that of the only section of actions."""

    title: str
    actions: tuple[Action, ...] = ()
    blocked: tuple[Blocked, ...] = ()


def sections_of(plan: Plan, remarks: Remarks) -> tuple[Section, ...]:
    """The sections that have rows: actions first, in the order of the plan, then what is left alone."""
    since = remarks.since
    if since is None:
        found = [Section("", actions=plan.actions), Section("Left alone", blocked=plan.blocked)]
    else:
        titles = {
            Origin.CHANGE: f"From files changed since {shortened(since.ref)}",
            Origin.DRIFT: "From drift on the account",
            Origin.OTHER: "From neither, due for another reason",
        }
        found = [Section(title, actions=_rows(plan.actions, since, origin)) for origin, title in titles.items()]
        of_change = _rows(plan.blocked, since, Origin.CHANGE)
        rest = tuple(row for row in plan.blocked if row not in of_change)
        found.append(Section(f"Left alone, from files changed since {shortened(since.ref)}", blocked=of_change))
        found.append(Section("Left alone for another reason", blocked=rest))
    return tuple(section for section in found if section.actions or section.blocked)


def _rows(rows: Iterable[Row], since: Since, origin: Origin) -> tuple[Row, ...]:
    return tuple(row for row in rows if origin_of(row, since) is origin)


def sign_of(action: Action) -> tuple[str, str]:
    """The sign of an action and the word for its style; what removes looks like it, also where it only pauses."""
    return ("-", "remove") if action.removes else SIGNS[action.kind]


def since_sentence(since: Since) -> str:
    """What was compared, for a reader who must know how far the comparison goes."""
    commit = f"{shortened(since.ref)} ({since.base})"
    if not since.files:
        return f"No file of this root changed since {commit}."
    text = f"{counted(len(since.files), 'file')} changed since {commit}."
    if SETTINGS_FILE in since.files:
        text += f" {SETTINGS_FILE} is among them: settings hold for all, so that rows of any file may come from it."
    return text


def warnings_of(plan: Plan, remarks: Remarks) -> Iterator[str]:
    """What a reviewer must know before anything else: limits that are passed, a plan that reaches further, a crowd."""
    for violation in plan.violations:
        yield f"apply would refuse this: {violation.message}. If that is meant: {violation.remedy}"
    if remarks.since is not None and (reach := reach_sentence(plan, remarks.since)):
        yield reach
    if remarks.crowd is not None:
        yield crowd_sentence(remarks.crowd)


def summary_sentence(plan: Plan) -> str:
    """What the plan comes to, in one sentence."""
    what = f"Plan: {tally(plan.actions)}" if plan.actions else "No changes: the account is as declared"
    if not plan.actions and plan.blocked:
        what = "No changes can be made now" if plan.pending else "Nothing to do now"
    if plan.blocked:
        what += f"; {tally(plan.blocked)}"
    return what + "."


def tally(rows: Iterable[Action | Blocked]) -> str:
    """How many rows of each kind, such as `2 to create, 1 to update; 3 left alone`."""
    kinds = Counter(row.kind if isinstance(row, Action) else None for row in rows)
    done = ", ".join(_part(kind, kinds[kind]) for kind in ActionKind if kinds[kind])
    left = f"{kinds[None]} left alone" if kinds[None] else ""
    return "; ".join(filter(None, (done, left)))


def _part(kind: ActionKind, number: int) -> str:
    return f"{counted(number, 'run')} to resume" if kind is ActionKind.RESUME_RUN else f"{number} to {kind.value}"
