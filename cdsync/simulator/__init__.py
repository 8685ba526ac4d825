"""The vendor's HTTP API on loopback: both dialects, strict, with a clock that can run fast, and with faults on request.

Contract: it stands alone. It imports nothing of the rest of cdsync, and shares no reading of crons, bodies or statuses
with it, so that tests compare two independent readings of the API. It keeps everything in memory, prints nothing, and
reaches out only to post callbacks. Where the vendor's documentation is silent, an option or a fault covers what may be.

- `serve` runs it in the foreground, `running` in a thread for tests, `create_app` makes the bare ASGI application.
- `account` records every call, firing and delivery, for tests to count.
- `/_sim/` is its control API: time, faults, changes by hand (see `control`).
"""

from __future__ import annotations

from cdsync.simulator.account import Account
from cdsync.simulator.app import create_app
from cdsync.simulator.clock import Clock
from cdsync.simulator.faults import Fault
from cdsync.simulator.options import SimulatorOptions
from cdsync.simulator.refusals import ConnectionDropped
from cdsync.simulator.serve import RunningSimulator, running, serve

__all__ = [
    "Account",
    "Clock",
    "ConnectionDropped",
    "Fault",
    "RunningSimulator",
    "SimulatorOptions",
    "create_app",
    "running",
    "serve",
]
