"""Waiting for another process, where nothing tells of what is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which something that was waited for is taken not to come."""


def until(wanted: Callable[[], bool]) -> None:
    """Return as soon as something is so."""
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not wanted():
        assert time.monotonic() < deadline, "it did not come"
        pause.wait(0.02)
