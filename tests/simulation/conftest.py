"""Tells at the end of a test session how many crash points were enumerated, and what the seeded worlds went through."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up what the tests of the simulation have recorded."""
    tally: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                tally.update({name: value for name, value in report.user_properties if isinstance(value, int)})
    if tally:
        told = ", ".join(f"{count} {name}" for name, count in sorted(tally.items()))
        terminalreporter.write_line(f"simulation: {told}")
