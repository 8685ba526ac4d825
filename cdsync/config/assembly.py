"""Fields that were found to be right -> a Schedule or a OneOffRun. Nothing is refused here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdsync.config.fields import instant, reference, resume_policy
from cdsync.config.inputs import Rows
from cdsync.core.model import Address, Kind, OneOffRun, Resource, ResumePolicy, Schedule, SourceLocation
from cdsync.core.work import Callback, Json, Reference, Work


def assemble(
    address: Address, fields: Mapping[str, Json], *, inputs: Rows, location: SourceLocation, otherwise: ResumePolicy
) -> Resource:
    """The resource that checked fields declare; `otherwise` is what its `resume` leaves out."""
    checked: Mapping[str, Any] = fields
    work = Work(
        action=checked["action"],
        inputs=inputs,
        parameters=checked.get("parameters", {}),
        identity_mode=checked.get("identity_mode", "direct"),
        identity_ids=tuple(checked.get("identity_ids", ())),
        callback=_callback(checked.get("callback")),
    )
    resume = resume_policy(checked["resume"], otherwise=otherwise) if "resume" in checked else None
    if address.kind is Kind.SCHEDULE:
        return Schedule(
            address=address,
            work=work,
            cron=checked["cron"],
            timezone=checked.get("timezone", "UTC"),
            state=checked.get("state", "active"),
            first_fire=checked.get("first_fire", "next-tick"),
            protect=checked.get("protect", False),
            was=checked.get("was"),
            resume=resume,
            location=location,
        )
    return OneOffRun(
        address=address,
        work=work,
        mode=checked.get("mode", "async"),
        # To the second, as it is sent and as the API shows it again.
        schedule_at=instant(checked["schedule_at"]).replace(microsecond=0) if "schedule_at" in checked else None,
        timezone=checked.get("timezone", "UTC"),
        protect=checked.get("protect", False),
        was=checked.get("was"),
        resume=resume,
        location=location,
    )


def _callback(value: Mapping[str, Any] | None) -> Callback | None:
    if value is None:
        return None
    headers = {name: _maybe_reference(inner) for name, inner in value.get("headers", {}).items()}
    return Callback(url=_maybe_reference(value["url"]), headers=headers, on=value.get("on", "all"))


def _maybe_reference(value: str | Mapping[str, Json]) -> str | Reference:
    return value if isinstance(value, str) else reference(value)
