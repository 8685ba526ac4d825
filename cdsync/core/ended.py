"""What is told of runs that came to a bad end: nothing can be resumed then, but somebody has to know.

Only the newest run of a resource is told of: the next one of a schedule may do better, and then all is well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cdsync.core.actions import Blocked, BlockedReason, Decision
from cdsync.core.advice import NOTHING_FOUND, advice_on_run
from cdsync.core.context import Context
from cdsync.core.model import LEFT_ALONE, Address, RunError

ENDED_BADLY = frozenset({"FAILED", "INVALID"})
"""The final statuses of a run that brought nothing (API contract section 5.2)."""


@dataclass(frozen=True, slots=True, order=True)
class _End:
    """One run, so that the newest of several is the largest."""

    dated: bool
    created_at: datetime | None
    uid: str
    status: str
    label: str | None
    refusal: str | None


def decide_ended(owners: Mapping[str, Address], context: Context) -> Iterator[Decision]:
    """Tell of each declared resource whose newest run, as far as is known, has failed; `owners` has them by UID."""
    for address, run in _newest(owners, context).items():
        failed = run.status in ENDED_BADLY and run.label not in NOTHING_FOUND and run.refusal != LEFT_ALONE
        if failed and address in context.desired.resources:
            yield Decision(blocked=(_told(address, run),))


def _newest(owners: Mapping[str, Address], context: Context) -> Mapping[Address, _End]:
    newest: dict[Address, _End] = {}
    for uid in {*context.state.runs, *context.observed.runs}:
        known, seen = context.state.runs.get(uid), context.observed.runs.get(uid)
        address = owners.get(uid) or (owners.get(seen.schedule_uid or "") if seen is not None else None)
        if address is None:
            continue
        created = seen.created_at if seen is not None else known.created_at if known is not None else None
        end = _End(
            dated=created is not None,
            created_at=created,
            uid=uid,
            status=seen.status if seen is not None else known.status if known is not None else "",
            label=_label(seen.last_error) if seen is not None else known.error if known is not None else None,
            refusal=known.refusal if known is not None else None,
        )
        if address not in newest or newest[address] < end:
            newest[address] = end
    return newest


def _label(error: RunError | None) -> str | None:
    return error.label if error is not None else None


def _told(address: Address, run: _End) -> Blocked:
    error = RunError(label=run.label, message=None) if run.label else None
    advice = advice_on_run(run.status, error, address) or "cdsync status shows its message"
    return Blocked(
        address=address,
        reason=BlockedReason.NEEDS_ATTENTION,
        message=f"run {run.uid} ended as {run.status}{f' with {run.label}' if run.label else ''}",
        remedy=f"{advice}; to be told no more: cdsync forget {address} --run {run.uid}",
    )
