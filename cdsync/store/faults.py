"""SQLite's errors as cdsync's: each names the file and says what to do, and none leaves this package as it came."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from cdsync.errors import StoreBusy, StoreCorrupt, StoreError, StoreUnwritable

P = ParamSpec("P")
T = TypeVar("T")

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "permission is denied",
}


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from error
    except UnicodeDecodeError as error:
        raise corrupt(path, "its text is not UTF-8") from error
    except OSError as error:
        raise StoreUnwritable(
            f"{path}: {error.strerror or error}", remedy="check the folder's owner, its mode and the free space"
        ) from error


class _HasPath(Protocol):
    path: Path


S = TypeVar("S", bound=_HasPath)


def legible(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Let a method that reads records tell one that makes no sense as StoreCorrupt: SQLite checks no contents."""

    @wraps(method)
    def reading(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise corrupt(self.path, f"a record cannot be read ({type(error).__name__}: {error})") from error

    return reading


def _translated(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return corrupt(path, str(error))
    if code in _UNWRITABLE:
        return StoreUnwritable(
            f"{path}: {_UNWRITABLE[code]} ({error})", remedy="check the folder's owner, its mode and the free space"
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreBusy(f"{path}: another program uses it ({error})", holder="unknown", remedy="try again")
    return StoreError(f"{path}: {error}")


def corrupt(path: Path, what: str) -> StoreCorrupt:
    """The error for a file that is damaged, or that is something else."""
    return StoreCorrupt(
        f"{path}: damaged, or not a state file of cdsync: {what}",
        remedy="restore it from a backup; without one move it away and apply: what exists is then found by its label "
        "or blocked as a lookalike, never doubled",
    )
