"""The rate limit: a sliding window of one minute, in simulated time, over all requests of the account."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta

from cdsync.simulator.refusals import Refusal

WINDOW = timedelta(minutes=1)


class RateLimit:
    """Remembers when the requests of the last minute came in."""

    def __init__(self) -> None:
        self._admitted: deque[datetime] = deque()

    def admit(self, now: datetime, path: str, per_minute: int | None) -> None:
        """Count a request.

        Raises:
            Refusal: 429 when the window is full; refused requests do not count.
        """
        if per_minute is None:
            return
        while self._admitted and self._admitted[0] <= now - WINDOW:
            self._admitted.popleft()
        if len(self._admitted) >= per_minute:
            wait = (self._admitted[0] + WINDOW - now).total_seconds() if self._admitted else WINDOW.total_seconds()
            raise too_many(path, wait)
        self._admitted.append(now)


def too_many(path: str, seconds: float) -> Refusal:
    """429 with the headers that tell how long to wait."""
    wait = str(max(1, math.ceil(seconds)))
    headers = {
        "Retry-After": wait,
        "X-RateLimit-Type": "/".join(path.split("/")[:4]),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": wait,
    }
    return Refusal(429, "Too many requests", label="STATUS_429", scope="server", headers=headers)
