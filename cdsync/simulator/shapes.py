"""How rows look in JSON: the fields of the API reference, and how an echo may differ from what was sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from cdsync.simulator.account import Run, Schedule
from cdsync.simulator.options import SimulatorOptions

DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
ROWS_PER_INPUT = 3


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, or null."""
    if at is None:
        return None
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def action_id(action_name: str) -> int:
    """The integer id of an action."""
    return crc32(action_name.encode()) % 10_000


def cron_echo(schedule: Schedule, options: SimulatorOptions) -> str | None:
    """The cron as the API shows it."""
    if schedule.cron is None or options.echo == "as-sent":
        return schedule.cron
    *others, weekdays = schedule.cron.split()
    # Sunday as 7 stays a number: `FRI-SUN` would be a falling range for some readers.
    if "7" not in weekdays:
        weekdays = re.sub(r"(?<![/\d])[0-6](?!\d)", lambda found: DAYS[int(found[0])], weekdays)
    return " ".join([*others, weekdays])


def timezone_echo(schedule: Schedule, options: SimulatorOptions) -> str | None:
    """The time zone as the API shows it."""
    return None if options.echo == "normalised" and schedule.timezone == "UTC" else schedule.timezone


def created_schedule(schedule: Schedule, options: SimulatorOptions) -> dict[str, Any]:
    """The answer to a creation, which names the uid differently and leaves the status out."""
    return {
        "schedule_uid": schedule.uid,
        "cron": cron_echo(schedule, options),
        "timezone": timezone_echo(schedule, options),
        "next_execution_at": moment(schedule.next_execution_at),
        "created_at": moment(schedule.created_at),
    }


def schedule_object(schedule: Schedule, options: SimulatorOptions) -> dict[str, Any]:
    """A schedule as listed; inputs, parameters, callback and identities are never shown."""
    name = {"name": schedule.order.name} if options.labels == "echo" else {}
    return {
        "uid": schedule.uid,
        **name,
        "action_id": action_id(schedule.order.action_name),
        "action_name": schedule.order.action_name,
        "user_uid": schedule.user_uid,
        "workspace_uid": options.workspace_uid,
        "status": schedule.status,
        "postponed_until": None,
        "cron": cron_echo(schedule, options),
        "timezone": timezone_echo(schedule, options),
        "next_execution_at": moment(schedule.next_execution_at),
        "last_executed_at": moment(schedule.last_executed_at),
        "created_at": moment(schedule.created_at),
        "updated_at": moment(schedule.updated_at),
    }


def started_run(run: Run, options: SimulatorOptions) -> dict[str, Any]:
    """The answer to a launch, whose status is not one of the ten."""
    return {
        "run_id": run.number,
        "run_uid": run.uid,
        "workspace_uid": options.workspace_uid,
        "user_uid": run.user_uid,
        "action_name": run.order.action_name,
        "status": "pending",
        "postponed_until": None,
        "created_at": moment(run.created_at),
        "updated_at": moment(run.updated_at),
    }


def run_object(run: Run, options: SimulatorOptions) -> dict[str, Any]:
    """A run as listed."""
    names = {"name": run.order.name, "scheduled_run_name": run.scheduled_run_name} if options.labels == "echo" else {}
    return {
        **run_status(run),
        **names,
        "action_id": action_id(run.order.action_name),
        "action_name": run.order.action_name,
        "retry_count": run.retry_count,
        "user_uid": run.user_uid,
        "workspace_uid": options.workspace_uid,
        "execution_mode": run.execution_mode,
        "last_error": run.last_error,
        "parameters": run.order.parameters,
        "callback": {"url": run.order.callback.url} if run.order.callback else None,
        "output_count": run.output_count,
        "scheduled_run_uid": run.scheduled_run_uid,
    }


def run_status(run: Run) -> dict[str, Any]:
    """The short form of a run, for polling."""
    return {
        "id": run.number,
        "uid": run.uid,
        "status": run.status,
        "postponed_until": moment(run.postponed_until),
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        "created_at": moment(run.created_at),
        "updated_at": moment(run.updated_at),
    }


def run_input(run: Run, index: int) -> dict[str, Any]:
    """One input of a run, with its own label and its own error."""
    source: Mapping[str, Any] = run.order.inputs[index]
    error = run.last_error or {}
    return {
        "uid": f"{run.uid}-{index}",
        "status": run.status,
        "input_data": {key: value for key, value in source.items() if key != "custom_data"},
        "custom_data": source.get("custom_data"),
        "last_error": {
            "has_failed": bool(error),
            "message": error.get("message"),
            "scope": "input" if error else None,
            "label": error.get("label"),
            "error_ref": None,
            "params": error.get("params"),
            "validation_errors": None,
        },
        "output_count": min(ROWS_PER_INPUT, max(0, run.output_count - ROWS_PER_INPUT * index)),
        "retry_count": run.retry_count,
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        "created_at": moment(run.created_at),
        "updated_at": moment(run.updated_at),
    }
