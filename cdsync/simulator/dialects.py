"""The two path styles of the API as tables; a dialect is data, and no operation knows which one it is called by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from cdsync.simulator import runs, schedules
from cdsync.simulator.options import Dialect, SimulatorOptions
from cdsync.simulator.simulation import Operation


class Route(NamedTuple):
    """One endpoint of a dialect, its path below the prefix."""

    method: str
    path: str
    operation: Operation


DIALECTS: Mapping[Dialect, tuple[Route, ...]] = {
    "manage": (
        Route("POST", "/actions/{action}/schedule", schedules.create),
        Route("POST", "/actions/{action}/async", runs.launch),
        Route("POST", "/actions/{action}/live", runs.live),
        Route("GET", "/schedules/list", schedules.list_page),
        Route("GET", "/schedules/get", schedules.get_by_query),
        Route("POST", "/schedules/manage", schedules.manage),
        Route("GET", "/runs/list", runs.list_page),
        Route("GET", "/runs/get", runs.get_by_query),
        Route("POST", "/runs/manage", runs.manage),
        Route("GET", "/workspaces", runs.workspace),
    ),
    "rest": (
        Route("POST", "/actions/{action}/run/schedule", schedules.create),
        Route("POST", "/actions/{action}/run/async", runs.launch),
        Route("POST", "/actions/{action}/run/live", runs.live),
        Route("GET", "/schedules", schedules.list_page),
        Route("GET", "/schedules/{uid}", schedules.get_by_path),
        Route("POST", "/schedules/{uid}/{verb}", schedules.change_status),
        Route("GET", "/runs", runs.list_page),
        Route("GET", "/runs/{uid}", runs.get_by_path),
        Route("GET", "/runs/{uid}/status", runs.status),
        Route("GET", "/runs/{uid}/inputs", runs.inputs),
        Route("GET", "/runs/{uid}/outputs", runs.outputs),
        Route("POST", "/runs/{uid}/resume", runs.resume_by_path),
        Route("POST", "/runs/{uid}/cancel", runs.cancel),
        Route("GET", "/workspaces", runs.workspace),
    ),
}
LISTINGS = frozenset({schedules.list_page, runs.list_page, runs.inputs, runs.outputs})
"""The operations whose answer may be wrapped in an envelope."""


def match(options: SimulatorOptions, method: str, path: str) -> tuple[Operation | None, dict[str, str]]:
    """The operation at a path and the values in the path; None where the path exists but not with this method.

    Raises:
        LookupError: no served dialect has this path.
    """
    seen = False
    for dialect in options.dialects:
        prefix = f"{options.prefix}/api" if dialect == "manage" else options.prefix
        if not path.startswith(prefix + "/"):
            continue
        for route in DIALECTS[dialect]:
            found = _pattern(route.path).fullmatch(path[len(prefix) :])
            if found and route.method == method:
                return route.operation, found.groupdict()
            seen = seen or found is not None
    if seen:
        return None, {}
    raise LookupError(path)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
