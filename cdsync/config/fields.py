"""The rules for single values that a JSON Schema cannot say: URLs, cron expressions, zones, instants, durations."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import available_timezones

from cdsync.core.cron import CronError, parse_cron, zone
from cdsync.core.model import NEVER_RESUME, ResumePolicy
from cdsync.core.policy import parse_duration
from cdsync.core.work import Json, Reference

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+(?P<offset>[Zz]|[+-][0-9:]+)?")
_INSTANT_EXAMPLE = "2026-12-01T08:00:00+01:00"


def reference(value: Mapping[str, Json]) -> Reference:
    """The reference that an object of one key stands for."""
    ((source, name),) = value.items()
    match source:
        case "env":
            return Reference("env", str(name))
        case "file":
            return Reference("file", str(name))
        case _:
            return Reference("credential", str(name))


def resume_policy(value: Json, *, otherwise: ResumePolicy) -> ResumePolicy:
    """The policy of a `resume`; what it leaves out is taken from `otherwise`."""
    if not isinstance(value, Mapping):
        return NEVER_RESUME
    rest = ResumePolicy() if otherwise == NEVER_RESUME else otherwise
    statuses, attempts = value.get("statuses"), value.get("attempts")
    return ResumePolicy(
        statuses=tuple(map(str, statuses)) if isinstance(statuses, list) else rest.statuses,
        attempts=int(attempts) if isinstance(attempts, (int, float)) else rest.attempts,
        backoff=parse_duration(str(value["backoff"])) if "backoff" in value else rest.backoff,
    )


def cron_fault(expression: str) -> str | None:
    """Why an expression cannot be a schedule's; None if it can."""
    try:
        parse_cron(expression)
    except CronError as error:
        return str(error) if repr(expression) in str(error) else f"cron {expression!r}: {error}"
    return None


@lru_cache(maxsize=1024)
def timezone_fault(name: str) -> str | None:
    """Why a name is no time zone; None if it is one."""
    try:
        zone(name)
    except CronError as error:
        nearest = difflib.get_close_matches(name, _zone_names(), n=1)
        return f"unknown time zone {name!r}; did you mean {nearest[0]!r}?" if nearest else str(error)
    return None


def instant_fault(text: str) -> str | None:
    """Why a text is no instant; None if it is one."""
    match = _INSTANT.fullmatch(text)
    if match and match["offset"] is None:
        return f"schedule_at {text!r} has no offset; expected one, as in {_INSTANT_EXAMPLE}"
    try:
        if match and 2000 <= instant(text).year <= 9998:
            return None
    except ValueError:
        pass
    return f"schedule_at is {text!r}; expected a date and time with offset, as in {_INSTANT_EXAMPLE}"


def instant(text: str) -> datetime:
    """The instant of an ISO 8601 date and time with offset, as `instant_fault` allows it."""
    return datetime.fromisoformat(text)


@cache
def _zone_names() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))
