"""The collector in a process of its own, because what it sets aside is the whole process's."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

STORIES = {
    "much that lives on is not walked through again": """
        with without_collection():
            kept = [[] for _ in range(MANY + 1)]
        assert gc.isenabled() and gc.get_freeze_count() > MANY
    """,
    "a little is left to the collector": """
        with without_collection():
            kept = [[] for _ in range(100)]
        assert gc.isenabled() and gc.get_freeze_count() == 0
    """,
    "only the outermost block ends the hold": """
        with without_collection():
            with without_collection():
                kept = [[] for _ in range(MANY + 1)]
            assert not gc.isenabled() and gc.get_freeze_count() == 0
        assert gc.isenabled()
    """,
    "an error ends the hold as well": """
        with suppress(KeyError), without_collection():
            raise KeyError
        assert gc.isenabled()
    """,
    "while much comes in it is rarely walked through": """
        usual = gc.get_threshold()
        with rare_collection():
            before = collections()
            kept = [[] for _ in range(MANY // 2)]
            assert gc.isenabled() and collections() == before
            kept += [[] for _ in range(MANY)]
            assert collections() > before
        assert gc.get_threshold() == usual
    """,
    "a circle that is not set aside is freed at once": """
        circle = Circle()
        gone = weakref.ref(circle)
        del circle
        Collector().collect()
        assert gone() is None
    """,
    "a circle that was set aside is freed in the end": """
        circle, collector = Circle(), Collector()
        gone = weakref.ref(circle)
        with without_collection():
            kept = [[] for _ in range(MANY + 1)]
        del circle
        for _ in range(WHOLE):
            collector.collect()
        assert gone() is None
        assert gc.get_freeze_count() > MANY
    """,
}

PREAMBLE = """
import gc, weakref
from contextlib import suppress
from cdsync.collection import MANY, WHOLE, Collector, rare_collection, without_collection

def collections():
    return sum(generation["collections"] for generation in gc.get_stats())

class Circle:
    def __init__(self):
        self.itself = self
"""


@pytest.mark.parametrize("story", STORIES)
def test_the_collector(story: str) -> None:
    program = PREAMBLE + textwrap.dedent(STORIES[story])
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
