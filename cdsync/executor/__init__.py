"""Carries out a plan: the intent is on disk before a request leaves, the outcome after its answer.

One action fails alone; the others go on. Nothing that may have taken effect is repeated here: it is left open in the
journal, for `resolution` to look for.
"""

from __future__ import annotations

from cdsync.executor.execute import Report, Result, execute
from cdsync.executor.journaled import Workshop

__all__ = ["Report", "Result", "Workshop", "execute"]
