"""The operations on schedules: create, list, get, pause, resume, cancel, update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cdsync.simulator.account import (
    MEMBER,
    OPEN_STATUSES,
    SCHEDULE_STATUSES,
    STRANGER,
    Account,
    Order,
    Schedule,
    member_uid,
)
from cdsync.simulator.bodies import (
    order_readers,
    read_fields,
    read_order,
    refuse_past,
    require_empty,
    text,
    timing_readers,
)
from cdsync.simulator.faults import Fault
from cdsync.simulator.firing import advance, complete, next_tick, plan_next
from cdsync.simulator.listing import Listing, Query, page, read_query
from cdsync.simulator.options import SimulatorOptions
from cdsync.simulator.refusals import bad_input, not_found, wrong_state
from cdsync.simulator.shapes import created_schedule, schedule_object
from cdsync.simulator.simulation import Answer, Call, Simulation

LISTING = Listing(
    filters={
        "status": (SCHEDULE_STATUSES, lambda row: row.status),
        "uid": (None, lambda row: row.uid),
        "action_name": (None, lambda row: row.order.action_name),
        "user_uid": (None, lambda row: row.user_uid),
    },
    sortable=frozenset({"created_at", "status", "updated_at", "next_execution_at"}),
)
UPDATABLE = ("cron", "timezone", "inputs", "parameters", "callback", "identity_mode", "identity_ids", "name")


def create(simulation: Simulation, call: Call) -> Answer:
    """Create a schedule; without `schedule_at` it fires at once."""
    readers = {**order_readers("schedule", simulation.options), **timing_readers()}
    values = read_fields(call.body, readers, required=("inputs",))
    refuse_past(values.get("schedule_at"), call.now)
    order = read_order(call.path["action"], values)
    schedule = add(simulation.account, order, values, call.now)
    return Answer(created_schedule(schedule, simulation.options))


def add(account: Account, order: Order, timing: Mapping[str, Any], now: datetime, *, foreign: bool = False) -> Schedule:
    """Put a schedule into the account and let it fire if it is due."""
    schedule = Schedule(
        uid=account.new_uid("schedule"),
        order=order,
        cron=timing.get("cron"),
        timezone=timing.get("timezone", "UTC"),
        status="ACTIVE",
        user_uid=member_uid(STRANGER if foreign else MEMBER),
        created_at=now,
        updated_at=now,
        foreign=foreign,
    )
    account.schedules.before_write(schedule.uid)
    account.schedules.rows[schedule.uid] = schedule
    plan_next(account, schedule, max(timing.get("schedule_at") or now, now))
    advance(account, now)
    return schedule


def list_page(simulation: Simulation, call: Call) -> Answer:
    """One page of the schedules."""
    query = read_query(call, LISTING)
    unseen = 0
    if call.fault is not None and call.fault.kind == "stale_listing":
        unseen = call.fault.writes
    if call.fault is not None and call.fault.kind == "shifting_listing" and query.offset > 0:
        _shift(simulation, call.fault, query, call.now)
    rows = page(simulation.account.schedules, query, LISTING, unseen_writes=unseen)
    return Answer([schedule_object(row, simulation.options) for row in rows])


def get_by_path(simulation: Simulation, call: Call) -> Answer:
    """One schedule, its uid in the path."""
    return Answer(schedule_object(find(simulation.account, call.path["uid"]), simulation.options))


def get_by_query(simulation: Simulation, call: Call) -> Answer:
    """One schedule, its uid in the query."""
    return Answer(schedule_object(find(simulation.account, uid_of_query(call)), simulation.options))


def uid_of_query(call: Call) -> str:
    """The one query parameter `uid`."""
    if [name for name, _ in call.query] != ["uid"]:
        raise bad_input("the query must be one 'uid' and nothing else")
    return call.query[0][1]


def find(account: Account, uid: str) -> Schedule:
    """The schedule of this uid, or 404."""
    if uid not in account.schedules.rows:
        raise not_found(f"no schedule {uid}")
    return account.schedules.rows[uid]


def pause(account: Account, schedule: Schedule, now: datetime) -> None:
    """Stop firing until it is resumed; ticks in between are skipped."""
    _require(schedule, "pause", {"ACTIVE"})
    account.schedules.before_write(schedule.uid)
    schedule.status, schedule.updated_at = "PAUSED", now
    account.plan("schedule", schedule, None)


def resume(account: Account, schedule: Schedule, now: datetime) -> None:
    """Go on with a firing that still lies ahead, or else the next tick; a one-off that was missed is over."""
    _require(schedule, "resume", {"PAUSED"})
    account.schedules.before_write(schedule.uid)
    schedule.status, schedule.updated_at = "ACTIVE", now
    if schedule.next_execution_at is not None and schedule.next_execution_at > now:
        plan_next(account, schedule, schedule.next_execution_at)
    elif schedule.cron is not None:
        plan_next(account, schedule, next_tick(schedule.cron, schedule.timezone, now))
    else:
        complete(account, schedule)


def cancel(account: Account, schedule: Schedule, now: datetime) -> None:
    """Stop for ever; the row stays listed."""
    _require(schedule, "cancel", OPEN_STATUSES)
    account.schedules.before_write(schedule.uid)
    schedule.status, schedule.updated_at, schedule.next_execution_at = "CANCELLED", now, None
    account.plan("schedule", schedule, None)


Transition = Callable[[Account, Schedule, datetime], None]
TRANSITIONS: Mapping[str, Transition] = {"pause": pause, "resume": resume, "cancel": cancel}
MANAGED: Mapping[str, Transition] = {"pause": pause, "resume": resume, "delete": cancel}


def change_status(simulation: Simulation, call: Call) -> Answer:
    """Pause, resume or cancel, as the path says."""
    require_empty(call.body)
    verb = call.path["verb"]
    if verb not in TRANSITIONS:
        raise not_found(f"no such action on a schedule: {verb}")
    schedule = find(simulation.account, call.path["uid"])
    TRANSITIONS[verb](simulation.account, schedule, call.now)
    return Answer(schedule_object(schedule, simulation.options))


def manage(simulation: Simulation, call: Call) -> Answer:
    """Pause, resume, delete or update, as the body says."""
    action = call.body.get("action") if isinstance(call.body, Mapping) else None
    readers = {"uid": text, "action": text, **(_update_readers(simulation.options) if action == "update" else {})}
    values = read_fields(call.body, readers, required=("uid", "action"))
    if action != "update" and action not in MANAGED:
        raise bad_input("action must be one of pause, resume, delete, update")
    schedule = find(simulation.account, values.pop("uid"))
    del values["action"]
    if action == "update":
        update(simulation.account, schedule, values, call.now)
    else:
        MANAGED[str(action)](simulation.account, schedule, call.now)
    return Answer(schedule_object(schedule, simulation.options))


def update(account: Account, schedule: Schedule, values: Mapping[str, Any], now: datetime) -> None:
    """Change fields in place; it never fires because of that, and a changed timing takes hold at its next tick."""
    _require(schedule, "update", OPEN_STATUSES)
    if not values:
        raise bad_input("an update must change at least one field")
    account.schedules.before_write(schedule.uid)
    timing = {name: value for name, value in values.items() if name in {"cron", "timezone"}}
    schedule.order = replace(schedule.order, **{name: values[name] for name in values.keys() - timing.keys()})
    schedule.cron = timing.get("cron", schedule.cron)
    schedule.timezone = timing.get("timezone", schedule.timezone)
    schedule.updated_at = now
    if timing and schedule.cron is not None:
        schedule.next_execution_at = next_tick(schedule.cron, schedule.timezone, now)
        account.plan("schedule", schedule, schedule.next_execution_at if schedule.status == "ACTIVE" else None)


def _update_readers(options: SimulatorOptions) -> dict[str, Any]:
    readers = {**order_readers("schedule", options), **timing_readers()}
    return {name: readers[name] for name in UPDATABLE if name in readers}


def _require(schedule: Schedule, verb: str, statuses: set[str] | frozenset[str]) -> None:
    if schedule.status not in statuses:
        raise wrong_state(f"cannot {verb} a schedule that is {schedule.status}")


def _shift(simulation: Simulation, fault: Fault, query: Query, now: datetime) -> None:
    """Somebody else changes the account between two pages, so that the rows after the offset move by one."""
    account = simulation.account
    before = page(account.schedules, replace(query, offset=0, limit=query.offset), LISTING)
    if fault.change == "remove":
        for row in before:
            if row.foreign:
                account.schedules.before_write(row.uid)
                del account.schedules.rows[row.uid]
                return
        return
    order = Order(action_name=before[0].order.action_name if before else "foreign-action", inputs=({},))
    schedule = add(account, order, {"schedule_at": now + timedelta(days=1)}, now, foreign=True)
    if before and "-created_at" not in query.sort:
        schedule.created_at = schedule.updated_at = before[0].created_at - timedelta(seconds=1)
