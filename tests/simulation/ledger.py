"""What was declared when, what people did by hand, and what follows from both: what may happen, and what must.

A resource is *settled* from a pass that leaves nothing to do for it until somebody edits it or lays hands on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.simulation.declared import Declared


class BrokenPromise(AssertionError):
    """A promise of the design was broken: which one, and how."""

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise}: {what}")
        self.promise = promise


@dataclass
class Thread:
    """The story of one resource under all its names. `last` is the version before the settled one, if any.

    `versions` are those declared since it was settled last, None for not declared. `touched`: cdsync has begun to
    change its objects since then. `hand`: a person has. `resumed_by_hand`: so that two of them may be active.
    """

    settled: Declared | None = None
    last: Declared | None = None
    settled_at: datetime | None = None
    versions: list[Declared | None] = field(default_factory=list)
    touched: bool = False
    hand: bool = False
    resumed_by_hand: bool = False
    undeclared_at: datetime | None = None

    @property
    def disturbed(self) -> bool:
        """Whether there is any reason for cdsync to change its objects."""
        return bool(self.versions) or self.hand or self.settled_at is None

    def settle(self, declared: Declared | None, now: datetime) -> None:
        """Nothing is left to do for it."""
        if self.disturbed or self.touched:
            known = [version for version in (self.last, self.settled, *self.versions) if version is not None]
            self.last = known[-1] if known else None
            self.settled, self.settled_at = declared, now
        self.versions.clear()
        self.touched = self.hand = self.resumed_by_hand = False

    def may_tick_at(self, moment: datetime, *, created_at: datetime) -> bool:
        """Whether an object that was created then may fire at this moment, by any version that may be in force.

        One that is declared paused may if a person has resumed it; or if the process died after its creation and before
        its pause, because the API cannot create it paused.
        """
        half_made = self.touched and (self.settled_at is None or created_at >= self.settled_at)
        earlier = self.last if self.resumed_by_hand else None
        versions = [version for version in (earlier, self.settled, *self.versions) if version is not None]
        return any(
            version.ticks_at(moment) and (version.state == "active" or self.resumed_by_hand or half_made)
            for version in versions
        )

    def must_tick(self) -> Declared | None:
        """The version whose ticks all have to come, if there is one.

        A tick may be missed only between the moment at which cdsync (or a person) begins to change the objects of a
        resource and the end of the pass that settles it: so while no process lived, or the API refused or failed.
        """
        if self.touched or self.hand or self.settled is None or self.settled.kind != "schedule":
            return None
        return self.settled if self.settled.state == "active" else None


@dataclass
class Ledger:
    """All threads, and what is declared now."""

    declared: dict[str, Declared] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)

    def thread(self, key: str) -> Thread:
        """The thread of a resource."""
        return self.threads.setdefault(key, Thread())

    def declare(self, one: Declared) -> None:
        """Write a resource down, new or changed."""
        thread = self.thread(one.key)
        thread.versions.append(one)
        self.declared[one.key] = one

    def undeclare(self, key: str, *, now: datetime) -> None:
        """Take a resource out of the declaration."""
        del self.declared[key]
        thread = self.thread(key)
        thread.versions.append(None)
        thread.undeclared_at = thread.undeclared_at or now

    def seen(self) -> None:
        """A pass has seen the declaration: the grace of what is declared again is over."""
        for key in self.declared:
            self.thread(key).undeclared_at = None
