"""The two spellings of one API, as tables of routes and capabilities.

`manage` is the spelling of the vendor's guides, `rest` that of its reference. Path and body templates hold `{action}`
and `{uid}`; a None route is an operation that the dialect does not offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote


class Operation(StrEnum):
    """What can be asked of the API."""

    CREATE_SCHEDULE = "create-schedule"
    LAUNCH_ASYNC = "launch-async"
    LAUNCH_LIVE = "launch-live"
    LIST_SCHEDULES = "list-schedules"
    GET_SCHEDULE = "get-schedule"
    PAUSE_SCHEDULE = "pause-schedule"
    RESUME_SCHEDULE = "resume-schedule"
    DELETE_SCHEDULE = "delete-schedule"
    UPDATE_SCHEDULE = "update-schedule"
    LIST_RUNS = "list-runs"
    GET_RUN = "get-run"
    RESUME_RUN = "resume-run"
    RUN_INPUTS = "run-inputs"
    WORKSPACE = "workspace"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: method, path below the prefix, and the fixed parts of query and body (None: no body)."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] | None = None

    def path_for(self, *, action: str, uid: str) -> str:
        """The path with its values in place, each quoted."""
        return self.path.format(action=quote(action, safe=""), uid=quote(uid, safe=""))

    def query_for(self, *, uid: str) -> dict[str, str]:
        """The query with its values in place."""
        return {key: value.format(uid=uid) for key, value in self.query.items()}

    def body_for(self, *, uid: str) -> dict[str, str] | None:
        """The fixed part of the body with its values in place."""
        if self.body is None:
            return None
        return {key: value.format(uid=uid) for key, value in self.body.items()}


@dataclass(frozen=True, slots=True)
class Dialect:
    """A spelling: its name, what it appends to the configured prefix, its routes, and what one request can change."""

    name: str
    below_prefix: str
    routes: Mapping[Operation, Route | None]
    update_in_place: frozenset[str] = frozenset()


def _managed(action: str) -> Mapping[str, str]:
    return {"uid": "{uid}", "action": action}


MANAGE = Dialect(
    "manage",
    "/api",
    {
        Operation.CREATE_SCHEDULE: Route("POST", "/actions/{action}/schedule", body={}),
        Operation.LAUNCH_ASYNC: Route("POST", "/actions/{action}/async", body={}),
        Operation.LAUNCH_LIVE: Route("POST", "/actions/{action}/live", body={}),
        Operation.LIST_SCHEDULES: Route("GET", "/schedules/list"),
        Operation.GET_SCHEDULE: Route("GET", "/schedules/get", query={"uid": "{uid}"}),
        Operation.PAUSE_SCHEDULE: Route("POST", "/schedules/manage", body=_managed("pause")),
        Operation.RESUME_SCHEDULE: Route("POST", "/schedules/manage", body=_managed("resume")),
        Operation.DELETE_SCHEDULE: Route("POST", "/schedules/manage", body=_managed("delete")),
        Operation.UPDATE_SCHEDULE: Route("POST", "/schedules/manage", body=_managed("update")),
        Operation.LIST_RUNS: Route("GET", "/runs/list"),
        Operation.GET_RUN: Route("GET", "/runs/get", query={"uid": "{uid}"}),
        Operation.RESUME_RUN: Route("POST", "/runs/manage", body=_managed("resume")),
        Operation.RUN_INPUTS: None,
        Operation.WORKSPACE: Route("GET", "/workspaces"),
    },
    frozenset({"cron", "timezone", "inputs", "parameters", "callback", "identity_mode", "identity_ids"}),
)

REST = Dialect(
    "rest",
    "",
    {
        Operation.CREATE_SCHEDULE: Route("POST", "/actions/{action}/run/schedule", body={}),
        Operation.LAUNCH_ASYNC: Route("POST", "/actions/{action}/run/async", body={}),
        Operation.LAUNCH_LIVE: Route("POST", "/actions/{action}/run/live", body={}),
        Operation.LIST_SCHEDULES: Route("GET", "/schedules"),
        Operation.GET_SCHEDULE: Route("GET", "/schedules/{uid}"),
        Operation.PAUSE_SCHEDULE: Route("POST", "/schedules/{uid}/pause"),
        Operation.RESUME_SCHEDULE: Route("POST", "/schedules/{uid}/resume"),
        Operation.DELETE_SCHEDULE: Route("POST", "/schedules/{uid}/cancel"),
        Operation.UPDATE_SCHEDULE: None,
        Operation.LIST_RUNS: Route("GET", "/runs"),
        Operation.GET_RUN: Route("GET", "/runs/{uid}"),
        Operation.RESUME_RUN: Route("POST", "/runs/{uid}/resume", body={}),
        Operation.RUN_INPUTS: Route("GET", "/runs/{uid}/inputs"),
        Operation.WORKSPACE: Route("GET", "/workspaces"),
    },
)

DIALECTS = {dialect.name: dialect for dialect in (MANAGE, REST)}
