"""From ordinary code into what has to be awaited, and back with its result."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in an event loop of its own, and give its result.

    The result is not that of asyncio's own task: when the loop ends, Python looks at the handler of signals, which
    leads to an error whose text spells out the task with all of its result. For a plan of thousands of schedules that
    takes half as long as everything before.
    """
    results: list[T] = []

    async def working() -> None:
        results.append(await work)

    asyncio.run(working())
    return results[0]
