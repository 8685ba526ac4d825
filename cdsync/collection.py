"""The cyclic collector of Python, held while much is made that lives on: it would walk all of that again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def collect() -> None:
    """Free what a pass leaves behind in circles, before the next one needs as much again."""
    gc.collect()


@contextmanager
def without_collection() -> Iterator[None]:
    """Hold the cyclic collector for the duration of a block, or of a call."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
