"""What failed, remembered from pass to pass: a resource that cannot be put right is not tried in every pass.

Kept in memory only: a daemon that starts anew tries everything once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cdsync.core.actions import BlockedReason, Plan
from cdsync.core.events import Event, Failed, Succeeded, Unresolved
from cdsync.core.model import Address, DesiredState, Resource
from cdsync.core.setbacks import Setback
from cdsync.daemon.backoff import JITTER
from cdsync.errors import GuardRefused, RateLimited, StoreError, Unreachable

COMMON = (GuardRefused, RateLimited, StoreError, Unreachable)
"""Failures that say nothing about the resource that met them: another would have failed as well, or a later try not.

A write that is not permitted is no such failure: a key that may do nothing at all is met by the next look.
"""

MOST_INTERVALS = 64

Key = tuple[Address, str]


@dataclass(frozen=True, slots=True)
class _Known:
    setback: Setback
    declared: Resource | None


class Setbacks:
    """The actions that failed and wait, each for a pause that doubles with every further failure."""

    def __init__(self) -> None:
        self._known: dict[Key, _Known] = {}

    def in_force(self, desired: DesiredState) -> Mapping[Key, Setback]:
        """What waits for its time; what is declared otherwise by now is forgotten."""
        self._known = {
            key: known for key, known in self._known.items() if desired.resources.get(key[0]) == known.declared
        }
        return {key: known.setback for key, known in self._known.items()}

    def forget(self) -> None:
        """Let everything be tried again at once."""
        self._known.clear()

    def learn(
        self,
        events: Iterable[Event],
        desired: DesiredState,
        *,
        left: Plan | None,
        now: datetime,
        interval: timedelta,
    ) -> None:
        """Take note of what happened in a pass, and of what its last look showed to be left; `now` is server time."""
        met: set[Key] = set()
        for event in events:
            key = (event.action.address, event.action.kind.value)
            match event:
                case Succeeded():
                    met.add(key)
                    self._known.pop(key, None)
                case Unresolved(_, message):
                    met.add(key)
                    self._add(key, message, desired, now=now, interval=interval)
                case Failed(_, message, _, True, error) if not isinstance(error, COMMON):
                    met.add(key)
                    self._add(key, message, desired, now=now, interval=interval)
                case _:
                    pass
        if left is not None:
            waiting = {row.address for row in left.blocked if row.reason is BlockedReason.BACKING_OFF}
            self._known = {key: known for key, known in self._known.items() if key in met or key[0] in waiting}

    def _add(self, key: Key, message: str, desired: DesiredState, *, now: datetime, interval: timedelta) -> None:
        known = self._known.get(key)
        count = known.setback.count + 1 if known else 1
        # The pass that comes just then may come a little early.
        pause = interval * (min(2 ** (count - 1), MOST_INTERVALS) - JITTER)
        setback = Setback(count=count, message=message, until=now + pause)
        self._known[key] = _Known(setback, desired.resources.get(key[0]))
