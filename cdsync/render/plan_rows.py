"""The rows of a plan as a page shows them: every value a text in one line, none longer than a reader would read.

Texts are not escaped here: what is text in one format is markup in another, so each format escapes all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cdsync.core.actions import Action, Blocked
from cdsync.core.preview import Firing, Preview, row_key
from cdsync.core.remarks import Remarks
from cdsync.render.lines import printable
from cdsync.render.plan_sections import sign_of
from cdsync.render.plan_text import shown

WIDTH = 300
"""How many characters of a value are shown: more than on a terminal, for a page wraps or scrolls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeText:
    """One field; `before` is None where there was nothing."""

    path: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringText:
    """When it fires: `label` is before, after, or empty for a creation."""

    label: str
    words: str
    fires: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowText:
    """One row: `word` is what is done, or why nothing is; `style` is a word for what it is."""

    sign: str
    style: str
    address: str
    word: str
    uid: str | None
    why: str
    remedy: str | None = None
    changes: tuple[ChangeText, ...] = ()
    firings: tuple[FiringText, ...] = ()
    first_fire: str | None = None


def row_text(row: Action | Blocked, remarks: Remarks) -> RowText:
    """A row of a plan as texts."""
    changes = tuple(
        ChangeText(
            path=printable(change.path),
            before=None if change.before is None else shown(change.before, width=WIDTH),
            after=shown(change.after, width=WIDTH),
        )
        for change in row.changes
    )
    firings = _firings(remarks.previews.get(row_key(row)))
    if isinstance(row, Blocked):
        return RowText(
            sign="!",
            style="blocked",
            address=str(row.address),
            word=row.reason.value,
            uid=None,
            why=printable(row.message),
            remedy=printable(row.remedy) if row.remedy else None,
            changes=changes,
            firings=firings,
        )
    sign, style = sign_of(row)
    return RowText(
        sign=sign,
        style=style,
        address=str(row.address),
        word=row.kind.value,
        uid=printable(row.uid) if row.uid else None,
        why=printable(row.why),
        changes=changes,
        firings=firings,
        first_fire=f"{row.first_fire:%a %Y-%m-%d %H:%M} {row.first_fire.tzinfo}" if row.first_fire else None,
    )


def _firings(preview: Preview | None) -> tuple[FiringText, ...]:
    if preview is None:
        return ()
    if preview.before is None:
        return (_firing("", preview.after),)
    return (_firing("before", preview.before), _firing("after", preview.after))


def _firing(label: str, firing: Firing) -> FiringText:
    return FiringText(label=label, words=printable(firing.words), fires=firing.fires)
