"""Runs the real daemon as a process, and waits for what it logs or answers; never for time to pass."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cli.process import Shell

PATIENCE = 60.0
"""Seconds after which something that was waited for is taken not to come."""

Entry = dict[str, Any]


@dataclass(slots=True)
class Daemon:
    """A daemon that runs. `log` is all that it has logged and a test has waited through."""

    process: subprocess.Popen[str]
    lines: queue.Queue[str | None]
    log: list[Entry] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def wait_for(self, event: str, when: Callable[[Entry], bool] = lambda _: True) -> Entry:
        """The next entry of this event, from here on, that is so."""
        deadline = time.monotonic() + PATIENCE
        while (entry := self._next(deadline)) is not None:
            if entry.get("event") == event and when(entry):
                return entry
        raise AssertionError(f"no {event} came: {self.log[-20:]} {self.other}")

    def wait_for_pass(self, result: str) -> Entry:
        """The next pass that ends so."""
        return self.wait_for("pass.finished", lambda entry: entry["result"] == result)

    def _next(self, deadline: float) -> Entry | None:
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return None
            if line is None:
                return None
            try:
                entry: Entry = json.loads(line)
            except ValueError:
                self.other.append(line)
                continue
            self.log.append(entry)
            return entry

    def send(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Let it end by a signal; gives its exit code, when all that it logged has been read."""
        self.send(number)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; gives its exit code, when all that it logged has been read."""
        code = self.process.wait(timeout=PATIENCE)
        while self._next(time.monotonic() + PATIENCE) is not None:
            pass
        return code


@contextmanager
def daemon(shell: Shell, *arguments: str, **environment: str) -> Iterator[Daemon]:
    """Run `cdsync daemon` for the duration of a `with` block."""
    process = subprocess.Popen(
        shell.command("--log-format", "json", "--log-level", "debug", "daemon", *arguments),
        env=shell.variables(**environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, lines), name="daemon-log")
    reader.start()
    try:
        yield Daemon(process, lines)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    with process.stdout as stream:
        for line in stream:
            lines.put(line)
    lines.put(None)
