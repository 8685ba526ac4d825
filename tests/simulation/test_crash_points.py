from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.crashing import crash_everywhere
from tests.simulation.scenarios import CASES, Case

LEAST_POINTS = {"manage": 10, "rest": 10}
TWICE = 1


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_process_may_die_at_any_point(case: Case, record_property: Callable[[str, object], None]) -> None:
    """Killed before or after any request or write to the store, the next process brings it to the same good end.

    So it is if that one is killed as well.
    """
    points, failures = crash_everywhere(case, twice=TWICE)
    record_property("crash points", points)
    assert not failures, "\n" + "\n".join(map(str, failures))
    assert points >= LEAST_POINTS[case.dialect]


def test_there_are_hundreds_of_crash_points() -> None:
    """Every scenario has crash points in both dialects, ten at least, so that there are hundreds in each."""
    for dialect, least in LEAST_POINTS.items():
        assert sum(least for case in CASES if case.dialect == dialect) >= 300
