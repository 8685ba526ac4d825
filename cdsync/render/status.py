"""The status of every resource, as a table that fits 80 columns and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cdsync.core.live import remedy_for
from cdsync.core.model import Address
from cdsync.core.progress import LiveProgress
from cdsync.core.standing import RunStanding
from cdsync.core.status import Health, StatusRow
from cdsync.render.lines import Line, counted, printable, wrapped

STYLE = {
    Health.OK: "create",
    Health.PENDING: "update",
    Health.HELD: "resume",
    Health.BLOCKED: "blocked",
    Health.ATTENTION: "failed",
}
NAME_WIDTH = 32
REMOTE_WIDTH = 10
NO_RESULTS: Mapping[Address, str] = {}


def status_lines(rows: tuple[StatusRow, ...], *, title: str) -> list[Line]:
    """A line per resource, and below it why it is not ok."""
    lines = [
        Line(title, "title"),
        Line(f"{'RESOURCE':<{NAME_WIDTH}} {'DECLARED':<9} {'REMOTE':<{REMOTE_WIDTH}} {'NEXT FIRE':<16} HEALTH"),
    ]
    for row in rows:
        name, remote = str(row.address), _cut(printable(row.remote), REMOTE_WIDTH)
        if len(name) > NAME_WIDTH:
            # A name that is cut could be another's, so it gets a line of its own.
            lines.append(Line(name, STYLE[row.health]))
            name = ""
        fire = f"{row.next_fire:%Y-%m-%d %H:%M}" if row.next_fire else "-"
        text = f"{name:<{NAME_WIDTH}} {row.declared:<9} {remote:<{REMOTE_WIDTH}} {fire:<16} {row.health.value}"
        lines.append(Line(text, STYLE[row.health]))
        if row.last_run or row.last_fire:
            fired = f"last fire {row.last_fire:%Y-%m-%d %H:%M}; " if row.last_fire else ""
            lines.extend(wrapped(f"{fired}last run: {row.last_run or 'none known'}", indent=4, hang=2, style="faint"))
        if row.note:
            lines.extend(wrapped(row.note, indent=4, hang=2))
        lines.extend(_trouble_lines(row))
        if row.remedy:
            lines.extend(wrapped(f"what to do: {row.remedy}", indent=4, hang=2, style="faint"))
    counts = Counter(row.health for row in rows)
    summary = ", ".join(f"{counts[health]} {health.value}" for health in reversed(Health) if counts[health])
    lines.extend(
        [
            Line(),
            Line(f"{counted(len(rows), 'resource')}: {summary}." if rows else "Nothing is declared or owned.", "title"),
        ]
    )
    return lines


def _trouble_lines(row: StatusRow) -> list[Line]:
    """What its newest run says of itself and what to do about that, unless it is the resource that has a trouble."""
    if row.live is not None and (remedy := remedy_for(row.live, row.address)) is not None:
        return wrapped(f"what to do: {remedy}", indent=4, hang=2, style="faint")
    run = row.runs[0] if row.runs else None
    if run is None or run.advice is None or (row.note and run.uid not in row.note):
        return []
    said = f"run {run.uid}" + (f" says: {run.message}" if run.message else "")
    lines = wrapped(said, indent=4, hang=2, style="faint")
    return lines if row.remedy else lines + wrapped(f"what to do: {run.advice}", indent=4, hang=2, style="faint")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def status_document(
    rows: tuple[StatusRow, ...], *, revision: str | None = None, results: Mapping[Address, str] = NO_RESULTS
) -> dict[str, Any]:
    """The status as plain data; `revision` is that of the declaration, `results` where live runs put their rows."""
    return {
        "format_version": 1,
        "revision": revision,
        "resources": [
            {
                "address": str(row.address),
                "declared": row.declared,
                "remote": row.remote,
                "health": row.health.value,
                "uid": row.uid,
                "last_fire": _time(row.last_fire),
                "next_fire": _time(row.next_fire),
                "last_run": row.last_run,
                "runs": [_run(run) for run in row.runs],
                "live": _live(row.live, results.get(row.address)) if row.live is not None else None,
                "note": row.note,
                "remedy": row.remedy,
            }
            for row in rows
        ],
    }


def _run(run: RunStanding) -> dict[str, Any]:
    return {
        "uid": run.uid,
        "status": run.status,
        "created_at": _time(run.created_at),
        "inputs": run.inputs,
        "outputs": run.outputs,
        "resumes": run.resumes,
        "attempts_left": run.attempts_left,
        "postponed_until": _time(run.postponed_until),
        "error": {"label": run.label, "message": run.message} if run.label or run.message else None,
        "advice": run.advice,
    }


def _live(progress: LiveProgress, results: str | None) -> dict[str, Any]:
    return {
        "inputs": progress.total,
        "done": progress.done,
        "empty": progress.empty,
        "failed": progress.failed,
        "rows": progress.rows,
        "results": results,
        "finished": progress.finished,
        "stopped_by": progress.halted,
        "wait_until": _time(progress.wait_until),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
