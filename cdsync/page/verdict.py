"""How an account stands, as the one sentence that a page begins with."""

from __future__ import annotations

from dataclasses import dataclass

from cdsync.core.status import Health
from cdsync.page.snapshot import Snapshot
from cdsync.render.lines import counted


@dataclass(frozen=True, slots=True)
class Headline:
    """The sentence, its tone, and one more that explains it."""

    text: str
    tone: str
    more: str


def headline_of(snapshot: Snapshot) -> Headline:
    """The worst that is so: what needs a person, then what does not work, then what is still to be done."""
    last = snapshot.last
    if last is None:
        if snapshot.refusal is not None:
            return Headline("The configuration is refused", "bad", "There is no valid one yet, so nothing is done.")
        return Headline("Starting", "busy", "The first pass has not come to its end yet.")
    if not last.decided and snapshot.failures:
        again = f", {snapshot.failures} times in a row" if snapshot.failures > 1 else ""
        seen = "What is shown is from the last look that went well." if snapshot.seen_at else "Nothing was seen yet."
        return Headline(f"The last pass failed{again}", "bad", seen)
    if snapshot.concerns:
        number = counted(len(snapshot.concerns), "thing")
        return Headline(f"{number} need{'s' if len(snapshot.concerns) == 1 else ''} a person", "bad", _rest(snapshot))
    if not snapshot.healthy:
        return Headline("No progress", "bad", "; ".join(snapshot.reasons))
    pending = sum(1 for row in snapshot.rows if row.health in {Health.PENDING, Health.BLOCKED})
    if snapshot.plan.pending or pending:
        return Headline(f"{counted(max(pending, 1), 'change')} on the way", "busy", "The next pass goes on by itself.")
    return Headline("In sync", "good", _rest(snapshot))


def _rest(snapshot: Snapshot) -> str:
    ok = sum(1 for row in snapshot.rows if row.health is Health.OK)
    if ok == len(snapshot.rows):
        return f"The account is as declared: {counted(ok, 'resource')}."
    return f"{ok} of {counted(len(snapshot.rows), 'resource')} are as declared."
