"""What a unit wrote into the journal, and what systemd wrote there about it, waited for as it comes."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.systemd.machine import Machine

PATIENCE = 60.0
"""Seconds after which something that was waited for is taken not to come."""

STARTED = "39f53479d3a045ac8e11786248231fbf"
FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
RESTARTING = "5eb03494b6584870a536b337290809b3"
"""What systemd tells of units, by MESSAGE_ID (sd-messages.h)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its fields, and what its message says where that is JSON."""

    fields: Mapping[str, Any]
    said: Mapping[str, Any]

    @classmethod
    def parse(cls, line: str | bytes) -> Entry:
        """An entry as `journalctl -o json` prints it."""
        fields = json.loads(line)
        try:
            said = json.loads(fields["MESSAGE"])
        except (TypeError, ValueError):
            said = None
        return cls(fields, said if isinstance(said, dict) else {})


@dataclass(slots=True)
class Journal:
    """The journal of one unit from a moment on. `seen` is what has been waited through."""

    stream: int
    rest: bytes = b""
    seen: list[Entry] = field(default_factory=list)

    def wait_for(self, wanted: Callable[[Entry], bool]) -> Entry:
        """The next entry, from here on, that is so."""
        deadline = time.monotonic() + PATIENCE
        while (entry := self._next(deadline)) is not None:
            if wanted(entry):
                return entry
        raise AssertionError(f"it did not come: {[entry.fields.get('MESSAGE') for entry in self.seen[-20:]]}")

    def event(self, name: str, wanted: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> Entry:
        """The next event that the program logged under this name, and that is so."""
        return self.wait_for(lambda entry: entry.said.get("event") == name and wanted(entry.said))

    def message(self, identity: str) -> Entry:
        """The next thing of this kind that systemd tells of the unit."""
        return self.wait_for(lambda entry: entry.fields.get("MESSAGE_ID") == identity)

    def _next(self, deadline: float) -> Entry | None:
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.stream], [], [], max(0.0, deadline - time.monotonic()))
            if not ready or not (more := os.read(self.stream, 65536)):
                return None
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        entry = Entry.parse(line)
        self.seen.append(entry)
        return entry


@contextmanager
def following(machine: Machine, unit: str) -> Iterator[Journal]:
    """Follow the journal of a unit from now on, for the duration of a `with` block."""
    cursor = machine.run("journalctl", "-q", "-n1", "-o", "json", "--output-fields=MESSAGE")
    command = ["journalctl", "-q", "-f", "-o", "json", "-u", unit, f"--after-cursor={json.loads(cursor)['__CURSOR']}"]
    with subprocess.Popen(
        machine.command(*command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, process_group=0
    ) as process:
        assert process.stdout is not None
        try:
            yield Journal(process.stdout.fileno())
        finally:
            # What enters the container waits there for what it has started.
            os.killpg(process.pid, signal.SIGKILL)
