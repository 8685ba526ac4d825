"""The page of what was done: filtered by a plain form, cut into pages, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cdsync.core.model import Address
from cdsync.core.records import HistoryEntry, HistoryFilter
from cdsync.page.cutting import link
from cdsync.page.rendering import rendered
from cdsync.page.snapshot import Snapshot

PAGE = 100
"""How many lines one page shows."""

RESULTS = ("done", "failed", "stopped", "found", "absent")
"""How a line of history can end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query as it was written; what is wrong with it is said on the page."""

    address: str = ""
    result: str = ""
    since: str = ""
    before: str = ""

    def filter(self) -> HistoryFilter:
        """What is asked for.

        Raises:
            ValueError: it cannot be understood; says of which field, and what was expected.
        """
        return HistoryFilter(
            address=Address.parse(self.address) if self.address else None,
            result=self.result or None,
            since=_since(self.since) if self.since else None,
            before=_number(self.before) if self.before else None,
        )


def _since(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"since is {text!r}; expected a day such as 2026-06-01, in UTC") from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ValueError(f"before is {text!r}; expected the number of a line")
    return int(text)


def history_page(
    snapshot: Snapshot, asked: Question, found: Sequence[tuple[int, HistoryEntry]], *, fault: str | None = None
) -> str:
    """The page of these lines: one more than `PAGE` tells that there are older ones."""
    shown = found[:PAGE]
    query = {"address": asked.address, "result": asked.result, "since": asked.since}
    older = link("/history", {**query, "before": str(shown[-1][0])}) if len(found) > PAGE else None
    return rendered(
        "history.html.j2",
        active="history",
        snapshot=snapshot,
        asked=asked,
        results=RESULTS,
        fault=fault,
        entries=[entry for _, entry in shown],
        older=older,
        newest=link("/history", query) if asked.before else None,
    )
