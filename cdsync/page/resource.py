"""The page of one resource: declared, on the account, what the plan says of it, its runs, and its history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from cdsync.core.cron_words import cron_words
from cdsync.core.fingerprint import synopsis_of
from cdsync.core.model import Address, OneOffRun, Resource, ResumePolicy, Schedule
from cdsync.core.records import HistoryEntry
from cdsync.core.remote import RemoteSchedule
from cdsync.core.targets import did_you_mean
from cdsync.core.work import Json
from cdsync.page.rendering import rendered
from cdsync.page.snapshot import Snapshot
from cdsync.page.words import HEALTH_TONES, HEALTH_WORDS, moment

HISTORY = 20
"""How many lines of history stand on the page of a resource."""

INPUTS = 5
LONGEST = 2000

Field = tuple[str, str]


def resource_page(snapshot: Snapshot, address: Address, history: Sequence[HistoryEntry]) -> str | None:
    """The page of a resource; None when nobody knows it: not declared, not owned, and never anything done to it."""
    row = next((row for row in snapshot.rows if row.address == address), None)
    resource, owned = snapshot.desired.get(address), snapshot.owned.get(address)
    if row is None and resource is None and owned is None and not history:
        return None
    uid = owned.uid if owned else row.uid if row else None
    remote = snapshot.observed.get(uid) if uid else None
    return rendered(
        "resource.html.j2",
        active="",
        snapshot=snapshot,
        address=address,
        row=row,
        health=HEALTH_WORDS[row.health] if row else "not seen yet",
        tone=HEALTH_TONES[row.health] if row else "quiet",
        when=cron_words(resource.cron, resource.timezone) if isinstance(resource, Schedule) else None,
        timezone=resource.timezone if resource else None,
        declared=tuple(_declared(resource)) if resource else (),
        inputs=tuple(_json(given) for given in resource.work.inputs[:INPUTS]) if resource else (),
        more_inputs=max(len(resource.work.inputs) - INPUTS, 0) if resource else 0,
        remote=tuple(_remote(remote)) if remote else (),
        uid=uid,
        actions=[action for action in snapshot.plan.actions if action.address == address],
        blocked=[blocked for blocked in snapshot.plan.blocked if blocked.address == address],
        drift=[moved for moved in snapshot.plan.drift if moved.address == address],
        runs=row.runs if row else (),
        live=row.live if row else None,
        results=snapshot.results.get(address),
        history=history,
    )


def missing_page(snapshot: Snapshot, text: str) -> str:
    """The page that says that nobody knows an address, and which one may be meant."""
    known = {*snapshot.desired, *snapshot.owned}
    return rendered("missing.html.j2", active="", snapshot=snapshot, text=text, near=did_you_mean(text, known))


def _declared(resource: Resource) -> Iterator[Field]:
    """Every field that says something; header values and references are sensitive, and their names are not."""
    yield "action", resource.work.action
    match resource:
        case Schedule():
            yield "cron", resource.cron
            yield "timezone", resource.timezone
            yield "state", resource.state
            yield "first_fire", resource.first_fire
        case OneOffRun():
            yield "mode", resource.mode
            if resource.schedule_at is not None:
                yield "schedule_at", resource.schedule_at.isoformat()
    hidden = synopsis_of(resource)
    for name in hidden:
        if name not in {"action", "mode", "schedule_at"} and hidden[name] not in (None, {}, []):
            yield name, _json(hidden[name])
    if resource.protect:
        yield "protect", "true"
    if resource.was is not None:
        yield "was", resource.was
    if resource.resume is not None:
        yield "resume", _resume(resource.resume)
    yield "declared at", str(resource.location)


def _resume(policy: ResumePolicy) -> str:
    if not policy.statuses:
        return "never"
    minutes = policy.backoff.total_seconds() / 60
    return f"{' and '.join(policy.statuses)}, {policy.attempts} times, the first pause {minutes:g} min"


def _remote(remote: RemoteSchedule) -> Iterator[Field]:
    yield "uid", remote.uid
    yield "action", remote.action
    yield "status", remote.status
    texts: Mapping[str, str | None] = {"cron": remote.cron, "timezone": remote.timezone, "name": remote.label}
    yield from ((name, text) for name, text in texts.items() if text is not None)
    times = {
        "created": remote.created_at,
        "last fired": remote.last_executed_at,
        "next by its own word": remote.next_execution_at,
    }
    yield from ((name, f"{moment(at)} UTC") for name, at in times.items() if at is not None)


def _json(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=dict)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
