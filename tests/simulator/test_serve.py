from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cdsync.simulator import RunningSimulator, running, serve

PROGRAM = """
from cdsync.simulator import serve
serve(port=0, on_ready=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """It says where it listens, answers, and returns when told to stop."""
    command = [sys.executable, "-c", PROGRAM]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/v4/schedules", trust_env=False).status_code == 401
        process.send_signal(number)
        assert process.stdout.read() == "stopped\n"
    assert process.returncode == 0


def test_an_address_in_use_is_an_error_of_the_system() -> None:
    """The caller gets OSError and can say so."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(port=taken.getsockname()[1])


def test_several_simulators_do_not_meet() -> None:
    """Each has its own port and account, so tests may run side by side."""
    with running() as one, running() as other:
        httpx.get(f"{one.url}/v4/schedules", trust_env=False)
        assert (len(one.account.calls), len(other.account.calls)) == (1, 0)


def test_it_stops_with_the_block(client: httpx.Client, simulator: RunningSimulator) -> None:
    """After the block nobody listens any more, not even on an open connection."""
    with httpx.Client(trust_env=False) as connected:
        with running() as short_lived:
            connected.get(f"{short_lived.url}/v4/schedules")
        with pytest.raises(httpx.ConnectError):
            connected.get(f"{short_lived.url}/v4/schedules")
    assert client.get(f"{simulator.url}/v4/schedules").status_code == 200


def test_an_error_within_the_server_reaches_the_caller(simulator: RunningSimulator) -> None:
    """A push into the past is refused by the clock, and the caller hears of it."""
    with pytest.raises(ValueError, match="backwards"):
        simulator.advance(-1)
