"""The HTTP API: what it shows becomes observed values, what is decided becomes requests.

The two dialects are tables; nothing outside `dialects` knows their paths. httpx never shows outside this package: every
failure is one of the errors under `ApiError`. Reads are repeated when they fail, writes never.
"""

from __future__ import annotations

import sys

# httpx does without the command line that it brings where that is missing; to import it takes as long as all the rest.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # "None stands for a module that is not there"

from cdsync.api.api import Api, Created, connect  # noqa: E402 # after the line above
from cdsync.api.client import LIVE_PATIENCE, Call  # noqa: E402 # likewise
from cdsync.api.dialects import Operation  # noqa: E402 # likewise

__all__ = ["LIVE_PATIENCE", "Api", "Call", "Created", "Operation", "connect"]
