"""Plain values for tests of what decides: each is complete and ordinary, and a test names only what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cdsync.core.fingerprint import fingerprint_of, synopsis_of
from cdsync.core.model import (
    Address,
    Capabilities,
    DesiredState,
    Fingerprints,
    FollowedRun,
    Kind,
    MissingSecret,
    ObservedState,
    OneOffRun,
    OwnedState,
    Ownership,
    RemoteRun,
    RemoteSchedule,
    Resource,
    RunError,
    Schedule,
    SourceLocation,
)
from cdsync.core.plan import Plan, Policy, make_plan
from cdsync.core.progress import LiveProgress
from cdsync.core.records import Intent
from cdsync.core.work import Callback, Work

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
"""A Monday, noon; no schedule made here ticks within the hour."""

KEY = b"the key of these tests"
SECRET = "https://hooks.example.com/canary"
UPDATABLE = frozenset({"cron", "timezone", "parameters", "inputs"})
LABEL_OF_A = "cdsync/a"


def address(name: str = "a", *, kind: Kind = Kind.SCHEDULE) -> Address:
    """`schedule/NAME`, or of another kind."""
    return Address(kind, name)


def location(line: int = 3) -> SourceLocation:
    """A place in a file of the declaration."""
    return SourceLocation(file="team/leads.yaml", line=line, column=5)


def work(**changes: Any) -> Work:
    """Two inputs for one action, and a webhook."""
    ordinary = Work(
        action="salesnavigator-search-people",
        inputs=({"url": "https://example.com/1"}, {"url": "https://example.com/2"}),
        parameters={"max_results": 500},
        callback=Callback(url="https://hooks.example.com/cd", headers={"Authorization": "Bearer canary"}),
    )
    return replace(ordinary, **changes)


def schedule(name: str = "a", **changes: Any) -> Schedule:
    """A declared schedule that fires on working days at nine in Paris."""
    ordinary = Schedule(
        address=address(name), work=work(), cron="0 9 * * 1-5", timezone="Europe/Paris", location=location()
    )
    return replace(ordinary, **changes)


def one_off(name: str = "a", **changes: Any) -> OneOffRun:
    """A declared one-off that is launched at once."""
    ordinary = OneOffRun(
        address=address(name, kind=Kind.RUN), work=work(action="linkedin-extract-people"), location=location()
    )
    return replace(ordinary, **changes)


def applied(resource: Resource, uid: str = "u1", **changes: Any) -> Ownership:
    """The ownership of a resource that was applied exactly as it is declared now."""
    ownership = Ownership(
        address=resource.address,
        uid=uid,
        object=Kind.RUN,
        action=resource.work.action,
        fingerprints=fingerprints(resource),
        synopsis=synopsis_of(resource),
        created_at=NOW - timedelta(days=30),
        protect=resource.protect,
    )
    if isinstance(resource, Schedule):
        state = "paused" if resource.state == "paused" else "active"
        ownership = replace(
            ownership, object=Kind.SCHEDULE, cron=resource.cron, timezone=resource.timezone, state=state
        )
    elif resource.schedule_at is not None:
        ownership = replace(ownership, object=Kind.SCHEDULE)
    return replace(ownership, **changes)


def shown(resource: Resource, uid: str = "u1", **changes: Any) -> RemoteSchedule:
    """The schedule that the API shows for a resource that is exactly as declared."""
    remote = RemoteSchedule(uid=uid, action=resource.work.action, status="ACTIVE", created_at=NOW - timedelta(days=30))
    if isinstance(resource, Schedule):
        status = "PAUSED" if resource.state == "paused" else "ACTIVE"
        remote = replace(remote, status=status, cron=resource.cron, timezone=resource.timezone)
    else:
        remote = replace(remote, next_execution_at=resource.schedule_at)
    return replace(remote, **changes)


def run_shown(uid: str = "r1", *, label: str | None = None, **changes: Any) -> RemoteRun:
    """A run that goes on, as the API shows it, launched as `one_off` would."""
    remote = RemoteRun(
        uid=uid,
        action="linkedin-extract-people",
        status="RUNNING",
        label=label,
        callback_url="https://hooks.example.com/cd",
        parameters={"max_results": 500},
        created_at=NOW - timedelta(hours=1),
    )
    return replace(remote, **changes)


def run_error(label: str | None = "PROXY_ERROR") -> RunError:
    """Why a run stands still."""
    return RunError(label=label, message="the vendor's words")


def followed(uid: str = "r1", *, of: Address | None = None, **changes: Any) -> FollowedRun:
    """A run of ours that goes on, as last seen."""
    run = FollowedRun(uid=uid, address=of or address(kind=Kind.RUN), status="RUNNING", created_at=NOW)
    return replace(run, **changes)


def live_progress(**changes: Any) -> LiveProgress:
    """A live run of two inputs that was launched a moment ago."""
    moment = NOW - timedelta(minutes=1)
    return replace(
        LiveProgress(action="linkedin-extract-people", total=2, begun_at=moment, active_at=moment), **changes
    )


def intent(resource: Resource, **changes: Any) -> Intent:
    """A creation that is about to leave, with its label."""
    callback = resource.work.callback
    ordinary = Intent(
        address=resource.address,
        step="create" if isinstance(resource, Schedule) else "launch",
        uid=None,
        sent_at=NOW,
        record=applied(resource, uid=""),
        label=f"cdsync/{resource.address.name}",
        schedule_at=resource.schedule_at if isinstance(resource, OneOffRun) else None,
        parameters=resource.work.parameters,
        callback_url=callback.url if callback is not None and isinstance(callback.url, str) else None,
    )
    return replace(ordinary, **changes)


def fingerprints(resource: Resource) -> Fingerprints:
    """The fingerprints of a resource, whose references all have the same value."""
    work = resource.work
    if work.callback is not None:
        url = work.callback.url if isinstance(work.callback.url, str) else SECRET
        headers = {name: value if isinstance(value, str) else SECRET for name, value in work.callback.headers.items()}
        work = replace(work, callback=replace(work.callback, url=url, headers=headers))
    return fingerprint_of(resource, work, key=KEY)


def desired(*resources: Resource, unresolved: Mapping[Address, MissingSecret] | None = None) -> DesiredState:
    """What is declared, with the fingerprints of all that could be resolved."""
    unresolved = unresolved or {}
    return DesiredState(
        resources={resource.address: resource for resource in resources},
        fingerprints={
            resource.address: fingerprints(resource) for resource in resources if resource.address not in unresolved
        },
        unresolved=unresolved,
    )


def observed(
    *objects: RemoteSchedule | RemoteRun, gone: Mapping[str, str | None] | None = None, in_place: bool = False
) -> ObservedState:
    """What a complete listing showed."""
    return ObservedState(
        schedules={row.uid: row for row in objects if isinstance(row, RemoteSchedule)},
        runs={row.uid: row for row in objects if isinstance(row, RemoteRun)},
        gone=gone or {},
        capabilities=Capabilities(update_in_place=UPDATABLE if in_place else frozenset()),
    )


def owned(*ownerships: Ownership, runs: tuple[FollowedRun, ...] = (), **changes: Any) -> OwnedState:
    """What the store remembers."""
    state = OwnedState(
        resources={row.address: row for row in ownerships},
        runs={run.uid: run for run in runs},
    )
    return replace(state, **changes)


def policy(**changes: Any) -> Policy:
    """The policy of a root that sets none."""
    return replace(Policy(), **changes)


def plan_of(
    declared: DesiredState | None = None,
    seen: ObservedState | None = None,
    ours: OwnedState | None = None,
    *,
    rules: Policy | None = None,
    now: datetime = NOW,
) -> Plan:
    """The plan for these states; what is not given is empty."""
    return make_plan(declared or desired(), seen or observed(), ours or owned(), rules or policy(), now)
