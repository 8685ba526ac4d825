"""Every error that cdsync raises, as one tree, so that a caller can say what it means to handle.

An error answers three questions: may the next pass succeed without anybody's help (`retryable`), may the request have
taken effect (only `OutcomeUnknown`), and which exit code does the command end with (`exit_code`)::

    CdsyncError
    |-- ConfigError             the declaration is wrong; carries every Problem found
    |-- UnresolvedReference     {env:}, {file:} or {credential:} points at nothing
    |-- UnknownAddress          an address or a glob that matches nothing
    |-- ApiError                the HTTP API
    |   |-- Unreachable         the request was never sent: no effect
    |   |-- OutcomeUnknown      a write was sent and its answer was lost: it may have taken effect
    |   |-- RateLimited         429 to the last attempt: no effect
    |   |-- Unauthorized        401 or 403: the key, not the resource
    |   |-- Rejected            any other 4xx: no effect, and the same request will be refused again
    |   |   `-- NotFound        404
    |   |-- ServerFault         a read failed with 5xx or a broken connection
    |   |-- BadAnswer           an answer that cannot be understood
    |   |-- NotAsCreated        what was created is not there as it was sent
    |   `-- WrongWorkspace      the key opens another workspace than the state belongs to
    |-- GitError                the repository that the declaration comes from
    |   |-- GitUnreachable      the remote cannot be reached, or refuses us
    |   |   `-- GitTimedOut     it has not answered in time
    |   |-- GitDamaged          our copy of it is damaged
    |   `-- CommitRefused       a commit that is not signed as it must be, rewrites history, or declares nothing
    |-- StoreError              the state file
    |   |-- StoreBusy           another process writes it; names the holder
    |   |-- StoreCorrupt        it is damaged
    |   |-- StoreTooNew         a newer cdsync wrote it
    |   `-- StoreUnwritable     read-only, full, or not permitted
    |-- ResultsUnwritable       the files of a live run cannot be written
    `-- GuardRefused            a safety limit of the policy; exit code 4
        `-- StalePlan           the decisions of a saved plan no longer hold

This module may import nothing of the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class CdsyncError(Exception):
    """The root: `str(error)` is one message for a person, `remedy` says what to do about it."""

    retryable = False
    exit_code = 1

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of the declaration: where it stands (1-based), whose it is, and what was expected instead."""

    file: str
    line: int
    column: int
    address: str | None
    message: str

    def __str__(self) -> str:
        """`file:line:col: address: message`, without the address where the fault belongs to no resource."""
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.address}: {self.message}" if self.address else f"{where}: {self.message}"


class ConfigError(CdsyncError):
    """The declaration is refused; `problems` holds every fault, in the order of their places.

    `commit` is the full id of the one that declares it so, where it comes from a repository.
    """

    commit: str | None = None

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class UnresolvedReference(CdsyncError):
    """A reference to a secret points at nothing; the message names the reference, never a value."""


class UnknownAddress(CdsyncError):
    """No resource has this address, or none matches this glob."""


class ApiError(CdsyncError):
    """A request failed. `status` is the HTTP status, if one was received; `label`, `scope` and `ref` are the API's.

    `postponed_until` is when it may be tried again, where the API said so (aware, in UTC).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        label: str | None = None,
        scope: str | None = None,
        ref: str | None = None,
        postponed_until: datetime | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.postponed_until = postponed_until
        self.status = status
        self.label = label
        self.scope = scope
        self.ref = ref


class Unreachable(ApiError):
    """The connection could not be made, so the request has had no effect."""

    retryable = True


class OutcomeUnknown(ApiError):
    """A write was sent, and no answer says whether it took effect. It must be resolved by looking, never repeated.

    `timed_out` says that it was waited for as long as a request may take.
    """

    retryable = True
    timed_out = False

    @property
    def over(self) -> bool:
        """Whether the server is done with it, as far as its sender can know: a broken connection does not tell, nor an
        error of what stands before the server (502, 503, 504)."""
        return self.timed_out or (self.status is not None and self.status <= 500)


class RateLimited(ApiError):
    """The API refused with 429 for as long as cdsync was willing to wait; no effect."""

    retryable = True


class Unauthorized(ApiError):
    """401 or 403: the key is missing, wrong, revoked or of another workspace. Says nothing about what exists."""


class Rejected(ApiError):
    """The API refused the request; it has had no effect, and would be refused again."""


class NotFound(Rejected):
    """404: the API knows no such object."""


class ServerFault(ApiError):
    """A read failed on the server's side or on the way."""

    retryable = True


class BadAnswer(ApiError):
    """The answer is not what the API documents, so nothing may be concluded from it."""

    retryable = True


class NotAsCreated(ApiError):
    """What was just created is not shown, or is shown otherwise than it was sent; it may well exist."""


class WrongWorkspace(ApiError):
    """The key opens another workspace than the one that the state belongs to."""


class GitError(CdsyncError):
    """The declaration cannot be had from its repository."""


class GitUnreachable(GitError):
    """The remote cannot be reached, or refuses us."""

    retryable = True


class GitTimedOut(GitUnreachable):
    """Git has not ended within its time limit, and was killed."""


class GitDamaged(GitError):
    """The copy that cdsync keeps of the repository cannot be read; it is made anew."""

    retryable = True


class CommitRefused(GitError):
    """A commit may not be followed: its signature, its history or its folder is not as it must be.

    `commit` is its full id.
    """

    commit: str | None = None


class StoreError(CdsyncError):
    """The state file cannot be used."""


class StoreBusy(StoreError):
    """Another process holds the state; `holder` says which."""

    retryable = True

    def __init__(self, message: str, *, holder: str, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.holder = holder


class StoreCorrupt(StoreError):
    """The state file is damaged, or no state file at all."""


class StoreTooNew(StoreError):
    """A newer cdsync has migrated the state; this one would misread it."""


class StoreUnwritable(StoreError):
    """The state cannot be written: read-only, a full disk, or missing permission."""

    retryable = True


class ResultsUnwritable(CdsyncError):
    """The result files of a live run cannot be written: read-only, a full disk, or missing permission."""

    retryable = True


class GuardRefused(CdsyncError):
    """A limit of the policy would be passed; nothing was done."""

    exit_code = 4


class StalePlan(GuardRefused):
    """A saved plan decides something else than a plan made now."""
