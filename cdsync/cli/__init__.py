"""The command line: reads flags, calls one layer below, prints the result. It decides nothing.

stdout carries the result only; progress, logs and errors go to stderr. Exit codes: 0 done, 1 error, 2 changes pending,
3 applied in part, 4 refused by a guard.
"""

from __future__ import annotations

from cdsync.cli.root import main

__all__ = ["main"]
