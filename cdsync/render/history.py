"""What was done, as lines of text and as JSON."""

from __future__ import annotations

from typing import Any

from cdsync.core.records import HistoryEntry
from cdsync.core.revisions import short_revision
from cdsync.render.lines import Line, wrapped

STYLE = {"done": "create", "found": "create", "failed": "failed", "refused": "failed", "unknown": "blocked"}


def history_lines(entries: tuple[HistoryEntry, ...]) -> list[Line]:
    """Two lines or more per entry, oldest first: what and how it ended, then why, and what changed."""
    if not entries:
        return [Line("Nothing was done yet.")]
    lines = [Line("Oldest first; times in UTC", "title")]
    for entry in entries:
        commit = f"  at {short_revision(entry.revision)}" if entry.revision else ""
        what = f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.address}  {entry.action}: {entry.result}{commit}"
        lines.append(Line(what, STYLE.get(entry.result, "")))
        for text in (entry.uid, entry.why, entry.detail):
            if text:
                lines.extend(wrapped(text, indent=4, hang=2))
    return lines


def history_document(entries: tuple[HistoryEntry, ...]) -> dict[str, Any]:
    """The history as plain data."""
    return {
        "format_version": 1,
        "entries": [
            {
                "at": entry.at.isoformat(),
                "address": str(entry.address),
                "action": entry.action,
                "result": entry.result,
                "uid": entry.uid,
                "why": entry.why,
                "detail": entry.detail,
                "revision": entry.revision,
            }
            for entry in entries
        ],
    }
