"""What the daemon logs of its passes: one line for each action that ended, and one for each pass, by constant names."""

from __future__ import annotations

from cdsync.core.actions import Action
from cdsync.core.events import Event, Failed, Progressed, Started, Succeeded, Unresolved
from cdsync.daemon.standing import PassRecord
from cdsync.logs import logger


def log_event(event: Event, *, revision: str | None) -> None:
    """Log what happened to one action."""
    about = {**_about(event.action), "revision": revision}
    match event:
        case Started():
            logger().debug("action.started", **about)
        case Succeeded(_, uid):
            logger().info("action.done", **{**about, "uid": uid})
        case Failed(_, message, remedy, tried):
            logger().warning("action.failed" if tried else "action.skipped", **about, error=message, remedy=remedy)
        case Unresolved(_, message):
            logger().warning("action.unresolved", **about, error=message)
        case Progressed(_, done, total, note):
            logger().debug("action.progressed", **about, done=done, total=total, note=note)


def _about(action: Action) -> dict[str, object]:
    return {"address": str(action.address), "action": action.kind.value, "why": action.why, "uid": action.uid}


def log_pass(record: PassRecord) -> None:
    """Log how a pass ended, in one line."""
    level = logger().error if record.error is not None else logger().warning if record.failed else logger().info
    level(
        "pass.finished",
        number=record.number,
        result=record.result.value,
        causes=[cause.value for cause in record.causes],
        seconds=round(record.seconds, 3),
        done=record.done,
        failed=record.failed,
        blocked=len(record.blocked),
        drift=len(record.drift),
        calls=record.calls,
        revision=record.revision,
        error=str(record.error) if record.error else None,
        remedy=record.error.remedy if record.error else None,
    )
