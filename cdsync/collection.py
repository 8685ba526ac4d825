"""The cyclic collector of Python, spared the walk through what lives on: a declaration, a state, a look at the account.

There may be a million such values, none of them in a circle, and the collector would go through all of them again and
again.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 50_000
"""So many new containers are worth setting aside."""

WHOLE = 16
"""Of so many collections one goes through everything: something may have got into a circle after it was set aside."""


@contextmanager
def without_collection() -> Iterator[None]:
    """Hold the collector for the duration of a block, or of a call, and set aside what was made if it is much."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if gc.get_count()[0] > MANY:
                gc.freeze()
            gc.enable()


@contextmanager
def rare_collection() -> Iterator[None]:
    """Let the collector wait until much is new, for a block that takes too long to hold it altogether."""
    usual = gc.get_threshold()
    gc.set_threshold(MANY, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


class Collector:
    """Frees what each pass of a long life leaves behind in circles, before the next one needs as much again."""

    def __init__(self) -> None:
        self._collections = 0

    def collect(self) -> None:
        """Free what is in circles and not set aside; now and then, all that is."""
        self._collections += 1
        whole = self._collections % WHOLE == 0 and gc.get_freeze_count() > 0
        if whole:
            gc.unfreeze()
        gc.collect()
        if whole:
            gc.freeze()
