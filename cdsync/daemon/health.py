"""Whether the daemon does its work, as a verdict with reasons. Health is progress, not being alive.

Progress is a pass that has come to its end with a decision, or an action that succeeded in one that takes long. A plan
that a limit refuses is a decision, and a declaration that is wrong leaves the last good one in force: both are told as
notes, and are no reason to start the daemon anew. So are resources that fail or wait for a person: the daemon has done
its part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cdsync.core.revisions import short_revision
from cdsync.core.status import Health
from cdsync.daemon.news import facts_about_resources
from cdsync.daemon.standing import Result, Standing
from cdsync.render.lines import counted

INTERVALS = 3
"""How many intervals may go by without progress."""

MOST_NAMES = 5
"""How many resources a note names: the page and `cdsync status` have them all."""


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
    ready, about_resources = standing.good_passes > 0, tuple(_about_resources(standing))
    notes = tuple(_about_daemon(standing))
    if since_progress <= allowed:
        return Verdict(healthy=True, ready=ready, notes=(*notes, *about_resources))
    reason = f"no progress for {since_progress:.0f} s; expected some within {allowed:.0f} s"
    return Verdict(healthy=False, ready=ready, reasons=(reason, *notes), notes=about_resources)


def _about_daemon(standing: Standing) -> Iterator[str]:
    if standing.fault is not None:
        kept = "the last good one is kept" if standing.delivery else "there is none to keep"
        since = f"{standing.fault.since:%Y-%m-%d %H:%M:%S} UTC"
        yield f"{standing.fault.words} since {since}, {kept}: {standing.fault.summary}"
    if (refused := standing.still_refused) is not None:
        since = f"{refused.since:%Y-%m-%d %H:%M:%S} UTC"
        yield f"commit {short_revision(refused.commit)} is refused since {since}: {refused.problems[0]}"
    last = standing.last
    if last is None:
        yield "no pass has come to its end yet"
    elif last.result is Result.FAILED:
        again = f" ({standing.failures} in a row)" if standing.failures > 1 else ""
        yield f"pass {last.number} failed{again}: {last.error}"
    elif last.result is Result.REFUSED:
        yield f"the plan of pass {last.number} is refused, and nothing of it is done: {last.error}"


def _about_resources(standing: Standing) -> Iterator[str]:
    """What was last seen of resources: what `cdsync_resources` counts as `attention`, and what is told of them."""
    facts = facts_about_resources(standing)
    rows = standing.looked.rows if standing.looked else ()
    failing = {fact.subject for fact in facts if fact.event == "failed"}
    waiting = {fact.subject for fact in facts if fact.event == "attention"}
    waiting |= {str(row.address) for row in rows if row.health is Health.ATTENTION}
    if failing:
        yield f"{counted(len(failing), 'resource')} {'fails' if len(failing) == 1 else 'fail'}: {_named(failing)}"
    if waiting:
        needs = "needs" if len(waiting) == 1 else "need"
        yield f"{counted(len(waiting), 'resource')} {needs} a person: {_named(waiting)}"


def _named(subjects: set[str]) -> str:
    more = f" and {len(subjects) - MOST_NAMES} more" if len(subjects) > MOST_NAMES else ""
    return ", ".join(sorted(subjects)[:MOST_NAMES]) + more
