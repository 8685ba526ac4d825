"""Whether the daemon does its work, as a verdict with reasons. Health is progress, not being alive.

Progress is a pass that has come to its end with a decision, or an action that succeeded in one that takes long. A plan
that a limit refuses is a decision, and a declaration that is wrong leaves the last good one in force: both are told as
notes, and are no reason to start the daemon anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cdsync.daemon.standing import Result, Standing

INTERVALS = 3
"""How many intervals may go by without progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Healthy or not; `reasons` say why not, `notes` what a person should know all the same."""

    healthy: bool
    ready: bool
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The verdict as plain data."""
        return {
            "status": "healthy" if self.healthy else "unhealthy",
            "ready": self.ready,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
        }


def judge(standing: Standing, *, interval: float, since_progress: float) -> Verdict:
    """Judge how things stand; `since_progress` and `interval` are in seconds."""
    allowed = INTERVALS * interval
    notes = tuple(_notes(standing))
    if since_progress <= allowed:
        return Verdict(healthy=True, ready=standing.good_passes > 0, notes=notes)
    reason = f"no progress for {since_progress:.0f} s; expected some within {allowed:.0f} s"
    return Verdict(healthy=False, ready=standing.good_passes > 0, reasons=(reason, *notes))


def _notes(standing: Standing) -> Iterator[str]:
    if standing.fault is not None:
        kept = "the last good one is kept" if standing.delivery else "there is none to keep"
        since = f"{standing.fault.since:%Y-%m-%d %H:%M:%S} UTC"
        yield f"the newest configuration is refused since {since}, {kept}: {standing.fault.summary}"
    last = standing.last
    if last is None:
        yield "no pass has come to its end yet"
    elif last.result is Result.FAILED:
        again = f" ({standing.failures} in a row)" if standing.failures > 1 else ""
        yield f"pass {last.number} failed{again}: {last.error}"
    elif last.result is Result.REFUSED:
        yield f"the plan of pass {last.number} is refused, and nothing of it is done: {last.error}"
