"""How one run of ours stands: what it has come to, what is left of its budget, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cdsync.core.advice import advice_on_run, to_run_again
from cdsync.core.model import Address, FollowedRun, Ownership, RemoteRun, ResumePolicy, RunError
from cdsync.core.progress import LiveProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStanding:
    """One run. `inputs` and `outputs` (rows) are None where the API does not say; times are aware, in UTC.

    `resumes` of `attempts` are used up. `label` and `message` are of its last error, `advice` what can move it on.
    """

    uid: str
    status: str
    created_at: datetime | None = None
    inputs: int | None = None
    outputs: int | None = None
    resumes: int = 0
    attempts: int = 0
    postponed_until: datetime | None = None
    label: str | None = None
    message: str | None = None
    advice: str | None = None

    @property
    def attempts_left(self) -> int:
        """How often it may still be resumed."""
        return max(self.attempts - self.resumes, 0)

    @property
    def words(self) -> str:
        """The run in one line."""
        parts = [f"{self.status} ({self.label})" if self.label else self.status]
        if self.inputs is not None:
            parts.append(f"{self.inputs} input{'' if self.inputs == 1 else 's'}")
        if self.outputs:
            parts.append(f"{self.outputs} row{'' if self.outputs == 1 else 's'}")
        if self.resumes:
            parts.append(f"resumed {self.resumes} of {self.attempts} times")
        if self.postponed_until is not None:
            parts.append(f"postponed until {self.postponed_until:%Y-%m-%d %H:%M}")
        return ", ".join(parts)


def standing_of(
    known: FollowedRun, seen: RemoteRun | None, owned: Ownership | None, *, policy: ResumePolicy
) -> RunStanding:
    """How a run stands: as just `seen`, else as the store remembers it."""
    status = seen.status if seen is not None else known.status
    error = seen.last_error if seen is not None else RunError(label=known.error, message=None) if known.error else None
    return RunStanding(
        uid=known.uid,
        status=status,
        created_at=known.created_at,
        inputs=_inputs(owned),
        outputs=seen.output_count if seen is not None and seen.output_count is not None else known.outputs,
        resumes=known.resumes,
        attempts=policy.attempts,
        postponed_until=seen.postponed_until if seen is not None else known.postponed_until,
        label=error.label if error is not None else None,
        message=error.message if error is not None else None,
        advice=known.refusal or advice_on_run(status, error, known.address),
    )


def _inputs(owned: Ownership | None) -> int | None:
    """How many inputs it was given, by what was last applied."""
    told = str(owned.synopsis.get("inputs", "")).split(" ", 1)[0] if owned is not None else ""
    return int(told) if told.isdecimal() else None


def nothing_to_resume(address: Address, runs: Iterable[FollowedRun], live: LiveProgress | None) -> str:
    """Why there is nothing to resume of a resource, by its newest run, and what to do where that did not end well."""
    none = "none of its runs stands still"
    if live is not None:
        return f"{none}: {live.words}"
    ours = [run for run in runs if run.address == address]
    newest = max(ours, key=lambda run: (run.created_at is not None, run.created_at, run.uid), default=None)
    if newest is None:
        return f"{none}: none is known"
    state = f"{none}: run {newest.uid} is {newest.status}" + (f" with {newest.error}" if newest.error else "")
    if not newest.finished or newest.status == "SUCCEEDED":
        return state
    error = RunError(label=newest.error, message=None) if newest.error else None
    advice = advice_on_run(newest.status, error, address) or f"this run is over: {to_run_again(address)}"
    return f"{state}, which no resume moves on; {advice}"
