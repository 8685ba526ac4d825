"""Ownership by a person's word, where the account alone does not say what is whose."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cdsync.custody import adopt
from cdsync.simulator import Fault
from cdsync.simulator.account import Order
from cdsync.simulator.schedules import add
from tests.executor.world import World, live_in, schedule


def test_whoever_keeps_the_predecessor_has_it_replaced_after_all(tmp_path: Path) -> None:
    """When a lost replacement made none of what is there, its predecessor is not taken for what was to replace it."""

    async def story(world: World) -> None:
        await world.apply(schedule("a"))
        old = world.uid_of(schedule("a"))
        changed = schedule("a", parameters={"max_results": 1})
        world.trouble(Fault(kind="drop_before", method="POST", path="*/actions/*"))
        await world.apply(changed, patient=False)
        await world.until(world.clock.now() + timedelta(hours=4))
        timing = {"cron": changed.cron, "schedule_at": world.clock.now() + timedelta(hours=22)}
        order = Order(action_name=changed.work.action, inputs=({},))
        theirs = add(world.account, order, timing, world.clock.now(), foreign=True)

        (blocked,) = (await world.apply(changed)).left.blocked
        assert f"cdsync adopt {changed.address} {old}" in blocked.message
        async with world.opened([changed]) as work:
            await adopt(work, changed.address, old, take_over=False)
        assert (await world.apply(changed)).complete

        (new,) = (row for row in world.rows("ACTIVE") if row is not theirs)
        assert new.order.parameters == {"max_results": 1}
        assert [row.uid for row in world.rows("CANCELLED")] == [old]
        assert theirs.status == "ACTIVE"

    live_in(tmp_path, story, dialect="rest", labels="accept")
