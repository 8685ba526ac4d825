"""A process that can die: at each of its requests and each of its writes to the store, on either side of it.

Nothing of a dead process goes on. What it sends and what it writes from then on, also from a `finally` or a roll-back,
dies with it; and its files are put back to the bytes that lay on the disk at the moment of its death, so that the next
process finds a write-ahead log that nobody has tidied up.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

WRITES = frozenset({"COMMIT", "PRAGMA journal_mode = WAL"})
"""What changes the file: until it is committed, a transaction is in nobody's memory but the dying process's."""


class Killed(BaseException):
    """The process was killed here. No handler of production code catches it."""


@dataclass
class Life:
    """One process from its start to its end; `end` is the crash point at which it is killed, None for its own time.

    `points` are the crash points that it came by, by name; `home` is the folder of its files.
    """

    home: Path
    end: int | None = None
    dead: bool = False
    points: list[str] = field(default_factory=list)
    _left: dict[Path, bytes] = field(default_factory=dict)

    def point(self, name: str) -> None:
        """Come by a crash point.

        Raises:
            Killed: this is the end, or the end was before.
        """
        self.breathe()
        self.points.append(name)
        if len(self.points) - 1 == self.end:
            self.dead = True
            self._left = {path: path.read_bytes() for path in self._files()}
            raise Killed(name)

    def breathe(self) -> None:
        """Go on living.

        Raises:
            Killed: the process is dead.
        """
        if self.dead:
            raise Killed("dead already")

    def bury(self) -> None:
        """Put the files back as they were at the moment of death."""
        if not self.dead:
            return
        for path in self._files():
            path.unlink()
        for path, content in self._left.items():
            path.write_bytes(content)

    def _files(self) -> list[Path]:
        # The index of the write-ahead log lives in memory that dies with the process, so it is made anew.
        return [path for path in self.home.glob("*") if not path.name.endswith("-shm")]

    def connect(self, *args: Any, **options: Any) -> sqlite3.Connection:
        """Open a database whose writes are crash points."""
        connection: MortalConnection = sqlite3.connect(*args, factory=MortalConnection, **options)
        connection.life = self
        return connection


class MortalConnection(sqlite3.Connection):
    """A database connection of a process that can die."""

    life: Life

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Execute one statement, with a crash point on either side of what changes the file."""
        if sql not in WRITES:
            self.life.breathe()
            return super().execute(sql, parameters)
        self.life.point(f"before {sql}")
        cursor = super().execute(sql, parameters)
        self.life.point(f"after {sql}")
        return cursor

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        """Execute a migration, which is one transaction."""
        self.life.point("before a migration")
        cursor = super().executescript(sql_script)
        self.life.point("after a migration")
        return cursor


class Listener(Protocol):
    """Whoever is told of each request."""

    def sent(self, request: httpx.Request) -> None:
        """It is about to leave."""

    def answered(self, request: httpx.Request, response: httpx.Response | None) -> None:
        """It has left, and was answered or not."""


class MortalTransport(httpx.AsyncBaseTransport):
    """Passes requests on, with a crash point before each, and one after its effect and before its answer."""

    def __init__(self, inner: httpx.AsyncBaseTransport, life: Life, listener: Listener) -> None:
        self._inner = inner
        self._life = life
        self._listener = listener

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on.

        Raises:
            Killed: before it has left, or before its answer has come.
        """
        name = f"{request.method} {request.url.path}"
        self._life.point(f"before {name}")
        self._listener.sent(request)
        response: httpx.Response | None = None
        try:
            response = await self._inner.handle_async_request(request)
        finally:
            self._listener.answered(request, response)
        self._life.point(f"after {name}")
        return response
