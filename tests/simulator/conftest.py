"""A simulator on loopback whose time stands still unless a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from cdsync.simulator import Clock, RunningSimulator, SimulatorOptions, running

MONDAY_SEVEN = datetime(2026, 6, 1, 7, 0, tzinfo=UTC)


@pytest.fixture
def options() -> SimulatorOptions:
    """The defaults; a test that needs others parametrises this name."""
    return SimulatorOptions()


@pytest.fixture
def simulator(options: SimulatorOptions) -> Iterator[RunningSimulator]:
    """A served account on Monday, 1 June 2026, 07:00 UTC."""
    with running(options, clock=Clock(start=MONDAY_SEVEN, speed=0)) as served:
        yield served


@pytest.fixture
def client(simulator: RunningSimulator) -> Iterator[httpx.Client]:
    """A client with a key."""
    with httpx.Client(base_url=simulator.url, headers={"X-API-Key": "a-key"}, trust_env=False) as connected:
        yield connected
