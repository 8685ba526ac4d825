"""What a document declares, once it was looked at in every respect and nothing was found wrong with it by itself.

As bytes it is far quicker to be had than by going through the document again: the values are made without a line of
Python being run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import msgspec

from cdsync.config.fields import timezone_fault
from cdsync.core.model import OneOffRun, Resource, Schedule
from cdsync.errors import Problem


@dataclass(frozen=True, slots=True)
class Checked:
    """The resources of a document, each with the names of the fields that are its own, and the warnings about them."""

    resources: Collection[tuple[Resource, Collection[str]]]
    warnings: tuple[Problem, ...] = ()


class _Line(msgspec.Struct, array_like=True):
    """As kept: in which file the document was, and from which day on it was looked ahead."""

    file: str
    day: str
    schedules: list[tuple[Schedule, list[str]]]
    runs: list[tuple[OneOffRun, list[str]]]
    warnings: list[tuple[int, int, str | None, str]]


_LINE = msgspec.json.Decoder(_Line)


def encode_checked(checked: Checked, *, file: str, day: str, most: int) -> bytes:
    """As one line of at most so many bytes; nothing where that is not enough, or something would come back otherwise.

    What stands in the defaults is written with each resource. A policy for resuming is not kept, because it depends on
    the settings as well.
    """
    if any(resource.resume is not None for resource, _ in checked.resources):
        return b""
    line = _Line(
        file=file,
        day=day,
        schedules=[(resource, sorted(own)) for resource, own in checked.resources if isinstance(resource, Schedule)],
        runs=[(resource, sorted(own)) for resource, own in checked.resources if isinstance(resource, OneOffRun)],
        warnings=[(row.line, row.column, row.address, row.message) for row in checked.warnings],
    )
    try:
        size = 0
        for row in (*line.schedules, *line.runs):
            size += len(msgspec.json.encode(row))
            if size > most:
                return b""
        encoded = msgspec.json.encode(line)
        # An offset from UTC may have seconds, which this form has not.
        return encoded if _LINE.decode(encoded) == line else b""
    except (ValueError, RecursionError):
        return b""


def decode_checked(line: bytes, *, file: str, day: str) -> Checked | None:
    """What was written of a document, if it was in this file, and looked at on this day."""
    try:
        found = _LINE.decode(line) if line else None
    except (ValueError, RecursionError):
        return None
    if found is None or (found.file, found.day) != (file, day):
        return None
    resources: Iterable[tuple[Resource, Collection[str]]] = (*found.schedules, *found.runs)
    if any(map(timezone_fault, {resource.timezone for resource, _ in resources})):
        return None  # this machine knows other zones by now
    return Checked(tuple(resources), tuple(Problem(file, *row) for row in found.warnings))
