"""The loop: passes on an interval and at once when something happened, for months, without anybody looking.

The contract of the package:

- At most one pass runs, and at most one more is due, whatever asks for one and however often.
- Nothing that goes wrong outside ends it: a declaration that is wrong, an API that is down, a key that is refused or a
  disk that is full is told, waited out with growing pauses, and taken up again when it is over.
- It asks no question and lifts no limit: a plan that passes a limit of the policy is refused as a whole, visibly.
- SIGTERM ends it within a bounded time: what was sent is waited for and written down, nothing more is begun.
"""

from __future__ import annotations

from cdsync.daemon.service import run_daemon

__all__ = ["run_daemon"]
