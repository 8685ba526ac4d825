"""The HTTP API: what it shows becomes observed values, what is decided becomes requests.

The two dialects are tables; nothing outside `dialects` knows their paths. httpx never shows outside this package: every
failure is one of the errors under `ApiError`. Reads are repeated when they fail, writes never.
"""

from __future__ import annotations

from cdsync.api.api import Api, Created, connect
from cdsync.api.client import Call
from cdsync.api.dialects import Operation

__all__ = ["Api", "Call", "Created", "Operation", "connect"]
