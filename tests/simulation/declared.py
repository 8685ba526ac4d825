"""What the people of the simulation declare, as they write it down, and the ticks that follow from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from cdsync.core.model import Address, Kind
from cdsync.simulator.firing import next_tick

SETTINGS: Mapping[str, Any] = {
    "api": {
        "base_url": "http://localhost",
        "key": {"env": "KEY"},
        "requests_per_minute": 10_000,
        "timeout": "30s",
        "settle": "15s",
    },
    "policy": {"prune": {"mode": "delete", "grace": "1d"}},
}
GRACE = timedelta(days=1)
ATTEMPTS = 3
"""How often the default policy resumes a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One resource. `key` is what makes it the same resource under every name; its inputs carry it to the account.

    `live` is how many inputs a live run has; 0 for any other.
    """

    key: str
    name: str
    action: str
    kind: Literal["schedule", "run"] = "schedule"
    cron: str = "10 * * * *"
    timezone: str = "UTC"
    state: Literal["active", "paused", "absent"] = "active"
    version: int = 1
    was: str | None = None
    schedule_at: datetime | None = None
    live: int = 0

    @property
    def address(self) -> Address:
        """How cdsync calls it."""
        return Address(Kind(self.kind), self.name)

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Its inputs, by which its rows on the account are known."""
        if self.live:
            return [{"key": self.key, "version": self.version, "n": number} for number in range(self.live)]
        return [{"key": self.key, "version": self.version}]

    def as_yaml(self) -> dict[str, Any]:
        """Its fields in a resource file."""
        fields: dict[str, Any] = {"action": self.action, "inputs": self.inputs}
        if self.kind == "schedule":
            fields |= {"cron": self.cron, "timezone": self.timezone, "state": self.state}
        elif self.live:
            fields["mode"] = "live"
        elif self.schedule_at is not None:
            fields["schedule_at"] = self.schedule_at.isoformat()
        if self.was is not None:
            fields["was"] = self.was
        return fields

    def ticks(self, *, after: datetime, until: datetime) -> Iterator[datetime]:
        """When it fires, as the vendor reads its cron: later than the one moment, at the latest at the other."""
        tick = next_tick(self.cron, self.timezone, after.astimezone(UTC))
        while tick <= until:
            yield tick
            tick = next_tick(self.cron, self.timezone, tick)

    def ticks_at(self, moment: datetime) -> bool:
        """Whether this very moment is one of its ticks."""
        return next_tick(self.cron, self.timezone, moment - timedelta(seconds=1)) == moment


def write_root(root: Path, declared: Iterable[Declared]) -> None:
    """Write a config root; JSON is YAML."""
    document: dict[str, dict[str, Any]] = {"schedules": {}, "runs": {}}
    for one in declared:
        document[one.kind + "s"][one.name] = one.as_yaml()
    (root / "cdsync.yaml").write_text(json.dumps(SETTINGS), encoding="utf-8")
    (root / "all.yaml").write_text(json.dumps(document), encoding="utf-8")
