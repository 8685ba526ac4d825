"""The loop in virtual time: what it does about what goes wrong, and when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from structlog.testing import capture_logs

from cdsync.daemon.triggers import Cause
from cdsync.simulator import Fault, SimulatorOptions
from tests.daemon.world import SETTINGS, Kept, keep

HOUR = 3600
ONE = {"a": "0 9 * * 1"}


def test_passes_are_made_on_the_interval(tmp_path: Path) -> None:
    """An account that is as declared costs one request per pass, and nothing else."""

    async def story(kept: Kept) -> None:
        await asyncio.sleep(5)
        before = kept.calls()
        await asyncio.sleep(10 * 60)
        assert kept.results == ["applied"] + ["unchanged"] * 10
        assert kept.calls() - before == 10

    keep(tmp_path, story, declared=ONE)


def test_an_api_that_is_down_for_an_hour_is_waited_out(tmp_path: Path) -> None:
    """The pauses grow to five minutes, few requests are tried, and what was missed is made up for when it is over."""

    async def story(kept: Kept) -> None:
        await asyncio.sleep(30)
        kept.declare(a="0 9 * * 1", b="0 9 * * 2")
        kept.line.cut = True
        await asyncio.sleep(HOUR)
        times = [time for time, record in kept.passes if record.result.value == "failed"]
        pauses = [round(later - sooner) for sooner, later in pairwise(times)]
        # The reads of a pass are repeated with a jittered pause, which makes it last a few seconds more or less.
        assert all(sooner - 5 <= later for sooner, later in pairwise(pauses)), pauses
        assert pauses[0] < 30
        assert max(pauses) <= 310
        assert len(times) <= 18
        assert kept.loop.standing.failures == len(times)
        assert "no connection" in str(kept.loop.standing.last and kept.loop.standing.last.error)
        kept.line.cut = False
        await asyncio.sleep(310)
        assert "applied" in kept.results[len(times) + 1 :]
        assert kept.loop.standing.failures == 0
        assert len(kept.line.served.account.schedules.rows) == 2

    keep(tmp_path, story, declared=ONE)


def test_a_key_that_is_revoked_and_rotated_is_taken_up(tmp_path: Path) -> None:
    """A refused key is tried seldom, and the file that holds it is read again by every attempt."""

    async def story(kept: Kept) -> None:
        simulation = kept.line.served.simulation
        await asyncio.sleep(30)
        simulation.options = replace(simulation.options, key="another-key")
        await asyncio.sleep(HOUR)
        last = kept.loop.standing.last
        assert last is not None
        assert "HTTP 401" in str(last.error)
        assert len(kept.passes) <= 20
        kept.write("key.txt", "another-key\n")
        await asyncio.sleep(310)
        assert kept.results[-1] == "unchanged"
        assert "another-key" not in repr(kept.loop.standing)

    keep(tmp_path, story, options=SimulatorOptions(key="a-key"), declared=ONE)


def test_one_that_cannot_be_made_neither_blocks_the_others_nor_storms(tmp_path: Path) -> None:
    """It is tried again after 1, 2, 4, 8 ... intervals; drift of another is healed meanwhile as ever."""

    async def story(kept: Kept) -> None:
        account, faults = kept.line.served.account, kept.line.served.simulation.faults
        faults.active.append(Fault(kind="status", code=422, method="POST", path="*/action-bad/schedule", times=10**6))
        kept.declare(a="0 9 * * 1", bad="0 9 * * 2")
        kept.loop.triggers.request(Cause.FILES)
        await asyncio.sleep(33 * 60)
        tried = [call for call in account.calls if "action-bad" in call.path]
        gaps = [(later.at - sooner.at).total_seconds() / 60 for sooner, later in pairwise(tried)]
        assert [round(gap) for gap in gaps[:5]] == [1, 2, 4, 8, 16], gaps
        standing = kept.loop.standing.last
        assert standing is not None
        (row,) = standing.blocked
        assert row.reason.value == "backing-off"
        assert "HTTP 422" in row.message
        (schedule,) = account.schedules.rows.values()
        schedule.status = "PAUSED"
        await asyncio.sleep(70)
        assert schedule.status == "ACTIVE"

    keep(tmp_path, story, declared=ONE)


def test_what_waits_is_tried_at_once_when_a_person_asks_or_the_declaration_changes(tmp_path: Path) -> None:
    """A pause is for the cause that was met; whoever mends it does not have to sit it out."""

    async def story(kept: Kept) -> None:
        faults = kept.line.served.simulation.faults
        faults.active.append(Fault(kind="status", code=422, method="POST", path="*/action-a/schedule", times=10**6))
        await asyncio.sleep(20 * 60)

        async def is_tried_after(ask: Cause) -> bool:
            before = kept.calls("POST")
            kept.loop.triggers.request(ask)
            await asyncio.sleep(1)
            return kept.calls("POST") > before

        assert not await is_tried_after(Cause.HOOK)
        assert await is_tried_after(Cause.SIGNAL)
        assert not await is_tried_after(Cause.FILES)
        kept.declare(a="0 10 * * 1")
        assert await is_tried_after(Cause.FILES)

    keep(tmp_path, story, declared=ONE)


def test_whatever_asks_while_a_pass_runs_gets_one_more(tmp_path: Path) -> None:
    """A hundred hooks are one pass, and no two passes run together."""

    async def story(kept: Kept) -> None:
        kept.line.served.simulation.faults.active.append(Fault(kind="slow", method="GET", seconds=5))
        await asyncio.sleep(0.01)
        for _ in range(100):
            kept.loop.triggers.request(Cause.HOOK)
            await asyncio.sleep(0.01)
        kept.loop.triggers.request(Cause.FILES)
        await asyncio.sleep(30)
        assert [record.causes for _, record in kept.passes] == [(Cause.START,), (Cause.FILES, Cause.HOOK)]

    keep(tmp_path, story, declared=ONE)


def test_a_declaration_that_is_wrong_changes_nothing(tmp_path: Path) -> None:
    """It is told, and the account is kept by the last good one until it is mended."""

    async def story(kept: Kept) -> None:
        await asyncio.sleep(30)
        (schedule,) = kept.line.served.account.schedules.rows.values()
        kept.write("schedules.yaml", "schedules: {a: {cron: nonsense}}\n")
        schedule.status = "PAUSED"
        await asyncio.sleep(70)
        assert schedule.status == "ACTIVE"
        fault = kept.loop.standing.fault
        assert fault is not None
        assert "schedules.yaml:1" in fault.summary
        kept.declare(a="0 11 * * 1")
        await asyncio.sleep(70)
        assert kept.loop.standing.fault is None
        assert schedule.cron == "0 11 * * 1"

    keep(tmp_path, story, declared=ONE)


def test_without_any_good_declaration_nothing_is_done(tmp_path: Path) -> None:
    """The daemon comes up, asks the API nothing, and begins as soon as there is one."""

    async def story(kept: Kept) -> None:
        await asyncio.sleep(10 * 60)
        assert kept.calls() == 0
        assert kept.loop.standing.fault is not None
        kept.declare(a="0 9 * * 1")
        await asyncio.sleep(70)
        assert kept.results[0] == "applied"

    keep(tmp_path, story, declared={"a": "no cron"})


def test_a_plan_that_passes_a_limit_is_refused_as_a_whole(tmp_path: Path) -> None:
    """Nothing is done, it is no failure of the daemon, and it goes on as soon as the declaration is back."""

    crons = {f"s{number}": f"{number} 9 * * 1" for number in range(8)}

    async def story(kept: Kept) -> None:
        await asyncio.sleep(30)
        kept.write("schedules.yaml", "schedules: {}\n")
        writes = kept.calls("POST")
        await asyncio.sleep(10 * 60)
        assert set(kept.results[1:]) == {"refused"}
        assert kept.calls("POST") == writes
        standing = kept.loop.standing
        assert standing.failures == 0
        assert "nothing is declared, but 8 schedules are owned" in str(standing.last and standing.last.error)
        kept.declare(**crons)
        await asyncio.sleep(70)
        assert kept.results[-1] == "unchanged"

    keep(tmp_path, story, declared=crons)


def test_a_mistake_of_ours_ends_a_pass_and_not_the_daemon(tmp_path: Path) -> None:
    """It is told as a failure that a person should report, waited out, and gone on from."""

    async def story(kept: Kept) -> None:
        await asyncio.sleep(30)
        kept.line.mistake = True
        await asyncio.sleep(120)
        last = kept.loop.standing.last
        assert last is not None
        assert str(last.error) == "unexpected RuntimeError: nobody thought of this"
        assert kept.loop.standing.failures > 1
        kept.line.mistake = False
        await asyncio.sleep(120)
        assert kept.results[-1] == "unchanged"

    with capture_logs() as logs:
        keep(tmp_path, story, declared=ONE)
    assert "pass.crashed" in {entry["event"] for entry in logs}


def test_what_is_opened_once_cannot_be_changed_later(tmp_path: Path) -> None:
    """Who moves the state or the listener in the declaration is told, once, that it takes a restart."""

    async def story(kept: Kept) -> None:
        await asyncio.sleep(30)
        kept.write("cdsync.yaml", f"{SETTINGS}state: elsewhere.db\n")
        await asyncio.sleep(200)

    with capture_logs() as logs:
        keep(tmp_path, story, declared=ONE)
    told = [entry for entry in logs if entry["event"] == "settings.restart_needed"]
    assert [entry["changed"] for entry in told] == [["state"]]


def test_a_state_that_is_taken_away_is_not_written_into_the_void(tmp_path: Path) -> None:
    """Nothing is done any more that the next start would not know of; put back, it is gone on with."""

    async def story(kept: Kept) -> None:
        await asyncio.sleep(30)
        state, calls = tmp_path / ".cdsync" / "state.db", kept.calls()
        state.rename(tmp_path / "elsewhere.db")
        await asyncio.sleep(200)
        last = kept.loop.standing.last
        assert last is not None
        assert "deleted, moved away or replaced while it was in use" in str(last.error)
        assert kept.calls() == calls
        (tmp_path / "elsewhere.db").rename(state)
        await asyncio.sleep(310)
        assert kept.results[-1] == "unchanged"

    keep(tmp_path, story, declared=ONE)


def test_a_pass_that_takes_long_and_gets_on_is_healthy(tmp_path: Path) -> None:
    """A hundred creations at sixty requests a minute outlast many intervals; an action that is done is progress."""
    crons = {f"s{number}": f"{number % 60} {number % 24} * * 1" for number in range(100)}

    async def story(kept: Kept) -> None:
        health = []
        for _ in range(12):
            await asyncio.sleep(10)
            health.append(kept.loop.verdict().healthy)
        assert all(health)
        assert kept.passes[0][0] > 40

    settings = "api: {requests_per_minute: 60, key: {file: key.txt}}\ndaemon: {interval: 10s}\n"
    keep(tmp_path, story, settings=settings, declared=crons)
