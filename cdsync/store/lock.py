"""One writer per state: a lock that the kernel frees when its holder dies, with the holder's name beside it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from cdsync.errors import StoreBusy


def acquire(path: Path, *, holder: str) -> int:
    """Lock the state for this process and write down who holds it; gives the file descriptor that keeps the lock.

    Raises:
        StoreBusy: another process holds it; carries that one's name.
        OSError: the lock file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.pread(descriptor, 500, 0).decode(errors="replace").strip() or "another process"
        os.close(descriptor)
        raise StoreBusy(
            f"{path.with_suffix('')}: held by {other}",
            holder=other,
            remedy=_way_out(other),
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, holder.encode(), 0)
    return descriptor


def _way_out(holder: str) -> str:
    if holder.startswith("cdsync daemon"):
        return (
            "it applies by itself; to have it do so now, send it SIGHUP (systemctl reload) or POST /reconcile; to do "
            "something by hand, stop it first"
        )
    return "wait until it ends; a lock never outlives its holder"


def holder_of(path: Path) -> str | None:
    """Who holds the state now, by the name that it has written down; None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 500, 0).decode(errors="replace").strip() or "another process"
    finally:
        os.close(descriptor)
    return None


def release(descriptor: int) -> None:
    """Free the lock."""
    os.ftruncate(descriptor, 0)
    os.close(descriptor)


def identity_of(path: Path) -> tuple[int, int] | None:
    """Which file is found by a name; None when none is."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
