"""A plan as Markdown for the comment of a pull or merge request: the summary first, the rows in folds below it.

No value can become markup, a mention, a reference or a link. Rows stand in fenced blocks, which are longer than any run
of backticks in them; all else is written with a character reference for each sign that Markdown gives a meaning to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cdsync.core.actions import Action, ActionKind, Blocked, Drift, Plan
from cdsync.core.plan import fingerprint_of_plan
from cdsync.core.remarks import Remarks
from cdsync.core.revisions import short_revision
from cdsync.render.lines import counted, printable, shortened, wrapped
from cdsync.render.plan_rows import WIDTH, RowText, row_text
from cdsync.render.plan_sections import SIGNS, sections_of, since_sentence, summary_sentence, tally, warnings_of
from cdsync.render.plan_text import NO_REMARKS, shown

LIMIT = 60_000
"""Characters. GitHub refuses a comment of more than 65,536, and a workflow adds a few lines of its own."""

OPEN = 12
"""Up to so many rows a fold stands open."""

NAMED = 5
"""How many resources the summary names of each kind."""

IMPORTANCE = (
    ActionKind.DELETE,
    ActionKind.PAUSE,
    ActionKind.FORGET,
    ActionKind.REPLACE,
    ActionKind.LAUNCH,
    ActionKind.UPDATE,
    ActionKind.CREATE,
)
"""What is shown first where not all fits: what takes away, what costs, what changes; then all other kinds."""

MOST_TICKS = 100
"""A row with a longer run of backticks is not shown: the fence around it would take the room of others."""

_PLAIN = re.compile(r"^-|^[0-9](?=[0-9]*[.)])|(?![.:](?: |$))[^A-Za-z0-9 ,;()\u00a1-\U0010ffff-]")
"""What is not written as it is: all that may have a meaning, but for the stops of a sentence; a dash or a number at the
start would begin a list."""


@dataclass(frozen=True, slots=True)
class _Block:
    """The text of one row, and what it is a row of."""

    row: Action | Blocked | Drift
    text: str


@dataclass(frozen=True, slots=True)
class _Fold:
    """A section: its title, and the texts of its rows."""

    title: str
    blocks: tuple[_Block, ...]


def plan_markdown(
    plan: Plan,
    *,
    account: str,
    revision: str | None = None,
    targets: tuple[str, ...] = (),
    remarks: Remarks = NO_REMARKS,
    limit: int = LIMIT,
) -> str:
    """The plan as one Markdown document of less than `limit` characters, the same for the same plan and remarks.

    `revision` is that of the declaration.
    Where not all rows fit, the most important ones are shown, and it says how many of which kind are not.
    """
    folds = _folds(plan, remarks)
    blocks = [block for fold in folds for block in fold.blocks]
    head, foot = _head(plan, remarks), _foot(plan, account, revision, targets)
    frames = sum(len(_folded(fold.title, (), total=len(fold.blocks))) + 2 * MOST_TICKS for fold in folds)
    kept = _fitting(blocks, limit - len(head) - len(foot) - len(_cut_note(blocks)) - frames)
    left = [block for block in blocks if id(block) not in kept]
    parts = [head, _cut_note(left) if left else ""]
    for fold in folds:
        texts = tuple(block.text for block in fold.blocks if id(block) in kept)
        parts.append(_folded(fold.title, texts, total=len(fold.blocks)))
    return "".join([*parts, foot])


def _fitting(blocks: list[_Block], room: int) -> frozenset[int]:
    """The ids of as many rows as there is room for, the most important first; a long one keeps no shorter one out."""
    kept: set[int] = set()
    for block in sorted(blocks, key=_rank):
        size = len(block.text) + 1
        if size <= room and "`" * MOST_TICKS not in block.text:
            kept.add(id(block))
            room -= size
    return frozenset(kept)


def _rank(block: _Block) -> int:
    match block.row:
        case Action(kind=kind) if kind in IMPORTANCE:
            return IMPORTANCE.index(kind)
        case Blocked(reason=reason) if reason.pending:
            return len(IMPORTANCE)
        case _:
            return len(IMPORTANCE) + 1


def _head(plan: Plan, remarks: Remarks) -> str:
    lines = [f"### {prose(summary_sentence(plan))}", ""]
    for warning in warnings_of(plan, remarks):
        lines += [f"> **Warning:** {prose(shortened(warning, WIDTH))}", ""]
    if plan.actions or plan.blocked:
        lines += ["| | how many | which |", "| --- | ---: | --- |", *_summary_rows(plan), ""]
    if remarks.since is not None:
        lines += [prose(since_sentence(remarks.since)), ""]
    if remarks.cannot_see:
        lines += ["**Not seen:**", "", *(f"- {prose(sentence)}" for sentence in remarks.cannot_see), ""]
    return "\n".join(lines) + "\n"


def _summary_rows(plan: Plan) -> Iterable[str]:
    for kind in ActionKind:
        rows = [row for row in plan.actions if row.kind is kind]
        if rows:
            yield f"| {code(SIGNS[kind][0])} {kind.value} | {len(rows)} | {_names(rows)} |"
    if plan.blocked:
        yield f"| {code('!')} left alone | {len(plan.blocked)} | {_names(plan.blocked)} |"


def _names(rows: Iterable[Action | Blocked]) -> str:
    names = list(dict.fromkeys(str(row.address) for row in rows))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(code, names[:NAMED])) + more


def _folds(plan: Plan, remarks: Remarks) -> list[_Fold]:
    folds: list[_Fold] = []
    for section in sections_of(plan, remarks):
        rows: tuple[Action | Blocked, ...] = (*section.actions, *section.blocked)
        count = tally(section.actions) if section.actions else str(len(rows))
        title = f"<b>{prose(section.title)}</b>: {count}" if section.title else f"<b>{count}</b>"
        folds.append(_Fold(title, tuple(_Block(row, _block(row_text(row, remarks))) for row in rows)))
    if plan.drift:
        moved = tuple(_Block(row, _drift_block(row)) for row in plan.drift)
        folds.append(_Fold(f"<b>Moved on the account since the last apply</b>: {counted(len(moved), 'field')}", moved))
    return folds


def _folded(title: str, texts: tuple[str, ...], *, total: int) -> str:
    left = f"; {total - len(texts)} of them not shown" if len(texts) < total else ""
    content = "\n".join(texts)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", content)), default=0))
    state = " open" if total <= OPEN else ""
    block = f"{fence}diff\n{content}{fence}\n\n" if texts else ""
    return f"<details{state}>\n<summary>{title}{left}</summary>\n\n{block}</details>\n\n"


def _block(row: RowText) -> str:
    what = f"{row.word} {row.uid}" if row.uid else row.word
    lines = [f"{row.sign} {row.address}", *_sentence(f"{what}: {row.why}")]
    for change in row.changes:
        if change.before is not None:
            lines.append(f"-     {change.path}: {change.before}")
        lines.append(f"+     {change.path}: {change.after}")
    for firing in row.firings:
        sign = {"before": "-", "after": "+"}.get(firing.label, " ")
        lines.append(f"{sign}     fires {firing.words}")
        if firing.fires and firing.label:
            lines.append(f"{sign}       {', '.join(f'{fire:%a %Y-%m-%d %H:%M}' for fire in firing.fires)}")
    if row.first_fire:
        lines += _sentence(f"fires first on {row.first_fire}")
    if row.remedy:
        lines += _sentence(f"what to do: {row.remedy}")
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> list[str]:
    return [line.text for line in wrapped(text, indent=4, hang=2)]


def _drift_block(row: Drift) -> str:
    return f"! {row.address}: {printable(row.path)} was {shown(row.applied)}, is {shown(row.found)}\n"


def _cut_note(blocks: list[_Block]) -> str:
    rows = [block.row for block in blocks if not isinstance(block.row, Drift)]
    moved = len(blocks) - len(rows)
    parts = [tally(rows)] if rows else []
    parts += [f"{counted(moved, 'moved field')}"] if moved else []
    what = prose("; ".join(parts))
    return f"> **Not shown, because a comment has no room for it:** {what}. For all of it: {code('cdsync plan')}\n\n"


def _foot(plan: Plan, account: str, revision: str | None, targets: tuple[str, ...]) -> str:
    globs = ", ".join(code(shown(target)) for target in targets[:NAMED])
    confined = f" Confined to {globs}{' and others' if len(targets) > NAMED else ''}." if targets else ""
    of = f", as of {code(shown(short_revision(revision), width=WIDTH))}" if revision is not None else ""
    return f"Fingerprint {code(fingerprint_of_plan(plan))} for {code(shown(account, width=WIDTH))}{of}.{confined}\n"


def prose(text: str) -> str:
    """A sentence as Markdown that reads the same; what a platform would make a mention of or a reference is code."""
    pieces = re.split("([@#])", printable(text))
    return "".join(code(piece) if piece in {"@", "#"} else _literal(piece) for piece in pieces)


def code(text: str) -> str:
    """A value as code: platforms look for no mention, reference or link there."""
    return f"<code>{_literal(printable(text))}</code>"


def _literal(text: str) -> str:
    return _PLAIN.sub(lambda match: f"&#{ord(match[0])};", text)
