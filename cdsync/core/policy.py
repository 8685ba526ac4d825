"""What the planner may do without asking: the limits that a team sets once in its settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from cdsync.core.model import ResumePolicy


class PruneMode(StrEnum):
    """What happens to an owned schedule that is no longer declared."""

    DELETE = "delete"
    PAUSE = "pause"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on how many resources one plan may touch: a count, or a share (0 to 1) of what is owned.

    `always` are allowed however small the share comes out, so that a team with four schedules can remove one.
    """

    count: int | None = None
    share: float | None = None
    always: int = 1

    def allows(self, touched: int, *, owned: int) -> bool:
        """Whether `touched` of `owned` resources stay within the limit."""
        return touched <= self.ceiling(owned)

    def ceiling(self, owned: int) -> int:
        """How many of `owned` resources may be touched."""
        bound = self.count if self.count is not None else int((self.share or 0.0) * owned)
        return max(bound, self.always)

    def __str__(self) -> str:
        return str(self.count) if self.count is not None else f"{(self.share or 0.0) * 100:g}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The `policy` of the settings, and the `owner` by whose label objects are recognised.

    `settle` is that of the API: how long what was just made may not be shown yet.
    `allow_lookalikes` is never a setting: a person says so for one apply.
    """

    owner: str = "cdsync"
    prune: PruneMode = PruneMode.DELETE
    grace: timedelta = timedelta(days=1)
    settle: timedelta = timedelta(seconds=15)
    max_removals: Limit = field(default_factory=lambda: Limit(share=0.25, always=1))
    max_changes: Limit = field(default_factory=lambda: Limit(share=0.5, always=10))
    resume: ResumePolicy = field(default_factory=ResumePolicy)
    allow_lookalikes: bool = False


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> timedelta:
    """The length of a duration such as `30s`, `5m`, `2h` or `1d`.

    Raises:
        ValueError: it is none.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not (number.isascii() and number.isdigit()) or len(number) > 6:
        raise ValueError(f"{text!r} is no duration; expected 30s, 5m, 2h or 1d")
    return timedelta(seconds=int(number) * _UNITS[unit])


def duration_text(duration: timedelta) -> str:
    """A duration as the settings write it: `1d`, `2h`, `5m`, `30s`."""
    seconds = int(duration.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
