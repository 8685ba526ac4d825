"""What `validate` found, for programs: one JSON document, or the annotations that GitHub shows beside the lines."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cdsync.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All faults and warnings of a declaration, and how much it declares.

    `fault` is why it could not be read at all, such as a folder that is not there; it belongs to no line.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    fault: str | None = None
    schedules: int = 0
    runs: int = 0
    files: int = 0

    @property
    def valid(self) -> bool:
        """Whether plan and apply would take it."""
        return not self.problems and self.fault is None


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain data."""
    return {
        "format_version": 1,
        "valid": verdict.valid,
        "fault": verdict.fault,
        "problems": [_problem(row) for row in verdict.problems],
        "warnings": [_problem(row) for row in verdict.warnings],
        "schedules": verdict.schedules,
        "runs": verdict.runs,
        "files": verdict.files,
    }


def _problem(row: Problem) -> dict[str, Any]:
    return {
        "file": row.file,
        "line": row.line,
        "column": row.column,
        "address": row.address,
        "message": row.message,
    }


def workflow_commands(verdict: Verdict, *, folder: str) -> str:
    """The verdict as workflow commands, one in each line.

    `folder` is the config root, relative to the top of the checkout: annotations name files from there.
    """
    return "".join(f"{line}\n" for line in _commands(verdict, folder))


def _commands(verdict: Verdict, folder: str) -> Iterator[str]:
    if verdict.fault is not None:
        yield f"::error title=cdsync::{_data(verdict.fault)}"
    for level, rows in (("error", verdict.problems), ("warning", verdict.warnings)):
        for row in rows:
            file = posixpath.normpath(posixpath.join(folder, row.file))
            place = f"file={_property(file)},line={row.line},col={row.column}"
            title = _property(row.address or "cdsync")
            yield f"::{level} {place},title={title}::{_data(row.message)}"


def _data(text: str) -> str:
    """The message of a command: a line break in it would begin another one."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
