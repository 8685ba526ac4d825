"""A plan confined to some addresses."""

from __future__ import annotations

import pytest

from cdsync.core.model import Kind
from cdsync.core.plan import Limit, make_plan
from cdsync.core.targets import selection
from cdsync.errors import UnknownAddress
from tests.core.values import NOW, address, applied, desired, observed, one_off, owned, policy, schedule, shown

KNOWN = {address("eu-leads"), address("us-leads"), address("backfill", kind=Kind.RUN)}


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        pytest.param((), {"schedule/eu-leads", "schedule/us-leads", "run/backfill"}, id="none_is_all"),
        pytest.param(("schedule/eu-leads",), {"schedule/eu-leads"}, id="an_address"),
        pytest.param(("schedule/*",), {"schedule/eu-leads", "schedule/us-leads"}, id="a_glob"),
        pytest.param(("*/eu-*", "run/*"), {"schedule/eu-leads", "run/backfill"}, id="several"),
    ],
)
def test_globs_select_addresses(globs: tuple[str, ...], expected: set[str]) -> None:
    """Any glob that matches selects, and no glob selects all."""
    wanted = selection(globs, known=KNOWN)

    assert {str(known) for known in KNOWN if wanted(known)} == expected


@pytest.mark.parametrize(
    ("glob", "near"),
    [
        ("eu-leads", "; did you mean 'schedule/eu-leads'?"),
        ("schedule/eu-laeds", "; did you mean 'schedule/eu-leads'?"),
        ("schedule/backfill", "; did you mean 'run/backfill'?"),
        ("schedule/zzz", ""),
        ("schedule/EU-*", ""),
        ("schedules/*", ""),
    ],
)
def test_a_glob_that_matches_nothing_is_misspelt(glob: str, near: str) -> None:
    """Nothing is silently left out because of a typing error, and an address is answered with the nearest."""
    with pytest.raises(UnknownAddress) as caught:
        selection(("run/*", glob), known=KNOWN)

    assert str(caught.value) == f"{glob!r} matches nothing that is declared or owned{near}"
    assert caught.value.remedy == "an address is schedule/NAME or run/NAME; cdsync status lists them"


def test_a_plan_keeps_only_the_rows_of_its_targets() -> None:
    """Actions, blocked rows and drift of other addresses are left out, and limits count what is left."""
    drifted, other = schedule("drifted"), schedule("other", cron="1 1 * * *")
    declared = desired(drifted, other, schedule("held-up", cron="2 2 * * *"), one_off(mode="live"))
    seen = observed(
        shown(drifted, "u1", status="PAUSED"),
        shown(other, "u2", status="PAUSED"),
        *(shown(schedule(f"gone-{n}"), f"g{n}") for n in range(4)),
    )
    ours = owned(
        applied(drifted, "u1"), applied(other, "u2"), *(applied(schedule(f"gone-{n}"), f"g{n}") for n in range(4))
    )
    rules = policy(max_removals=Limit(count=1))

    whole = make_plan(declared, seen, ours, rules, NOW)
    part = make_plan(declared, seen, ours, rules, NOW, targets=("schedule/drifted", "*/gone-1"))

    assert [str(row.address) for row in part.actions] == ["schedule/drifted", "schedule/gone-1"]
    assert {str(row.address) for row in part.drift} == {"schedule/drifted"}
    assert part.blocked == ()
    assert [row.limit for row in whole.violations] == ["policy.max_removals"]
    assert part.violations == ()
