"""What is known of an action that failed, for whoever makes one pass after another and does not want to insist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """That an action failed so often in a row: of what the last time, and until when (server time) it waits."""

    count: int
    message: str
    until: datetime
