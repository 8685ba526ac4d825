from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.seeded import tell_in_memory


@pytest.mark.parametrize("seed", range(30))
def test_every_promise_is_kept_in_a_world_that_breaks(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    """Whatever people, network and death do in between, every promise of the design holds, always and in the end."""
    told = tell_in_memory(seed)
    for name, number in told.tally.items():
        record_property(name, number)
    assert told.broken is None, told.broken
