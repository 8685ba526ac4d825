"""The commit that the daemon refuses, as lines of text, as a sentence and as JSON."""

from __future__ import annotations

from typing import Any

from cdsync.core.records import RefusedCommit
from cdsync.core.revisions import short_revision
from cdsync.render.lines import Line, counted, wrapped

SHOWN = 5
"""How many of its problems are shown; JSON has them all."""


def refused_lines(refused: RefusedCommit | None) -> list[Line]:
    """What is wrong with it and what to do; none when none is refused."""
    if refused is None:
        return []
    head = f"The daemon refuses commit {short_revision(refused.commit)} since {refused.since:%Y-%m-%d %H:%M} UTC:"
    lines = wrapped(head, indent=0, style="failed")
    for problem in refused.problems[:SHOWN]:
        lines.extend(wrapped(problem, indent=2, hang=2))
    if len(refused.problems) > SHOWN:
        lines.append(Line(f"  and {counted(len(refused.problems) - SHOWN, 'more problem')}"))
    if refused.remedy:
        lines.extend(wrapped(f"what to do: {refused.remedy}", indent=2, hang=2, style="faint"))
    return [*lines, Line()]


def refused_sentence(refused: RefusedCommit) -> str:
    """The same in one line, with the first of its problems."""
    more = len(refused.problems) - 1
    further = f" (and {counted(more, 'more problem')})" if more else ""
    since = f"{refused.since:%Y-%m-%d %H:%M} UTC"
    return f"{short_revision(refused.commit)} is refused since {since}: {refused.problems[0]}{further}"


def refused_document(refused: RefusedCommit | None) -> dict[str, Any] | None:
    """The same as plain data."""
    if refused is None:
        return None
    return {
        "commit": refused.commit,
        "since": refused.since.isoformat(),
        "problems": list(refused.problems),
        "remedy": refused.remedy,
    }
