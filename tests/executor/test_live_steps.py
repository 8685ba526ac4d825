"""Live runs, from the declaration to the rows on disk, against the simulated API in virtual time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdsync import custody
from cdsync.core.events import Progressed
from cdsync.core.model import OneOffRun
from cdsync.core.progress import ANSWER_LOST, CURSOR_EXPIRED, LiveProgress
from cdsync.simulator import Fault
from cdsync.store import open_writer
from tests.executor.world import World, live_in, one_off, results, schedule

DIALECTS = pytest.mark.parametrize("dialect", ["manage", "rest"])
ROWS_OF_AN_INPUT = 15
PAGES_OF_AN_INPUT = 2


def live(name: str = "a", *, inputs: int = 3, **fields: Any) -> OneOffRun:
    """A declared live run; each of its inputs has fifteen rows on two pages."""
    run = one_off(name, mode="live", of="action-live", **fields)
    return replace(run, work=replace(run.work, inputs=tuple({"of": name, "n": number} for number in range(inputs))))


def rows(world: World, name: str = "a", *, kind: str = "") -> list[Any]:
    """The lines of a result file."""
    path = world.settings.results / f"{name}{kind}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def failed(world: World) -> list[tuple[int, str]]:
    """The inputs that failed, with the label."""
    return [(row["index"], row["label"]) for row in rows(world, kind=".failed")]


def progress(world: World, run: OneOffRun) -> LiveProgress:
    """How far it has come."""
    return world.owned().live[run.address]


def asked(world: World) -> int:
    """How many requests for live rows came in."""
    return sum(1 for call in world.account.calls if call.path.endswith("/live"))


def launched(world: World) -> int:
    """How many live runs the account was charged for."""
    return sum(1 for run in world.account.runs.rows.values() if run.execution_mode == "LIVE")


def once(lines: list[Any]) -> bool:
    """Whether no row is there twice."""
    return len({json.dumps(line, sort_keys=True) for line in lines}) == len(lines)


@DIALECTS
def test_every_page_of_every_input_is_read_once(tmp_path: Path, dialect: Any) -> None:
    """One request for each input and each further page, and every row is one line; a second apply asks for nothing."""

    async def story(world: World) -> None:
        run = live()
        applied = await world.apply(run)
        assert applied.complete
        assert len(rows(world)) == 3 * ROWS_OF_AN_INPUT
        assert once(rows(world))
        assert asked(world) == 3 * PAGES_OF_AN_INPUT
        assert launched(world) == 3
        assert progress(world, run).finished
        assert [event.done for event in world.events if isinstance(event, Progressed)] == [0, 1, 1, 2, 2, 3]
        await world.apply(run)
        assert asked(world) == 3 * PAGES_OF_AN_INPUT
        assert (world.settings.results / ".gitignore").read_text() == "*\n"

    live_in(tmp_path, story, dialect=dialect)


@DIALECTS
@pytest.mark.parametrize("kind", ["drop_after", "partial"])
def test_a_first_answer_that_was_lost_is_never_paid_for_twice(tmp_path: Path, dialect: Any, kind: Any) -> None:
    """The API lists one live run more than was answered: that input is given up, and told; the others go on."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind=kind, method="POST", path="*/live", skip=PAGES_OF_AN_INPUT))
        run = live()
        assert (await world.apply(run)).complete
        assert launched(world) == 3
        assert failed(world) == [(2, ANSWER_LOST)]
        assert {row["input"]["n"] for row in rows(world)} == {0, 2}
        assert len(rows(world)) == 2 * ROWS_OF_AN_INPUT

    live_in(tmp_path, story, dialect=dialect)


@DIALECTS
def test_a_first_request_that_never_arrived_is_sent_again(tmp_path: Path, dialect: Any) -> None:
    """Two looks with the settle time in between show no live run more, so that nothing was paid for."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="drop_before", method="POST", path="*/live", skip=PAGES_OF_AN_INPUT))
        assert (await world.apply(live())).complete
        assert launched(world) == 3
        assert failed(world) == []
        assert len(rows(world)) == 3 * ROWS_OF_AN_INPUT

    live_in(tmp_path, story, dialect=dialect)


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "partial", "status"])
def test_a_page_whose_answer_was_lost_is_asked_for_again(tmp_path: Path, kind: Any) -> None:
    """A further page belongs to a run that is paid for already, so it may be asked for again; no row comes twice."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind=kind, method="POST", path="*/live", skip=1, code=503))
        assert (await world.apply(live())).complete
        assert launched(world) == 3
        assert len(rows(world)) == 3 * ROWS_OF_AN_INPUT
        assert once(rows(world))
        assert asked(world) == 3 * PAGES_OF_AN_INPUT + 1

    live_in(tmp_path, story)


