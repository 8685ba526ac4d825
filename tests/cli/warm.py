"""Commands as processes of their own that need not import everything anew: a process that has done so forks for each.

Nothing but the imports is shared: every command has its own arguments, environment, standard streams and exit code.
`python -m tests.cli.warm` is the process that forks. It has no thread, so a fork of it is as good as a start.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from cdsync.api.trust import trust_for
from cdsync.cli.root import COMMANDS, main

LATE = ("structlog", "cdsync.render.coming_calendar", "cdsync.render.plan_html")
"""What a command imports only when it comes to that."""

NOWHERE = "http://127.0.0.1:9"
STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


class Warm:
    """The other end: sends orders to such a process, one at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.cli.warm"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        atexit.register(self.close)

    def run(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], stdin: str, patience: float
    ) -> tuple[int, str, str]:
        """Run a command to its end, `patience` seconds at most; gives its exit code, output and errors."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory(prefix="cdsync-warm-") as folder:
            paths = [Path(folder) / name for name, _ in STREAMS]
            paths[0].write_text(stdin, encoding="utf-8")
            order = {"arguments": arguments, "environment": dict(environment), "streams": list(map(str, paths))}
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            if not select.select([self._process.stdout], [], [], patience)[0]:
                os.killpg(self._process.pid, signal.SIGKILL)
            code = self._process.stdout.readline()
            assert code, f"{arguments}: did not end in {patience} s"
            return int(code), paths[1].read_text(encoding="utf-8"), paths[2].read_text(encoding="utf-8")

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate()


@cache
def warm() -> Warm:
    """The one of this process, started when it is first needed."""
    return Warm()


def serve() -> None:
    """Fork for each order on standard input, and answer with the exit code."""
    for module in (*(f"cdsync.cli.{module}" for module, _ in COMMANDS.values()), *LATE):
        importlib.import_module(module)
    asyncio.run(_knock())
    gc.freeze()
    while line := sys.stdin.readline():
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


async def _knock() -> None:
    """Send a request where nobody listens: httpx imports what it needs when it needs it."""
    async with httpx.AsyncClient(verify=trust_for(NOWHERE)) as client:
        with suppress(httpx.TransportError):
            await client.get(NOWHERE)


def _become(order: Mapping[str, Any]) -> None:
    """Be the command that was ordered, and end as it ends."""
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    for descriptor, ((name, mode), path) in enumerate(zip(STREAMS, order["streams"], strict=True)):
        opened = os.open(path, os.O_RDONLY if mode == "r" else os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)
        setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 # for the rest of its life
    main(order["arguments"])


if __name__ == "__main__":
    serve()
