"""The vocabulary of a plan: what is done, why, what is not done, and what moved. Data only, with no callables in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cdsync.core.diff import FieldChange, drift_of
from cdsync.core.model import Address, Ownership, RemoteSchedule
from cdsync.core.values import value_class


class ActionKind(StrEnum):
    """What a row of a plan does; the value is its name in plan.json."""

    CREATE = "create"
    LAUNCH = "launch"
    ADOPT = "adopt"
    RENAME = "rename"
    UPDATE = "update"
    REPLACE = "replace"
    RESUME = "resume"
    RESUME_RUN = "resume-run"
    PAUSE = "pause"
    DELETE = "delete"
    FORGET = "forget"
    FETCH = "fetch"


PHASES: Mapping[ActionKind, int] = {
    ActionKind.RENAME: 0,
    ActionKind.ADOPT: 0,
    ActionKind.FORGET: 0,
    ActionKind.CREATE: 1,
    ActionKind.LAUNCH: 1,
    ActionKind.UPDATE: 2,
    ActionKind.REPLACE: 2,
    ActionKind.RESUME: 2,
    ActionKind.RESUME_RUN: 2,
    ActionKind.PAUSE: 2,
    ActionKind.DELETE: 3,
    ActionKind.FETCH: 4,
}
"""The order of kinds: what only the store remembers, what brings into being, what changes, what removes, what takes its
time."""


BRINGS_INTO_BEING = frozenset({ActionKind.CREATE, ActionKind.LAUNCH, ActionKind.REPLACE})
"""What must not be found missing when something else is removed."""


COSTLY = frozenset({ActionKind.CREATE, ActionKind.LAUNCH, ActionKind.FETCH, ActionKind.RESUME_RUN})
"""What may cost credits, and so is done only if a plan that was approved has it."""


class Reason(StrEnum):
    """Why a row stands in a plan."""

    NEW = "new"
    GONE = "gone"
    LABEL_MATCH = "label-match"
    RENAMED = "renamed"
    CHANGED = "changed"
    DRIFTED = "drifted"
    HALF_REPLACED = "half-replaced"
    UNDECLARED = "undeclared"
    GRACE_OVER = "grace-over"
    DECLARED_AGAIN = "declared-again"
    DECLARED_ABSENT = "declared-absent"
    STOPPED = "stopped"
    UNFINISHED = "unfinished"


class BlockedReason(StrEnum):
    """Why something is left undone."""

    LOOKALIKE = "lookalike"
    AMBIGUOUS = "ambiguous"
    UNRESOLVED_OUTCOME = "unresolved-outcome"
    UNRESOLVED_REFERENCE = "unresolved-reference"
    PROTECTED = "protected"
    DEFERRED = "deferred"
    TOO_LATE = "too-late"
    LAUNCHED_CHANGED = "launched-changed"
    LAUNCHED_UNDECLARED = "launched-undeclared"
    KEPT = "kept"
    HELD = "held"
    NOT_CONVERGING = "not-converging"
    BACKING_OFF = "backing-off"
    INPUTS_MISSING = "inputs-missing"
    WAITING = "waiting"
    LIMITED = "limited"
    NEEDS_ATTENTION = "needs-attention"

    @property
    def pending(self) -> bool:
        """Whether the account differs from the declaration because of it, so that a plan is not empty."""
        return self not in {
            BlockedReason.LAUNCHED_CHANGED,
            BlockedReason.LAUNCHED_UNDECLARED,
            BlockedReason.KEPT,
            BlockedReason.HELD,
            BlockedReason.WAITING,
            BlockedReason.NEEDS_ATTENTION,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One row: what is done to one resource, and why.

    `uid` is the API object that it works on, if there is one yet. `why` is a sentence for a person and, like
    `first_fire`, no part of the decision: it may hold volatile facts.
    """

    address: Address
    kind: ActionKind
    reason: Reason
    why: str
    uid: str | None = None
    changes: tuple[FieldChange, ...] = ()
    first_fire: datetime | None = None

    @property
    def removes(self) -> bool:
        """Whether it takes something off the account, or begins to."""
        if self.kind is ActionKind.DELETE:
            return self.reason is not Reason.HALF_REPLACED
        return self.kind is ActionKind.PAUSE and self.reason is Reason.UNDECLARED

    @property
    def phase(self) -> int:
        """When it is carried out: a half-made replacement is settled first, removals come last."""
        if self.reason is Reason.HALF_REPLACED:
            return 0
        return 3 if self.removes else PHASES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Something that is not done: why, what it would have changed, and what to do about it.

    `until` is when it can be done without anybody's help.
    """

    address: Address
    reason: BlockedReason
    message: str
    remedy: str | None = None
    until: datetime | None = None
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The remote moved: one field, from what was last applied to what is there now."""

    address: Address
    path: str
    applied: str | None
    found: str | None


def drift_rows(owned: Ownership, remote: RemoteSchedule) -> tuple[Drift, ...]:
    """How the remote moved since the last apply, one row per field."""
    moved = drift_of(remote, owned)
    if not moved:
        return ()
    return tuple(
        Drift(address=owned.address, path=row.path, applied=_shown(row.before), found=_shown(row.after))
        for row in moved
    )


def _shown(value: object) -> str | None:
    return None if value is None else str(value)


@value_class(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided for one resource."""

    actions: tuple[Action, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A limit that the plan would pass: which, how many, of how many, and the flag that lifts it."""

    limit: str
    counted: int
    allowed: int
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would happen, in the order in which it would, what would not, and what moved since the last time."""

    actions: tuple[Action, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    drift: tuple[Drift, ...] = ()
    violations: tuple[Violation, ...] = field(default=())

    @property
    def pending(self) -> bool:
        """Whether the account is not yet as declared."""
        return bool(self.actions) or any(blocked.reason.pending for blocked in self.blocked)