def test_an_impatient_pass_does_a_slice_and_the_next_goes_on(tmp_path: Path) -> None:
    """A daemon is held up by no run: what a slow API has not answered in its time comes with the next pass."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=20.0, times=9))
        run = live()
        first = await world.apply(run, patient=False)
        assert not first.complete
        assert 0 < asked(world) < 3 * PAGES_OF_AN_INPUT
        for _ in range(3):
            last = await world.apply(run, patient=False)
        assert last.complete
        assert asked(world) == 3 * PAGES_OF_AN_INPUT
        assert len(rows(world)) == 3 * ROWS_OF_AN_INPUT

    live_in(tmp_path, story)


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        pytest.param(Fault(kind="rate_limit", method="POST", path="*/live", seconds=40.0, times=2), 80, id="429"),
        pytest.param(
            Fault(kind="status", code=424, label="LIMIT_REACHED", method="POST", path="*/live"), 15 * 60, id="a_limit"
        ),
        pytest.param(
            Fault(kind="status", code=424, label="PROXY_ERROR", method="POST", path="*/live", times=2),
            180,
            id="passing",
        ),
    ],
)
def test_what_passes_is_waited_for(tmp_path: Path, fault: Fault, seconds: int) -> None:
    """As long as told, or else as long as is sensible; nothing is lost or paid for twice."""

    async def story(world: World) -> None:
        world.trouble(fault)
        begun = world.clock.now()
        assert (await world.apply(live())).complete
        assert timedelta(seconds=seconds) <= world.clock.now() - begun <= timedelta(seconds=seconds + 30)
        assert len(rows(world)) == 3 * ROWS_OF_AN_INPUT
        assert launched(world) == 3

    live_in(tmp_path, story)


def test_an_impatient_pass_never_waits_for_a_limit(tmp_path: Path) -> None:
    """It says until when, and the pass after that goes on."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="status", code=424, label="LIMIT_REACHED", method="POST", path="*/live"))
        run = live()
        begun = world.clock.now()
        left = (await world.apply(run, patient=False)).left
        assert world.clock.now() - begun < timedelta(minutes=1)
        assert [(row.reason.value, row.until) for row in left.blocked] == [("limited", progress(world, run).wait_until)]
        await world.until(begun + timedelta(minutes=16))
        assert (await world.apply(run, patient=False)).complete

    live_in(tmp_path, story)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        pytest.param("NO_RESULT", [], id="empty"),
        pytest.param("BAD_INPUT", [(2, "BAD_INPUT")], id="its_own_fault"),
        pytest.param("SOMETHING_NEW", [(2, "SOMETHING_NEW")], id="unknown"),
    ],
)
def test_an_input_that_fails_stops_no_other(tmp_path: Path, label: str, expected: list[tuple[int, str]]) -> None:
    """It is counted and told with its label, and the others have their rows."""

    async def story(world: World) -> None:
        fault = Fault(kind="status", code=424, label=label, method="POST", path="*/live", skip=PAGES_OF_AN_INPUT)
        world.trouble(fault)
        run = live()
        assert (await world.apply(run)).complete
        assert failed(world) == expected
        far = progress(world, run)
        assert (far.done, far.empty, far.failed) == (2, 1 - len(expected), len(expected))
        assert len(rows(world)) == 2 * ROWS_OF_AN_INPUT

    live_in(tmp_path, story)


