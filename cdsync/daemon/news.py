"""What is worth telling: what is new since the last turn, and what is over. Values in, values out.

A thing is told once, and again only when it has changed or has come back. What may pass by itself is told when it has
not passed by the next turn. Over is only what was seen to be so no more: what cannot be judged any longer is not, nor
is one trouble of the whole account because another has taken its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cdsync.core.actions import BlockedReason
from cdsync.core.events import Failed, Succeeded
from cdsync.core.revisions import short_revision
from cdsync.core.work import Json
from cdsync.daemon.standing import PassRecord, Result, Standing
from cdsync.render.lines import counted, printable
from cdsync.settings import EventName

NEEDS_A_PERSON = frozenset(
    {
        BlockedReason.LOOKALIKE,
        BlockedReason.AMBIGUOUS,
        BlockedReason.UNRESOLVED_OUTCOME,
        BlockedReason.UNRESOLVED_REFERENCE,
        BlockedReason.PROTECTED,
        BlockedReason.TOO_LATE,
        BlockedReason.LAUNCHED_CHANGED,
        BlockedReason.NOT_CONVERGING,
        BlockedReason.INPUTS_MISSING,
        BlockedReason.NEEDS_ATTENTION,
    }
)
"""What does not come right by waiting; an unknown outcome mostly does, and so is told only when it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that is so: about what, what of it, and what to do. `lasting` is told only when it is so again."""

    event: EventName
    subject: str
    message: str
    remedy: str | None = None
    lasting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is told at once: facts of one kind that are new, or (`resolved`) that are over."""

    event: EventName
    facts: tuple[Fact, ...]
    resolved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When something is told, and about what: what every message says besides its news."""

    at: datetime
    account: str
    revision: str | None
    number: int | None


LISTED = 20
"""How many facts one message lists; the rest is a number."""

LONGEST_FACT = 500

Key = tuple[EventName, str, str]

OF_THE_WHOLE = frozenset({"configuration", "plan", "pass"})
"""Subjects that are no resource."""


class Memory:
    """What was so at the last turn, and which of it was told."""

    def __init__(self) -> None:
        self._known: dict[Key, Fact] = {}
        self._told: dict[Key, Fact] = {}

    def news(self, standing: Standing, record: PassRecord | None) -> tuple[News, ...]:
        """What is new after a turn; `record` is its pass, None when there was none."""
        facts = dict(_facts(standing, record))
        # What was not seen in this turn is taken to be so still.
        facts = {**{key: fact for key, fact in self._known.items() if not _is_seen(key, record)}, **facts}
        troubled = {key[:2] for key in facts if key[1] in OF_THE_WHOLE}
        fresh = {
            key: fact
            for key, fact in facts.items()
            if key not in self._told and (not fact.lasting or key in self._known)
        }
        over = {key: fact for key, fact in self._told.items() if key not in facts and key[:2] not in troubled}
        self._known = facts
        self._told = {key: fact for key, fact in {**self._told, **fresh}.items() if key in facts}
        told = [*_grouped(fresh), *_grouped(over, resolved=True)]
        if record is not None and (applied := tuple(_applied(record))):
            told.append(News(event="applied", facts=applied))
        return tuple(told)


def facts_about_resources(standing: Standing) -> tuple[Fact, ...]:
    """What is wrong with resources as they were last seen, which a person has to look at."""
    facts: dict[Key, Fact] = {}
    if standing.looked is not None:
        facts |= _about_resources(standing.looked)
    return tuple(fact for _, fact in sorted(facts.items()) if fact.event in {"failed", "attention"})


def _grouped(facts: Mapping[Key, Fact], *, resolved: bool = False) -> Iterator[News]:
    events: tuple[EventName, ...] = ("failed", "attention") if resolved else ("failed", "attention", "drift")
    for event in events:
        if found := tuple(fact for _, fact in sorted(facts.items()) if fact.event == event):
            yield News(event=event, facts=found, resolved=resolved)


def _is_seen(key: Key, record: PassRecord | None) -> bool:
    """Whether a turn with this pass shows if a thing is still so."""
    match key[1]:
        case "configuration":
            return True
        case "pass":
            return record is not None and record.result is not Result.STOPPED
        case _:
            return record is not None and record.result.decided


def _facts(standing: Standing, record: PassRecord | None) -> Iterator[tuple[Key, Fact]]:
    """Each thing that is so, under what makes it another thing when it changes."""
    yield from _about_configuration(standing)
    if record is not None:
        yield from _about_pass(standing, record)
        yield from _about_resources(record)


def _about_configuration(standing: Standing) -> Iterator[tuple[Key, Fact]]:
    """What is wrong with the newest, and the commit that was refused before it could no longer be had."""
    kept = "the last good one is kept" if standing.delivery else "nothing is done until one is valid"
    found: list[tuple[str, str | None, str, str | None]] = []
    if (fault := standing.fault) is not None:
        found.append((fault.words, fault.commit, str(fault.error), fault.error.remedy))
    if (refused := standing.still_refused) is not None:
        words = f"commit {short_revision(refused.commit)} is refused"
        found.append((words, refused.commit, "\n".join(refused.problems), refused.remedy))
    for words, commit, text, remedy in found:
        message = f"{words}, {kept}: {text}"
        yield (
            ("attention", "configuration", f"{commit or ''} {text}"),
            Fact(event="attention", subject="configuration", message=message, remedy=remedy),
        )


def _about_pass(standing: Standing, record: PassRecord) -> Iterator[tuple[Key, Fact]]:
    error = record.error
    if error is None:
        return
    if record.result is Result.REFUSED:
        fact = Fact(
            event="attention",
            subject="plan",
            message=f"the plan is refused, and nothing of it is done: {error}",
            remedy=f"set the limit in the configuration, or stop the daemon and: cdsync {error.remedy}",
        )
        yield ("attention", "plan", str(error)), fact
    elif standing.failures > 1 or not error.retryable:
        again = f" ({standing.failures} times in a row)" if standing.failures > 1 else ""
        message = f"a pass failed{again}: {error}"
        yield (
            ("failed", "pass", type(error).__name__),
            Fact(event="failed", subject="pass", message=message, remedy=error.remedy),
        )


def _about_resources(record: PassRecord) -> Iterator[tuple[Key, Fact]]:
    for event in record.events:
        if isinstance(event, Failed) and event.tried:
            subject, message = str(event.action.address), f"{event.action.kind.value} failed: {event.message}"
            yield ("failed", subject, ""), Fact(event="failed", subject=subject, message=message, remedy=event.remedy)
    for row in record.blocked:
        subject, message = str(row.address), f"{row.reason.value}: {row.message}"
        if row.reason is BlockedReason.BACKING_OFF:
            yield ("failed", subject, ""), Fact(event="failed", subject=subject, message=message, remedy=row.remedy)
        elif row.reason in NEEDS_A_PERSON:
            lasting = row.reason is BlockedReason.UNRESOLVED_OUTCOME
            yield (
                ("attention", subject, row.reason.value),
                Fact(event="attention", subject=subject, message=message, remedy=row.remedy, lasting=lasting),
            )
    for moved in record.drift:
        subject, message = str(moved.address), f"{moved.path} moved from {moved.applied} to {moved.found}"
        yield ("drift", subject, message), Fact(event="drift", subject=subject, message=message)


def _applied(record: PassRecord) -> Iterator[Fact]:
    for event in record.events:
        if isinstance(event, Succeeded):
            action = event.action
            message = f"{action.kind.value}: {action.why}"
            yield Fact(event="applied", subject=str(action.address), message=message)


HEADLINES: Mapping[tuple[EventName, bool], str] = {
    ("failed", False): "failed",
    ("failed", True): "no longer fails",
    ("attention", False): "needs attention",
    ("attention", True): "no longer needs attention",
    ("drift", False): "moved on the account",
    ("applied", False): "done",
}


def message(news: News, occasion: Occasion) -> dict[str, Json]:
    """The JSON document that tells some news; its `text` is what Slack shows."""
    listed = news.facts[:LISTED]
    return {
        "event": news.event,
        "resolved": news.resolved,
        "text": _text(news, listed, occasion),
        "at": occasion.at.isoformat(),
        "account": occasion.account,
        "revision": occasion.revision,
        "pass": occasion.number,
        "facts": [
            {"subject": fact.subject, "message": _shortened(fact.message), "remedy": fact.remedy} for fact in listed
        ],
        "further": len(news.facts) - len(listed),
    }


def _text(news: News, listed: tuple[Fact, ...], occasion: Occasion) -> str:
    at = f" at {short_revision(occasion.revision)}" if occasion.revision else ""
    number = counted(len(news.facts), "thing")
    lines = [f"cdsync: {number} {HEADLINES[news.event, news.resolved]} ({occasion.account}{at})"]
    for fact in listed:
        remedy = f" (what to do: {fact.remedy})" if fact.remedy and not news.resolved else ""
        lines.append(f"\u2022 {fact.subject}: {_shortened(fact.message)}{remedy}")
    if len(news.facts) > len(listed):
        lines.append(f"\u2022 and {len(news.facts) - len(listed)} more")
    return "\n".join(_escaped(printable(line)) for line in lines)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_FACT else text[: LONGEST_FACT - 3] + "..."


def _escaped(text: str) -> str:
    """The text as Slack wants it: what steers its markup stands for itself."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
