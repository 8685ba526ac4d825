"""What an examination found: one value for each thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad a finding is, the best first."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, how it is, and what to do about it; `detail` and `remedy` never hold a secret."""

    grade: Grade
    what: str
    detail: str
    remedy: str | None = None


def ok(what: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(grade=Grade.OK, what=what, detail=detail)


def warn(what: str, detail: str, remedy: str | None = None) -> Finding:
    """It works, but not as it should or not for long."""
    return Finding(grade=Grade.WARN, what=what, detail=detail, remedy=remedy)


def fail(what: str, detail: str, remedy: str | None = None) -> Finding:
    """It does not work."""
    return Finding(grade=Grade.FAIL, what=what, detail=detail, remedy=remedy)