@pytest.mark.parametrize(
    ("label", "code", "inputs", "spent"),
    [
        pytest.param("NO_ACCESS", 402, 9, 1, id="no_credits"),
        pytest.param("AUTH_EXPIRED", 424, 9, 1, id="identity"),
        pytest.param("SOMETHING_NEW", 424, 9, 5, id="five_alike"),
    ],
)
def test_what_is_the_account_s_fault_stops_the_run_until_a_person_says_so(
    tmp_path: Path, label: str, code: int, inputs: int, spent: int
) -> None:
    """No further request is spent on it; `resume` takes it up where it stands."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="status", code=code, label=label, method="POST", path="*/live", times=99))
        run = live(inputs=inputs)
        applied = await world.apply(run)
        (blocked,) = applied.left.blocked
        assert blocked.reason.value == "needs-attention"
        assert f"stopped by {label}" in blocked.message
        assert "cdsync resume run/a" in (blocked.remedy or "")
        assert asked(world) == spent
        await world.apply(run)
        assert asked(world) == spent
        world.repair()
        await world.resume(run)
        far = progress(world, run)
        assert far.finished
        assert far.done == inputs - far.failed

    live_in(tmp_path, story)


def test_a_cursor_that_has_died_costs_nothing_more(tmp_path: Path) -> None:
    """The rows that were read stay, the input is told as cut off, and is not begun anew."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="status", code=400, label="BAD_PARAMETERS", method="POST", path="*/live", skip=1))
        run = live(inputs=2)
        assert (await world.apply(run)).complete
        assert failed(world) == [(1, CURSOR_EXPIRED)]
        assert len(rows(world)) == 10 + ROWS_OF_AN_INPUT
        assert launched(world) == 2

    live_in(tmp_path, story)


def test_an_edited_live_run_is_told_and_asked_for_no_more(tmp_path: Path) -> None:
    """Other inputs are another run: those that are left of this one wait for the old declaration."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=20.0, times=9))
        run = live()
        await world.apply(run, patient=False)
        world.repair()
        spent = asked(world)
        edited = replace(run, work=replace(run.work, inputs=({"of": "a", "n": 7},)))
        (blocked,) = (await world.apply(edited)).left.blocked
        assert blocked.reason.value == "launched-changed"
        (gone,) = (await world.apply()).left.blocked
        assert gone.reason.value == "launched-undeclared"
        assert asked(world) == spent
        assert (await world.apply(run)).complete
        assert len(rows(world)) == 3 * ROWS_OF_AN_INPUT

    live_in(tmp_path, story)


def test_our_own_live_requests_are_no_lookalikes(tmp_path: Path) -> None:
    """A second live run of the same work is launched; without the state the first one is not launched again."""

    async def story(world: World) -> None:
        await world.apply(live())
        second = replace(live("b"), work=replace(live("b").work, action="action-live"))
        assert (await world.apply(live(), second)).complete
        assert launched(world) == 6
        world.settings.state.unlink()
        left = (await world.apply(live())).left
        assert [row.reason.value for row in left.blocked] == ["lookalike"]
        assert launched(world) == 6

    live_in(tmp_path, story)


def test_a_live_run_holds_up_nothing_else(tmp_path: Path) -> None:
    """Schedules are made before it takes its time."""

    async def story(world: World) -> None:
        applied = await world.apply(live(), schedule("s"), one_off("r"))
        order = [result.action.address.name for result in results(applied)]
        assert order[-1] == "a"
        assert set(order) == {"a", "s", "r"}

    live_in(tmp_path, story)


def test_a_live_answer_may_take_its_time(tmp_path: Path) -> None:
    """It does its work before it answers, and what is paid for is waited for."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=200.0, after=True))
        assert (await world.apply(live(inputs=1))).complete
        assert failed(world) == []
        assert len(rows(world)) == ROWS_OF_AN_INPUT

    live_in(tmp_path, story)


def test_a_look_that_takes_long_rules_no_live_request_out(tmp_path: Path) -> None:
    """What began while the pages of the listing were on their way is found, and not paid for again."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=290.0))
        await world.die(live(inputs=1), after=1)
        await world.apply(live(inputs=1), patient=False)
        # The next count is made in the second 288 and answered in the second 317: the request had its time by then.
        await asyncio.sleep(258)
        world.transport.way = timedelta(seconds=29)
        world.transport.astray = (world.transport.way,)
        await world.apply(live(inputs=1), patient=False)
        world.transport.way, world.transport.astray = timedelta(), ()
        await world.apply(live(inputs=1))
        assert launched(world) == 1

    live_in(tmp_path, story)


def test_a_connection_that_breaks_rules_no_live_request_out(tmp_path: Path) -> None:
    """The server goes on with it for as long as a live request may take."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=60.0))
        world.transport.cut_off = 1.0
        assert (await world.apply(live(inputs=1))).complete
        assert launched(world) == 1
        assert failed(world) == [(1, ANSWER_LOST)]

    live_in(tmp_path, story)


