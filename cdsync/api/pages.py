"""Pages of listings, from their bytes to their rows; a page that says what it said before costs its digest.

An account of thousands of schedules is listed at every pass, and hardly any of its pages ever changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from cdsync.api.answers import json_of
from cdsync.api.parse import parse_page, parse_rows, parse_run, parse_schedule
from cdsync.core.model import RemoteRun, RemoteSchedule


def schedules_in(content: bytes) -> Sequence[RemoteSchedule]:
    """The schedules of a page.

    Raises:
        BadAnswer: it is no page of schedules.
        ValueError, RecursionError: it is no JSON.
    """
    page = parse_page(content)
    return page if page is not None else tuple(map(parse_schedule, parse_rows(json_of(content), what="schedules")))


def runs_in(content: bytes) -> Sequence[RemoteRun]:
    """The runs of a page; raises like `schedules_in`."""
    return tuple(map(parse_run, parse_rows(json_of(content), what="runs")))


class Pages:
    """Pages of schedules by the digest of their bytes, as they were read in this listing and in the one before."""

    def __init__(self) -> None:
        self._before: Mapping[bytes, Sequence[RemoteSchedule]] = {}
        self._now: dict[bytes, Sequence[RemoteSchedule]] = {}

    def begin(self) -> None:
        """Forget what the last listing has not shown again."""
        self._before, self._now = self._now, {}

    def schedules_in(self, content: bytes) -> Sequence[RemoteSchedule]:
        """The schedules of a page; raises like `schedules_in`."""
        digest = hashlib.sha256(content).digest()
        page = self._before.get(digest)
        if page is None:
            page = schedules_in(content)
        self._now[digest] = page
        return page
