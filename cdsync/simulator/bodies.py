"""Request bodies, read strictly: what is unknown, of a wrong type or out of range is a 400 that names the field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from croniter import croniter
from croniter.croniter import CroniterError

from cdsync.simulator.account import Callback, Order
from cdsync.simulator.options import SimulatorOptions
from cdsync.simulator.refusals import bad_input
from cdsync.simulator.simulation import NOTHING

Reader = Callable[[str, Any], Any]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
TARDINESS = timedelta(seconds=60)
CRON_VALUE = r"(?:\d{1,2}|[A-Za-z]{3})"
CRON_PART = rf"(?:\*|{CRON_VALUE}(?:-{CRON_VALUE})?)(?:/\d{{1,2}})?"
CRON_FIELD = re.compile(rf"{CRON_PART}(?:,{CRON_PART})*")


def read_fields(body: Any, readers: Mapping[str, Reader], *, required: Sequence[str] = ()) -> dict[str, Any]:
    """Read the fields of a body object.

    Raises:
        Refusal: 400 that names the first field at fault.
    """
    if not isinstance(body, Mapping):
        raise bad_input("the body must be a JSON object")
    for name in required:
        if name not in body:
            raise bad_input(f"the body must have required property '{name}'")
    for name in body:
        if name not in readers:
            raise bad_input(f"the body must NOT have additional properties: '{name}'")
    return {name: readers[name](name, value) for name, value in body.items()}


def require_empty(body: Any) -> None:
    """An action without a body takes none, or an empty object."""
    if body is not NOTHING:
        read_fields(body, {})


def order_readers(mode: str, options: SimulatorOptions) -> dict[str, Reader]:
    """The fields that say what to run, for `live`, `async` or `schedule`."""
    readers: dict[str, Reader] = {
        "parameters": _object,
        "identity_mode": _choice("direct", "auto", "managed"),
        "identity_ids": _optional(_texts),
    }
    if options.labels != "refuse":
        readers["name"] = _optional(_text(0, 255))
    if mode == "live":
        return {**readers, "input": _object}
    return {**readers, "inputs": _inputs(100 if mode == "schedule" else 100_000), "callback": _callback}


def timing_readers() -> dict[str, Reader]:
    """The fields that say when to run."""
    return {"cron": _cron, "timezone": _timezone, "schedule_at": _instant}


def read_order(action_name: str, values: Mapping[str, Any]) -> Order:
    """Make an order of fields that were read; a live run has one input."""
    known = {name: value for name, value in values.items() if name in Order.__dataclass_fields__}
    if "input" in values:
        known["inputs"] = (values["input"],)
    return Order(action_name=action_name, **known)


def refuse_past(schedule_at: datetime | None, now: datetime) -> None:
    """A launch time that has passed is refused, give or take a minute."""
    if schedule_at is not None and schedule_at < now - TARDINESS:
        raise bad_input("schedule_at must not lie in the past")


def text(name: str, value: Any) -> str:
    """A string of reasonable length."""
    result: str = _text(1, 1000)(name, value)
    return result


def _text(low: int, high: int) -> Reader:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or not low <= len(value) <= high:
            raise bad_input(f"{name} must be a string of {low} to {high} characters")
        return value

    return read


def _optional(reader: Reader) -> Reader:
    return lambda name, value: None if value is None else reader(name, value)


def _choice(*choices: str) -> Reader:
    def read(name: str, value: Any) -> str:
        if value not in choices:
            raise bad_input(f"{name} must be one of {', '.join(choices)}")
        return str(value)

    return read


def _object(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise bad_input(f"{name} must be an object")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise bad_input(f"{name} must be an array of strings")
    return tuple(value)


def _inputs(most: int) -> Reader:
    def read(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            raise bad_input(f"{name} must be an array of 1 to {most} objects")
        if not all(isinstance(item, Mapping) for item in value):
            raise bad_input(f"{name} must be an array of objects")
        return tuple(value)

    return read


def _cron(name: str, value: Any) -> str:
    expression: str = _text(1, 256)(name, value)
    fields = expression.split()
    if len(fields) != 5 or not all(CRON_FIELD.fullmatch(part) for part in fields):
        raise bad_input(f"{name} must have five POSIX fields, such as '0 9 * * 1-5'")
    try:
        croniter(expression, datetime(2000, 1, 1, tzinfo=UTC)).get_next(datetime)
    except (CroniterError, ValueError) as problem:
        raise bad_input(f"{name} is not valid: {problem}") from problem
    return expression


def _timezone(name: str, value: Any) -> str:
    key: str = _text(1, 64)(name, value)
    try:
        ZoneInfo(key)
    except (ValueError, OSError, KeyError) as problem:
        raise bad_input(f"{name} must be an IANA time zone, such as 'Europe/Paris'") from problem
    return key


def _instant(name: str, value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(_text(1, 64)(name, value))
    except ValueError as problem:
        raise bad_input(f"{name} must be an ISO 8601 date-time") from problem
    if at.tzinfo is None:
        raise bad_input(f"{name} must have a UTC offset")
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def _callback(name: str, value: Any) -> Callback:
    readers = {"url": _text(1, 2048), "headers": _object, "on": _choice("all", "final")}
    values = read_fields(_object(name, value), readers, required=("url",))
    url = urlsplit(values["url"])
    if not url.hostname or not (url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)):
        raise bad_input(f"{name}.url must be an https URL")
    headers = values.get("headers", {})
    if not all(isinstance(header, str) for header in headers.values()):
        raise bad_input(f"{name}.headers must be an object of strings")
    return Callback(url=values["url"], headers=headers, on=values.get("on", "all"))