def test_a_live_request_may_have_waited_for_its_turn(tmp_path: Path) -> None:
    """Its time counts from when its sender is known to be dead, not from when it was written down."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="rate_limit", method="POST", path="*/live", seconds=299.0))
        world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=120.0))
        await world.die(live(inputs=1), after=305)
        await world.apply(live(inputs=1))
        await asyncio.sleep(400)
        assert launched(world) == 1

    live_in(tmp_path, story)


@pytest.mark.parametrize("early", [True, False])
def test_both_clocks_say_that_a_live_request_had_its_time(tmp_path: Path, early: bool) -> None:
    """Also where the server's is wrong for one answer: that before it left, or that of the look which decides."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=295.0))
        world.transport.astray = (timedelta(seconds=-29 if early else 0),)
        await world.die(live(inputs=1), after=1)
        world.transport.astray = ()
        await world.apply(live(inputs=1), patient=False)
        await asyncio.sleep(287)
        world.transport.astray = (timedelta(seconds=0 if early else 29),)
        await world.apply(live(inputs=1), patient=False)
        world.transport.astray = ()
        await world.apply(live(inputs=1))
        await asyncio.sleep(400)
        assert launched(world) == 1

    live_in(tmp_path, story)


def test_a_look_noted_by_a_wrong_clock_is_noted_anew(tmp_path: Path) -> None:
    """A machine that booted with a date ahead does not wait until that date."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="drop_before", method="POST", path="*/live"))
        world.clock.shift = timedelta(days=30)
        await world.apply(live(inputs=1), patient=False)
        world.clock.shift = timedelta()
        await world.apply(live(inputs=1), patient=False)
        await asyncio.sleep(400)
        assert (await world.apply(live(inputs=1), patient=False)).complete
        assert launched(world) == 1

    live_in(tmp_path, story)


def test_another_live_run_waits_for_one_in_doubt(tmp_path: Path) -> None:
    """Its requests would be counted as the one that is looked for."""

    async def story(world: World) -> None:
        a, b = live("a", inputs=1), live("b", inputs=1)
        world.trouble(Fault(kind="drop_before", method="POST", path="*/live"))
        applied = await world.apply(a, b, patient=False)
        waits = [str(one.error) for one in results(applied) if one.action.address == b.address and one.error]
        assert waits[0] == "waits until run/a is found or ruled out"
        assert launched(world) == 0
        await asyncio.sleep(400)
        assert (await world.apply(a, b)).complete
        assert failed(world) == []
        assert (len(rows(world, "a")), len(rows(world, "b"))) == (ROWS_OF_AN_INPUT, ROWS_OF_AN_INPUT)

    live_in(tmp_path, story)


def test_no_live_run_waits_for_one_that_asks_for_nothing_more(tmp_path: Path) -> None:
    """What was edited while its request was in doubt is not looked for any more."""

    async def story(world: World) -> None:
        a, b = live("a", inputs=2), live("b", inputs=1)
        world.trouble(Fault(kind="drop_before", method="POST", path="*/live"))
        await world.apply(a, patient=False)
        edited = replace(a, work=replace(a.work, inputs=({"of": "another"},)))
        await world.apply(edited, b)
        assert len(rows(world, "b")) == ROWS_OF_AN_INPUT

    live_in(tmp_path, story)


def test_what_was_not_launched_is_not_fetched(tmp_path: Path) -> None:
    """A live run waits for a twin in doubt, and its pages wait with it."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="drop_before", method="POST", path="*/actions/*", times=1))
        twin, run = one_off("0", of="action-live"), live(inputs=1)
        applied = await world.apply(twin, run, patient=False)
        kinds = {(str(row.action.address), row.action.kind.value): row.outcome for row in applied.reports[0].results}
        assert kinds == {("run/0", "launch"): "unknown", ("run/a", "launch"): "skipped", ("run/a", "fetch"): "skipped"}
        await world.apply(twin, run)
        assert len(rows(world)) == ROWS_OF_AN_INPUT

    live_in(tmp_path, story, labels="refuse")


def test_rows_that_the_state_knows_nothing_of_stop_the_run(tmp_path: Path) -> None:
    """They were paid for, so they are not cut off, and nothing is asked for until a person has looked at them."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=31.0, times=9, after=True))
        run = live()
        await world.apply(run, patient=False)
        world.repair()
        path = world.settings.results / "a.jsonl"
        before, spent = path.read_bytes(), asked(world)
        path.write_bytes(before + b'{"row": 10}\n')
        (blocked,) = (await world.apply(run)).left.blocked
        assert blocked.message.startswith("stopped by RESULTS_AHEAD: ")
        assert path.read_bytes() == before + b'{"row": 10}\n'
        await world.resume(run)
        assert asked(world) == spent
        path.write_bytes(before)
        await world.resume(run)
        assert (await world.apply(run)).complete
        assert once(rows(world))

    live_in(tmp_path, story)


def test_an_older_state_pays_for_nothing_again(tmp_path: Path) -> None:
    """A state from a backup, beside files that are further on: the run stops, and the rows are left."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=20.0, times=4))
        run = live(inputs=6)
        await world.apply(run, patient=False)
        old = world.settings.state.read_bytes()
        world.repair()
        assert (await world.apply(run)).complete
        spent, found = asked(world), rows(world)
        for path in world.settings.state.parent.glob("state.db-*"):
            path.unlink()
        world.settings.state.write_bytes(old)
        for _ in range(2):
            (blocked,) = (await world.apply(run)).left.blocked
            assert blocked.reason.value == "needs-attention"
        assert asked(world) == spent
        assert rows(world) == found

    live_in(tmp_path, story)


def test_the_files_of_a_forgotten_run_are_not_those_of_the_next(tmp_path: Path) -> None:
    """Another run of the same name begins when the old rows are out of its way, and pays for nothing before."""

    async def story(world: World) -> None:
        assert (await world.apply(live())).complete
        found, spent = rows(world), asked(world)
        with open_writer(world.settings.state, holder="a person") as store:
            store.forget(live().address)
        other = replace(live(), work=replace(live().work, action="action-other"))
        (blocked,) = (await world.apply(other)).left.blocked
        assert "RESULTS_AHEAD" in blocked.message
        assert (rows(world), asked(world)) == (found, spent)

    live_in(tmp_path, story)


@pytest.mark.parametrize("finished", [False, True])
def test_a_live_run_takes_its_files_to_its_new_name(tmp_path: Path, finished: bool) -> None:
    """The plan tells what is still to be asked for, and all rows are in one file."""

    async def story(world: World) -> None:
        if not finished:
            world.trouble(Fault(kind="slow", method="POST", path="*/live", seconds=20.0, times=9))
        await world.apply(live(), patient=False)
        world.repair()
        renamed = replace(live(), address=live("b").address, was="a")
        planned = await world.plan(renamed)
        kinds = [row.kind.value for row in planned.plan.actions]
        assert kinds == (["rename"] if finished else ["rename", "fetch"])
        applied = await world.apply(renamed)
        assert [row.action.kind.value for row in results(applied)] == kinds
        assert len(rows(world, "b")) == 3 * ROWS_OF_AN_INPUT
        assert once(rows(world, "b"))
        assert [path.name for path in world.settings.results.glob("a*")] == []

    live_in(tmp_path, story)


def test_a_live_run_whose_inputs_failed_is_told_until_it_is_held(tmp_path: Path) -> None:
    """It is over, and somebody has to know that it did not bring everything."""

    async def story(world: World) -> None:
        world.trouble(Fault(kind="status", code=424, label="BAD_INPUT", method="POST", path="*/live"))
        run = live(inputs=2)
        (blocked,) = (await world.apply(run)).left.blocked
        assert blocked.reason.value == "needs-attention"
        assert "1 failed" in blocked.message
        with open_writer(world.settings.state, holder="a person") as store:
            custody.hold(store, run.address, now=world.clock.now(), duration=None, revision=None)
        (held,) = (await world.apply(run)).left.blocked
        assert held.reason.value == "held"
        assert blocked.message in held.message

    live_in(tmp_path, story)
