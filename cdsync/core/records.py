"""What is written down about doings: what is about to be sent, what became of it, what was done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cdsync.core.diff import FieldChange
from cdsync.core.model import Address, Ownership
from cdsync.core.work import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A write that is about to leave, as the journal keeps it: enough to find its effect, and to own it once found.

    `step` is the request (`create`, `launch`, `pause`, ...). `record` is the ownership to be written when it succeeds;
    for a creation its `uid` is empty until the answer tells it. `schedule_at` is the first firing asked for, `label`
    the one sent, `sent_at` the server's time, `parameters` and `callback_url` what a launched run will echo.
    `already_there` are the UIDs of what looks like its effect, but was seen before it left.
    """

    address: Address
    step: str
    uid: str | None
    sent_at: datetime
    record: Ownership | None = None
    label: str | None = None
    schedule_at: datetime | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)
    callback_url: str | None = None
    already_there: tuple[str, ...] = ()

    @property
    def to_own(self) -> Ownership:
        """The record of a creation.

        Raises:
            ValueError: there is none, so that its effect could neither be looked for nor owned.
        """
        if self.record is None:
            raise ValueError(f"the {self.step} of {self.address} has no ownership to record")
        return self.record


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingIntent:
    """A creation whose outcome nobody knows yet.

    `missed_at` is when looking for it first found nothing, in the server's time, `missed_local` in this machine's.

    `lost` says that the request is over, as its sender saw: no answer in time, or none that tells. Any other may still
    be under way.
    """

    id: int
    intent: Intent
    missed_at: datetime | None = None
    missed_local: datetime | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One thing that was done or tried: what, to what, when (UTC), by which revision of the declaration, its end."""

    at: datetime
    address: Address
    action: str
    result: str
    uid: str | None = None
    why: str | None = None
    detail: str | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCommit:
    """The commit (its full id) that is not taken up although it is the newest: what is wrong, since when, what to do.

    It stands until a good one is taken up, also while the repository cannot be asked. `since` is aware, in UTC.
    """

    commit: str
    problems: tuple[str, ...]
    since: datetime
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Which lines of history: of one resource, with one result, since an aware instant; None is any.

    `before` is the number of a line, and only older ones are meant.
    """

    address: Address | None = None
    result: str | None = None
    since: datetime | None = None
    before: int | None = None


LONGEST_VALUE = 200
"""How many characters of a value history keeps."""


def changes_in_words(changes: Iterable[FieldChange]) -> str | None:
    """What changed from what to what, in one line as history keeps it; None where nothing did."""
    return "; ".join(map(_change_in_words, changes)) or None


def _change_in_words(change: FieldChange) -> str:
    before = "" if change.before is None else f"{_value_in_words(change.before)} -> "
    return f"{change.path}: {before}{_value_in_words(change.after)}"


def _value_in_words(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=dict)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def address_since(old: str, entries: Iterable[HistoryEntry]) -> Address | None:
    """Where the history of what had this address is now: a renaming takes it along, and says what it was."""
    moved = [row.address for row in entries if row.action == "rename" and (row.why or "").startswith(f"was {old};")]
    return moved[-1] if moved else None
