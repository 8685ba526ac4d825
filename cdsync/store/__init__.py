"""What cdsync remembers: ownership, journal, history. SQLite, one file, mode 0600, one writer.

The journal is written before a request leaves and closed after its answer, in one transaction with the ownership that
follows from it. Readers work on a snapshot and never wait. The package knows neither the API nor the configuration.
"""

from __future__ import annotations

from cdsync.store.opening import open_beside, open_reader, open_writer, state_holder
from cdsync.store.refusal import refused_commit, remember_refused
from cdsync.store.store import Store

__all__ = [
    "Store",
    "open_beside",
    "open_reader",
    "open_writer",
    "refused_commit",
    "remember_refused",
    "state_holder",
]
