"""How an account stands, as the one sentence that a page begins with."""

from __future__ import annotations

from dataclasses import dataclass

from cdsync.core.actions import Blocked, BlockedReason
from cdsync.core.status import Health
from cdsync.page.snapshot import Snapshot
from cdsync.page.words import distance, moment
from cdsync.render.lines import counted

WAITS = {
    BlockedReason.WAITING: ("removal", "its grace", "their grace"),
    BlockedReason.DEFERRED: ("replacement", "its next tick", "their next ticks"),
    BlockedReason.LIMITED: ("live run", "the API", "the API"),
}
"""What only waits: the word for one, and what one or several of them wait for."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The sentence, its tone, and one more that explains it."""

    text: str
    tone: str
    more: str


def headline_of(snapshot: Snapshot) -> Headline:
    """The worst that is so: what needs a person, then what does not work, then what is still to be done, or waits."""
    last = snapshot.last
    if last is None:
        if snapshot.refusals and not snapshot.refusals[0].kept:
            title = snapshot.refusals[0].title
            return Headline(title, "bad", "There is no valid configuration yet, so nothing is done.")
        return Headline("Starting", "busy", "The first pass has not come to its end yet.")
    if not last.decided and snapshot.failures:
        again = f", {snapshot.failures} times in a row" if snapshot.failures > 1 else ""
        seen = "What is shown is from the last look that went well." if snapshot.seen_at else "Nothing was seen yet."
        return Headline(f"The last pass failed{again}", "bad", seen)
    if for_a_person := _for_a_person(snapshot):
        return for_a_person
    if not snapshot.healthy:
        return Headline("No progress", "bad", "; ".join(snapshot.reasons))
    return _under_way(snapshot) or Headline("In sync", "good", _rest(snapshot))


def _for_a_person(snapshot: Snapshot) -> Headline | None:
    """What stands in the section of that name; one thing that concerns the whole account is said by its name."""
    whole: list[tuple[str, str]] = []
    for refusal in snapshot.refusals:
        kept = "The last good one is kept in force." if refusal.kept else "Nothing is done until one is valid."
        whole.append((refusal.title, kept))
    if snapshot.last is not None and snapshot.last.decided and snapshot.last.error is not None:
        whole.append(("The plan is refused", "Nothing of it is done."))
    count = len(whole) + len(snapshot.concerns)
    if count == 0:
        return None
    if whole and count == 1:
        text, more = whole[0]
        return Headline(text, "bad", f"{more} {_rest(snapshot)}")
    said = "".join(f"{text}. " for text, _ in whole)
    return Headline(
        f"{counted(count, 'thing')} need{'s' if count == 1 else ''} a person", "bad", said + _rest(snapshot)
    )


def _under_way(snapshot: Snapshot) -> Headline | None:
    """What comes by itself: with the next pass, or not before its time. What waits for no certain time is neither."""
    waits = [row for row in snapshot.plan.blocked if row.reason in WAITS]
    pending = {row.address for row in snapshot.rows if row.health in {Health.PENDING, Health.BLOCKED}}
    changing = {*(pending - {row.address for row in waits}), *(action.address for action in snapshot.plan.actions)}
    timed = sorted((row for row in waits if row.until is not None and row.address not in changing), key=_until)
    if changing:
        also = f" {_waiting_text(timed)}: {_until_text(timed, snapshot)}." if timed else ""
        text = f"{counted(len(changing), 'change')} on the way"
        return Headline(text, "busy", f"The next pass goes on by itself.{also}")
    if timed:
        text = _until_text(timed, snapshot)
        return Headline(_waiting_text(timed), "busy", f"{text[0].upper()}{text[1:]}. {_rest(snapshot)}")
    return None


def _until(row: Blocked) -> float:
    return row.until.timestamp() if row.until is not None else 0.0


def _waiting_text(rows: list[Blocked]) -> str:
    """Of how many what is waited for: `2 removals wait for their grace`."""
    reasons = {row.reason for row in rows}
    noun, one, several = WAITS[reasons.pop()] if len(reasons) == 1 else ("change", "its time", "their time")
    return f"{counted(len(rows), noun)} {f'waits for {one}' if len(rows) == 1 else f'wait for {several}'}"


def _until_text(rows: list[Blocked], snapshot: Snapshot) -> str:
    """Until when the first of them waits, and which it is."""
    until = rows[0].until or snapshot.now
    first = "" if len(rows) == 1 else "the first "
    return f"{first}until {moment(until)} UTC, {distance(until, snapshot.now)} ({rows[0].address})"


def _rest(snapshot: Snapshot) -> str:
    ok = sum(1 for row in snapshot.rows if row.health is Health.OK)
    if ok == len(snapshot.rows):
        return f"The account is as declared: {counted(ok, 'resource')}."
    be = "is" if len(snapshot.rows) == 1 else "are"
    return f"{ok} of {counted(len(snapshot.rows), 'resource')} {be} as declared."
