"""Which creations nobody knows the outcome of while a plan is carried out, so that none is sent that looks the same.

It holds what the journal holds, by what the objects would be known by, and so is asked for each creation at no cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

from cdsync.core.context import work_key
from cdsync.core.echo import loosely
from cdsync.core.fingerprint import canonical
from cdsync.core.model import Address
from cdsync.core.records import Intent


class Doubts:
    """The creations that have left and of which no answer has come, by address."""

    def __init__(self, intents: Iterable[Intent]) -> None:
        self._by_key: defaultdict[Hashable, dict[Address, int]] = defaultdict(dict)
        for intent in intents:
            self.begin(intent)

    def begin(self, intent: Intent) -> None:
        """Take up a creation that is about to leave."""
        alike = self._by_key[_key_of(intent)]
        alike[intent.address] = alike.get(intent.address, 0) + 1

    def end(self, intent: Intent) -> None:
        """Drop a creation whose outcome is known."""
        alike = self._by_key[_key_of(intent)]
        alike[intent.address] -= 1
        if not alike[intent.address]:
            del alike[intent.address]

    def twin_of(self, address: Address, key: Hashable) -> Address | None:
        """Another resource whose object, if there is one, could be taken for that of this one."""
        return next((other for other in self._by_key.get(key, {}) if other != address), None)


def _key_of(intent: Intent) -> Hashable:
    """What the object of a creation would be known by."""
    record = intent.record
    if record is None:
        return None
    if record.cron is not None:
        return ("schedule", *work_key(record.action, record.cron))
    return ("run", record.action, intent.schedule_at or canonical(loosely(intent.parameters)))
