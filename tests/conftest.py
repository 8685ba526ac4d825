"""What all tests share: how properties are checked, in which order they run, and what is told in the end."""

from __future__ import annotations

import gc
import os
import signal
from collections import Counter

import pytest
from hypothesis import settings

# Without a deadline, because the machine may be busy with the others.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs us in the background has us deaf to Ctrl-C, and so every program that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONG = ("test_crash_points", "test_seeded", "test_the_tour_ends_well")
"""What takes longest, by what is in its name."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that in the end no worker waits for another."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: what waits for another process needs none meanwhile."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all that was loaded: it stays."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many crash points were enumerated, and what the seeded worlds went through, as their tests recorded."""
    tally: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                tally.update({name: value for name, value in report.user_properties if isinstance(value, int)})
    if tally:
        told = ", ".join(f"{count} {name}" for name, count in sorted(tally.items()))
        terminalreporter.write_line(f"simulation: {told}")
