"""The API as it was found: what it can do, and schedules and runs as it shows them. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cdsync.core.values import value_class
from cdsync.core.work import Json

SCHEDULE_STATUSES = frozenset({"ACTIVE", "PAUSED", "CANCELLED", "COMPLETED"})
"""The statuses of a schedule that this version knows (API contract section 5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What this API can do, as found out: facts of the dialect and of probes.

    `update_in_place` names the fields that one request can change. `labels` is whether a `name` sent at creation is
    accepted and shown again; None until that was seen.
    """

    update_in_place: frozenset[str] = frozenset()
    labels: bool | None = None


@value_class(frozen=True, slots=True, kw_only=True)
class RemoteSchedule:
    """A schedule as the API shows it. A one-off with `schedule_at` is one too, with `cron` None.

    `status` is ACTIVE, PAUSED, CANCELLED, COMPLETED, or a word that this version does not know.
    `label` is the API's `name`: None where the API has none or does not echo it. All times are aware, in UTC.
    """

    uid: str
    action: str
    status: str
    cron: str | None = None
    timezone: str | None = None
    label: str | None = None
    next_execution_at: datetime | None = None
    last_executed_at: datetime | None = None
    created_at: datetime | None = None
    workspace_uid: str | None = None

    @property
    def live(self) -> bool:
        """Whether it fires, or would fire again after a resume."""
        return self.status in {"ACTIVE", "PAUSED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunError:
    """Why a run stands still, in the API's words; without a label and a message it is an error all the same.

    `unread_postponement` is what the API says of when it goes on, if that is no time that can be read.
    """

    label: str | None
    message: str | None
    unread_postponement: str | None = None


@value_class(frozen=True, slots=True, kw_only=True)
class RemoteRun:
    """A run as the API shows it; `schedule_uid` is that of the schedule that fired it. All times are aware, in UTC.

    `mode` is LIVE or ASYNC; None where the API does not say.
    """

    uid: str
    action: str
    status: str
    mode: str | None = None
    label: str | None = None
    schedule_uid: str | None = None
    callback_url: str | None = None
    parameters: Mapping[str, Json] | None = None
    last_error: RunError | None = None
    postponed_until: datetime | None = None
    output_count: int | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


FINAL_RUN_STATUSES = frozenset({"SUCCEEDED", "PARTIAL_SUCCEEDED", "FAILED", "INVALID"})
"""A run in one of these moves no more, and a resume would be refused (API contract: run status enum)."""

FORGOTTEN = "FORGOTTEN"
"""What cdsync says of a run that the API no longer lists (API contract section 7: after 90 days)."""
