"""The hand behind the scenes: `/_sim/` lets a test or a demo do what the API does not offer.

It needs no key and answers only to this machine. What is done here is not logged as a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from ipaddress import ip_address
from typing import Any, get_args

from cdsync.simulator import runs, schedules
from cdsync.simulator.account import RUN_STATUSES, Schedule
from cdsync.simulator.bodies import order_readers, read_fields, read_order, require_empty, text, timing_readers
from cdsync.simulator.faults import read_faults
from cdsync.simulator.firing import next_tick
from cdsync.simulator.options import Dialect, Echo, Labels
from cdsync.simulator.progress import settle
from cdsync.simulator.refusals import Refusal, bad_input, not_found, wrong_state
from cdsync.simulator.shapes import moment
from cdsync.simulator.simulation import NOTHING, Simulation

PREFIX = "/_sim/"
FOREIGN_ACTION = "linkedin-extract-people"


def control(simulation: Simulation, host: str, method: str, path: str, body: Any) -> Any:
    """Carry out one request of the control API and return its JSON.

    Raises:
        Refusal: from elsewhere than this machine, an unknown path, or a body at fault.
    """
    if not _is_loopback(host):
        raise Refusal(403, "the control API answers only to this machine", label="STATUS_403", scope="auth")
    for route_method, pattern, work in ROUTES:
        found = re.fullmatch(pattern, path.removeprefix(PREFIX))
        if found and route_method == method:
            result = work(simulation, body, *found.groups())
            return json.loads(json.dumps(result, default=_plain))
    raise not_found(f"the control API has no {method} {path}")


def _state(simulation: Simulation, _body: Any) -> dict[str, Any]:
    """Everything there is, hidden fields included."""
    account = simulation.account
    return {
        "now": simulation.now(),
        "settings": asdict(simulation.options),
        "schedules": [asdict(row) for row in account.schedules.rows.values()],
        "runs": [asdict(row) for row in account.runs.rows.values()],
        "firings": [asdict(firing) for firing in account.firings],
        "deliveries": [asdict(delivery) for delivery in account.deliveries],
        "faults": simulation.faults.as_json(),
    }


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _plain(value: object) -> Any:
    return moment(value) if isinstance(value, datetime) else str(value)


def _calls(simulation: Simulation, _body: Any) -> list[Any]:
    return [asdict(call) for call in simulation.account.calls]


def _forget_calls(simulation: Simulation, _body: Any) -> list[Any]:
    simulation.account.calls.clear()
    return []


def _faults(simulation: Simulation, _body: Any) -> list[Any]:
    return simulation.faults.as_json()


def _inject(simulation: Simulation, body: Any) -> list[Any]:
    simulation.faults.active.extend(read_faults(body))
    return simulation.faults.as_json()


def _repair(simulation: Simulation, _body: Any) -> list[Any]:
    simulation.faults.active.clear()
    return []


def _advance(simulation: Simulation, body: Any) -> dict[str, Any]:
    seconds = read_fields(body, {"seconds": _number}, required=("seconds",))["seconds"]
    push = getattr(simulation.time, "advance", None)
    if push is None:
        raise wrong_state("the time of this simulation is driven from elsewhere")
    push(seconds)
    return {"now": simulation.catch_up()}


def _set(simulation: Simulation, body: Any) -> dict[str, Any]:
    values = read_fields(
        body,
        {
            "key": _optional_text,
            "labels": _one_of(get_args(Labels)),
            "echo": _one_of(get_args(Echo)),
            "envelope": _flag,
            "requests_per_minute": lambda name, value: None if value is None else int(_number(name, value)),
            "dialects": _dialects,
            "workspace_uid": text,
        },
    )
    simulation.options = replace(simulation.options, **values)
    return asdict(simulation.options)


def _create_foreign(simulation: Simulation, body: Any) -> dict[str, Any]:
    """A colleague makes a schedule elsewhere: it waits for its next tick and does not fire at once."""
    readers = {**order_readers("schedule", replace(simulation.options, labels="echo")), **timing_readers()}
    values: dict[str, Any] = {"cron": "0 6 * * *", "timezone": "UTC", "inputs": ({},)}
    values |= read_fields({} if body is NOTHING else body, {**readers, "action": text})
    now = simulation.now()
    values.setdefault("schedule_at", next_tick(values["cron"], values["timezone"], now))
    order = read_order(values.get("action", FOREIGN_ACTION), values)
    return asdict(schedules.add(simulation.account, order, values, now, foreign=True))


def _change_schedule(simulation: Simulation, body: Any, uid: str, verb: str) -> dict[str, Any]:
    require_empty(body)
    schedule: Schedule = schedules.find(simulation.account, uid)
    schedules.TRANSITIONS[verb](simulation.account, schedule, simulation.now())
    return asdict(schedule)


def _force_run(simulation: Simulation, body: Any, uid: str) -> dict[str, Any]:
    """Give a run a status that it keeps; a final one posts its callback."""
    readers = {
        "status": _one_of(tuple(sorted(RUN_STATUSES))),
        "last_error": lambda _name, value: value,
        "postponed_until": lambda name, value: None if value is None else timing_readers()["schedule_at"](name, value),
        "retry_count": lambda name, value: int(_number(name, value)),
    }
    values = read_fields(body, readers, required=("status",))
    run = runs.find(simulation.account, uid)
    simulation.account.runs.before_write(uid)
    run.postponed_until = values.get("postponed_until")
    run.retry_count = values.get("retry_count", run.retry_count)
    settle(simulation.account, run, simulation.now(), values["status"], values.get("last_error"))
    return asdict(run)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise bad_input(f"{name} must be a number that is not negative")
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise bad_input(f"{name} must be true or false")
    return value


def _optional_text(name: str, value: Any) -> str | None:
    return None if value is None else text(name, value)


def _one_of(choices: tuple[str, ...]) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if value not in choices:
            raise bad_input(f"{name} must be one of {', '.join(choices)}")
        return str(value)

    return read


def _dialects(name: str, value: Any) -> tuple[Any, ...]:
    known = get_args(Dialect)
    if not isinstance(value, list) or not set(value) <= set(known):
        raise bad_input(f"{name} must be a list of {', '.join(known)}")
    return tuple(value)


ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", "state", _state),
    ("GET", "calls", _calls),
    ("DELETE", "calls", _forget_calls),
    ("GET", "faults", _faults),
    ("POST", "faults", _inject),
    ("DELETE", "faults", _repair),
    ("POST", "advance", _advance),
    ("POST", "settings", _set),
    ("POST", "schedules", _create_foreign),
    ("POST", "schedules/([^/]+)/(pause|resume|cancel)", _change_schedule),
    ("POST", "runs/([^/]+)", _force_run),
)
