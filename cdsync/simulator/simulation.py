"""What every operation works with: the account, the choices, the time, and the request that came in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cdsync.simulator.account import Account
from cdsync.simulator.faults import Fault, Faults
from cdsync.simulator.firing import advance
from cdsync.simulator.limits import RateLimit
from cdsync.simulator.options import SimulatorOptions

NOTHING: Any = object()
"""The body of a request that has none; null is a body."""


@dataclass(slots=True, kw_only=True)
class Simulation:
    """One simulated account being served; `options` may be replaced while it runs."""

    options: SimulatorOptions
    account: Account
    time: Callable[[], datetime]
    faults: Faults = field(default_factory=Faults)
    rate_limit: RateLimit = field(default_factory=RateLimit)

    def now(self) -> datetime:
        """The time to the millisecond, which is all that the API ever shows."""
        now = self.time()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def catch_up(self) -> datetime:
        """Let everything happen that is due, and say what time it is."""
        now = self.now()
        advance(self.account, now)
        return now


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, read: `url` is without its query, `fault` is what interferes with it."""

    now: datetime
    url: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    body: Any = NOTHING
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer."""

    payload: Any
    headers: Mapping[str, str] = field(default_factory=dict)


Operation = Callable[[Simulation, Call], Answer]
