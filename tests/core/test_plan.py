"""The plan: every row of the decision table, and what holds for a plan as a whole."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from cdsync.core import plan as planning
from cdsync.core.diff import FieldChange
from cdsync.core.imported import PLACEHOLDER
from cdsync.core.model import (
    LEFT_ALONE,
    Address,
    Effort,
    FollowedRun,
    Hold,
    Kind,
    MissingSecret,
    ObservedState,
    OneOffRun,
    Ownership,
    RemoteRun,
    RemoteSchedule,
    Resource,
    ResumePolicy,
    Schedule,
)
from cdsync.core.plan import ActionKind, BlockedReason, Limit, Plan, Policy, PruneMode, Reason, fingerprint_of_plan
from cdsync.core.progress import LiveProgress
from cdsync.core.restraint import signature_of
from cdsync.core.setbacks import Setback
from cdsync.core.work import Callback, Reference
from tests.core.values import (
    LABEL_OF_A,
    NOW,
    address,
    applied,
    desired,
    followed,
    live_progress,
    observed,
    one_off,
    owned,
    plan_of,
    policy,
    run_error,
    run_shown,
    schedule,
    shown,
    work,
)

NO_TOKEN = MissingSecret("HOOK_TOKEN is not set", "export HOOK_TOKEN=...")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One resource in the three states; the words of a row change it from left to right."""

    resource: Schedule | OneOffRun
    declared: bool = True
    ownership: Ownership | None = None
    others: tuple[Ownership, ...] = ()
    schedules: tuple[RemoteSchedule, ...] = ()
    runs: tuple[RemoteRun, ...] = ()
    known_runs: tuple[FollowedRun, ...] = ()
    gone: Mapping[str, str | None] = field(default_factory=dict)
    unresolved: Mapping[Address, str] = field(default_factory=dict)
    secret: bool = False
    in_place: bool = False
    held: Mapping[Address, Hold] = field(default_factory=dict)
    tried: bool = False
    live: Mapping[Address, LiveProgress] = field(default_factory=dict)
    setbacks: Mapping[tuple[Address, str], Setback] = field(default_factory=dict)
    rules: Policy = field(default_factory=Policy)

    @property
    def ours(self) -> Ownership:
        """What is owned; a row that needs it says `yes` in its second column."""
        assert self.ownership is not None
        return self.ownership

    def plan(self) -> Plan:
        """What is decided."""
        message = {self.resource.address: NO_TOKEN} if self.secret else {}
        ours = (*([self.ownership] if self.ownership else []), *self.others)
        state = owned(*ours, runs=self.known_runs, unresolved=self.unresolved)
        state = replace(state, held=self.held, live=self.live, setbacks=self.setbacks)
        declared = desired(*([self.resource] if self.declared else []), unresolved=message)
        seen = observed(*self.schedules, *self.runs, gone=self.gone, in_place=self.in_place)
        if self.tried:
            (action,) = plan_of(declared, seen, state, rules=self.rules).actions
            state = replace(state, efforts={action.address: Effort(signature_of(action), 2)})
        return plan_of(declared, seen, state, rules=self.rules)


Change = Callable[[Scene], Scene]


def scene(**changes: Any) -> Change:
    """A change to these values, whatever they were."""
    return lambda before: replace(before, **changes)


def declare(resource: Schedule | OneOffRun) -> Change:
    """A change that declares this."""
    return scene(resource=resource)


def own(**changes: Any) -> Change:
    """A change that owns the resource as declared, but for these fields."""
    return lambda before: replace(before, ownership=replace(applied(before.resource), **changes))


def own_as_before_the_rename(**changes: Any) -> Change:
    """A change that owns the resource under whatever it was called before, as declared but for these fields."""

    def change(before: Scene) -> Scene:
        own_address = before.resource.address
        old = Address(own_address.kind, before.resource.was or own_address.name)
        return replace(before, ownership=replace(applied(before.resource), address=old, **changes))

    return change


def own_twice(before: Scene) -> Scene:
    """The resource owns something under its old name, and something else under its new one."""
    old = own_as_before_the_rename(uid="u0")(before).ours
    return replace(before, ownership=applied(before.resource), others=(old,))


def show(**changes: Any) -> Change:
    """A change that shows the resource as declared, but for these fields."""
    return lambda before: replace(before, schedules=(replace(shown(before.resource), **changes),))


def stand_still(**changes: Any) -> Change:
    """A change that shows the launched run stopped, with these fields."""
    return scene(runs=(replace(run_shown("u1", status="STOPPED"), **changes),))


def remember_resumes(resumes: int, *, ago: timedelta) -> Change:
    """A change after which cdsync has resumed the run so often, the last time so long ago."""
    run = followed("u1", of=address(kind=Kind.RUN), status="STOPPED", resumes=resumes, resumed_at=NOW - ago)
    return scene(known_runs=(run,))


def fail(*, until: datetime) -> Change:
    """A change after which replacing the resource has failed before, and waits until then."""
    return scene(setbacks={(address(), ActionKind.REPLACE): Setback(count=3, message="HTTP 422: no", until=until)})


def both(*changes: Change) -> Change:
    """One change after the other."""

    def change(before: Scene) -> Scene:
        for one in changes:
            before = one(before)
        return before

    return change


def our_label(before: Scene) -> Scene:
    """An unowned object that carries our label: a run for a one-off, else a schedule."""
    if isinstance(before.resource, OneOffRun):
        return replace(before, runs=(run_shown("x1", label=LABEL_OF_A),))
    return replace(before, schedules=(shown(before.resource, "x1", label=LABEL_OF_A),))


def our_label_on(**changes: Any) -> Change:
    """A change that shows an unowned schedule with our label, as declared but for these fields."""
    return lambda before: replace(before, schedules=(shown(before.resource, "x1", label=LABEL_OF_A, **changes),))


def whatever(before: Scene) -> Scene:
    """An object that would lead to something if the row were not there."""
    remote = shown(before.resource, "x9" if before.ownership is None else "u1", status="ACTIVE")
    return replace(before, schedules=() if isinstance(before.resource, OneOffRun) else (remote,))


def unowned_run(**parameters: Any) -> Change:
    """A change that shows a run that nobody owns and that does the same, but for these parameters."""
    return scene(runs=(run_shown("x1", parameters={"max_results": 500, **parameters}),))


def let_its_time_pass(before: Scene) -> Scene:
    """It was declared, applied and paused before its time, which is over now."""
    late = replace(one_off(), schedule_at=NOW - timedelta(seconds=1))
    return replace(before, resource=late, ownership=applied(late), schedules=(shown(late, status="PAUSED"),))


def predecessor_left(**changes: Any) -> Change:
    """A change that shows only the predecessor of a replacement, and changes the scene so."""
    return lambda before: replace(before, schedules=(shown(before.resource, "u0", status="PAUSED"),), **changes)


def own_live(**changes: Any) -> Change:
    """A change after which it was launched live and has come as far as these fields say."""

    def change(before: Scene) -> Scene:
        run = one_off(mode="live")
        far = replace(live_progress(), **changes)
        return replace(before, resource=run, ownership=applied(run), live={run.address: far})

    return change


DECLARED: Mapping[str, Change] = {
    "active": declare(schedule()),
    "paused": declare(schedule(state="paused")),
    "absent": declare(schedule(state="absent")),
    "renamed": declare(schedule("new", was="a")),
    "run": declare(one_off()),
    "run later": declare(one_off(schedule_at=NOW + timedelta(days=1))),
    "live": declare(one_off(mode="live")),
    "-": scene(declared=False),
}

OWNED: Mapping[str, Change] = {
    "no": scene(),
    "yes": own_as_before_the_rename(),
    "twice": own_twice,
    "half-way": own_as_before_the_rename(retiring_uid="u0"),
    "made": own_as_before_the_rename(made_at=NOW - timedelta(seconds=14)),
    "half-made": own_as_before_the_rename(retiring_uid="u0", made_at=NOW - timedelta(seconds=14)),
    "removed": own(removed_at=NOW - timedelta(hours=3), state="paused"),
    "unknown": both(own(), scene(unresolved={address(): "the answer to its creation was lost"})),
    "secret": both(own(), scene(secret=True)),
    "held": both(own(), scene(held={address(): Hold(since=NOW)})),
    "tried": both(own(), scene(tried=True)),
    "fetching": own_live(done=1),
    "limited": own_live(wait_until=NOW + timedelta(seconds=1)),
    "halted": own_live(halted="NO_ACCESS"),
    "fetched": own_live(done=1, empty=1),
    "failed": own(),
    "run": both(declare(one_off()), lambda before: replace(before, ownership=applied(before.resource))),
}

OBSERVED: Mapping[str, Change] = {
    "nothing alike": lambda before: replace(
        before, schedules=(shown(schedule(cron="5 5 5 5 *"), "x1"),), runs=(run_shown("x2", action="other"),)
    ),
    "one live with our label": our_label,
    "one with our label, paused": our_label_on(status="PAUSED"),
    "one with our label, other cron": our_label_on(cron="0 7 * * *"),
    "one with our label, other zone": our_label_on(timezone="UTC"),
    "one with our label, other action": our_label_on(action="other"),
    "several live with our label": lambda before: replace(
        before, schedules=tuple(shown(before.resource, uid, label=LABEL_OF_A) for uid in ("x1", "x2"))
    ),
    "unowned, same work and times": lambda before: replace(
        before, schedules=(shown(before.resource, "x1", cron="0 9 * * MON-FRI", status="PAUSED"),)
    ),
    "same, but with another's label": lambda before: replace(
        before, schedules=(shown(before.resource, "x1", label="cdsync/b"),)
    ),
    "as declared": show(),
    "as declared, another with our label": lambda before: replace(
        before, schedules=(shown(before.resource), shown(before.resource, "x1", label=LABEL_OF_A))
    ),
    "gone, one with our label": both(our_label, scene(gone={"u1": None})),
    "paused": show(status="PAUSED"),
    "gone": scene(gone={"u1": "CANCELLED"}),
    "not looked for": scene(),
    "in a status that nobody knows": show(status="ARCHIVED"),
    "fired": scene(gone={"u1": "COMPLETED"}),
    "paused, its time has passed": let_its_time_pass,
    "gone, unowned lookalike": lambda before: replace(
        before, gone={"u1": None}, schedules=(shown(before.resource, "x1"),)
    ),
    "other cron, changeable in place": both(show(cron="0 7 * * *"), scene(in_place=True)),
    "other cron": show(cron="0 7 * * *"),
    "other cron, tick is near": show(cron="0 7 * * *", next_execution_at=NOW + timedelta(minutes=1)),
    "other cron, protected": lambda before: show(cron="0 7 * * *")(
        replace(before, resource=replace(before.resource, protect=True))
    ),
    "other inputs than applied": lambda before: show()(
        replace(before, resource=replace(before.resource, work=work(inputs=({"url": "https://example.com/3"},))))
    ),
    "same difference after two applies": show(cron="0 7 * * *"),
    "other cron, a moment ago": both(show(cron="0 7 * * *"), fail(until=NOW + timedelta(seconds=1))),
    "other cron, and time has passed": both(show(cron="0 7 * * *"), fail(until=NOW)),
    "both live": lambda before: replace(
        before, schedules=(shown(before.resource), shown(before.resource, "u0", status="PAUSED"))
    ),
    "replacement gone": predecessor_left(gone={"u1": None}),
    "replacement not looked for": predecessor_left(),
    "replacement not shown yet": predecessor_left(gone={"u1": None}),
    "not shown yet": scene(gone={"u1": None}),
    "not shown, settle time over": lambda before: replace(
        before, gone={"u1": None}, ownership=replace(before.ours, made_at=NOW - timedelta(seconds=15))
    ),
    "replacement fired": predecessor_left(gone={"u1": "COMPLETED"}),
    "replacement fired, and remembered": lambda before: predecessor_left(
        ownership=replace(before.ours, state="completed")
    )(before),
    "anything": whatever,
    "active": show(status="ACTIVE"),
    "live": show(status="ACTIVE"),
    "live, no grace": both(show(), scene(rules=policy(grace=timedelta()))),
    "live, prune keeps": both(show(), scene(rules=policy(prune=PruneMode.KEEP))),
    "live, protected": lambda before: show()(replace(before, ownership=replace(before.ours, protect=True))),
    "paused, within the grace": show(status="PAUSED"),
    "active again, within the grace": show(status="ACTIVE"),
    "paused, grace over": lambda before: show(status="PAUSED")(
        replace(before, ownership=replace(before.ours, removed_at=NOW - timedelta(days=1)))
    ),
    "one with our label": our_label,
    "unowned, same work": scene(runs=(run_shown("x1", mode="ASYNC"),)),
    "unowned and live, same work": scene(runs=(run_shown("x1", mode="LIVE", callback_url=None),)),
    "unowned, defaults echoed as well": unowned_run(mode="full"),
    "unowned, nothing echoed": scene(runs=(run_shown("x1", parameters=None, callback_url=None),)),
    "unowned, other parameters": unowned_run(max_results=1),
    "its time has passed": lambda before: replace(
        before, resource=replace(one_off(), schedule_at=NOW - timedelta(seconds=1))
    ),
    "anything, declaration changed": lambda before: replace(
        before,
        resource=replace(
            before.resource, work=work(action="linkedin-extract-people", parameters={"max_results": 9}, callback=None)
        ),
    ),
    "still running": both(
        scene(runs=(run_shown("u1"),)), scene(known_runs=(followed("u1", of=address(kind=Kind.RUN)),))
    ),
    "finished": both(
        scene(runs=(run_shown("u1", status="SUCCEEDED"),)),
        scene(known_runs=(followed("u1", of=address(kind=Kind.RUN), status="SUCCEEDED"),)),
    ),
    "failed": stand_still(status="FAILED", last_error=run_error("BAD_INPUT")),
    "failed, because there was nothing": stand_still(status="FAILED", last_error=run_error("NO_RESULT")),
    "failed, and left alone": both(
        stand_still(status="FAILED"),
        scene(known_runs=(followed("u1", of=address(kind=Kind.RUN), status="FAILED", refusal=LEFT_ALONE),)),
    ),
    "failed, long ago": scene(
        known_runs=(followed("u1", of=address(kind=Kind.RUN), status="INVALID", error="BAD_PARAMETERS"),)
    ),
    "stopped": stand_still(),
    "stopped, resumed a moment ago": both(stand_still(), remember_resumes(1, ago=timedelta(minutes=4))),
    "stopped, attempts used up": both(stand_still(), remember_resumes(3, ago=timedelta(days=9))),
    "stopped, label needs a person": stand_still(last_error=run_error("BAD_INPUT")),
    "blocked, a limit is reached": stand_still(status="BLOCKED", last_error=run_error("LIMIT_REACHED")),
    "stopped, postponed": stand_still(postponed_until=NOW + timedelta(seconds=1)),
    "a run it fired stopped": both(
        show(), scene(runs=(run_shown("r1", status="STOPPED", schedule_uid="u1", action=schedule().work.action),))
    ),
}


class Row(NamedTuple):
    """One line of the table."""

    declared: str
    owned: str
    observed: str
    decision: str


def table() -> list[Row]:
    """The rows as they stand in the docstring, cut where the columns are ruled."""
    lines = (planning.__doc__ or "").splitlines()
    ruler = next(number for number, line in enumerate(lines) if re.fullmatch(r" +(-+ +){3}-+", line))
    starts = [match.start() for match in re.finditer(r"-+", lines[ruler])]
    rows = []
    for line in lines[ruler + 1 :]:
        if not line.strip():
            break
        cells = [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
        rows.append(Row(*cells))
    return rows


def decided(plan: Plan) -> list[str]:
    """The decisions of a plan in the words of the table."""
    return [action.kind.value for action in plan.actions] + [f"blocked: {row.reason.value}" for row in plan.blocked]


@pytest.mark.parametrize("row", table(), ids=lambda row: "_".join(re.sub(r"[^a-z-]+", "_", part) for part in row))
def test_the_decision_is_the_one_in_the_table(row: Row) -> None:
    """Each row of the table in the docstring of the planner is what the planner decides, and all that it decides."""
    start = Scene(resource=schedule())
    found = OBSERVED[row.observed](OWNED[row.owned](DECLARED[row.declared](start)))

    assert (", ".join(decided(found.plan())) or "nothing") == row.decision


def test_the_table_and_its_test_use_the_same_words() -> None:
    """No row goes untested for want of a builder, and no builder outlives its row."""
    rows = table()

    assert len(rows) > 70
    assert len(set(rows)) == len(rows)
    assert {row.declared for row in rows} == DECLARED.keys()
    assert {row.owned for row in rows} == OWNED.keys()
    assert {row.observed for row in rows} == OBSERVED.keys()


def resources(count: int) -> tuple[Schedule, ...]:
    """So many schedules, each with a time of its own."""
    return tuple(schedule(f"s{n:05}", cron=f"{n % 60} {n // 60 % 24} * * *") for n in range(count))


def mixed() -> tuple[list[Resource], list[RemoteSchedule | RemoteRun], list[Ownership]]:
    """States from which something of every phase follows."""
    moved, drifted, kept, undeclared = (schedule(name) for name in ("moved", "drifted", "kept", "undeclared"))
    declared: list[Resource] = [
        *(schedule(name, cron=f"{n} 1 * * *") for n, name in enumerate(("new-1", "new-2"))),
        replace(moved, cron="0 10 * * *"),
        drifted,
        kept,
        schedule("found", cron="2 1 * * *"),
        schedule("after", cron="3 1 * * *", was="before"),
        one_off("launch"),
    ]
    listed: list[RemoteSchedule | RemoteRun] = [
        shown(moved, "u-moved"),
        shown(drifted, "u-drifted", status="PAUSED"),
        shown(kept, "u-kept"),
        shown(undeclared, "u-undeclared"),
        shown(schedule("found", cron="2 1 * * *"), "u-found", label="cdsync/found"),
        shown(schedule("after", cron="3 1 * * *"), "u-before"),
        run_shown("r-kept", status="STOPPED", schedule_uid="u-kept"),
    ]
    ours = [
        applied(moved, "u-moved"),
        applied(drifted, "u-drifted"),
        applied(kept, "u-kept"),
        applied(undeclared, "u-undeclared"),
        applied(schedule("before", cron="3 1 * * *"), "u-before"),
        applied(schedule("gone"), "u-gone"),
    ]
    return declared, listed, ours


def test_removals_come_last_and_creations_before_changes() -> None:
    """What only the store remembers comes first, then creations, changes and removals, each by address."""
    declared, listed, ours = mixed()

    plan = plan_of(desired(*declared), observed(*listed, gone={"u-gone": "CANCELLED"}), owned(*ours))

    assert [(action.kind.value, str(action.address)) for action in plan.actions] == [
        ("rename", "schedule/after"),
        ("adopt", "schedule/found"),
        ("forget", "schedule/gone"),
        ("launch", "run/launch"),
        ("create", "schedule/new-1"),
        ("create", "schedule/new-2"),
        ("resume", "schedule/drifted"),
        ("resume-run", "schedule/kept"),
        ("replace", "schedule/moved"),
        ("pause", "schedule/undeclared"),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_the_order_in_which_things_were_read_changes_nothing(seed: int) -> None:
    """The same states in any order give an equal plan with an equal fingerprint."""
    declared, listed, ours = mixed()
    gone = {"u-gone": "CANCELLED"}
    plan = plan_of(desired(*declared), observed(*listed, gone=gone), owned(*ours))

    shuffle = random.Random(seed).shuffle  # noqa: S311 # an order, no secret
    for values in (declared, listed, ours):
        shuffle(values)
    again = plan_of(desired(*declared), observed(*listed, gone=gone), owned(*ours))

    assert again == plan
    assert fingerprint_of_plan(again) == fingerprint_of_plan(plan)


def test_the_sentences_and_times_of_a_plan_are_no_decisions() -> None:
    """Why something is done and when it fires first may change without making a reviewed plan another one."""
    (new,) = resources(1)
    plan = plan_of(desired(new))
    later = plan_of(desired(new), now=NOW + timedelta(days=2))
    reworded = replace(plan, actions=tuple(replace(action, why="another sentence") for action in plan.actions))

    assert later != plan
    assert fingerprint_of_plan(later) == fingerprint_of_plan(plan) == fingerprint_of_plan(reworded)


def test_a_replacement_that_waits_for_a_tick_is_the_same_decision() -> None:
    """A plan reviewed a minute before a tick is not stale a minute after it, nor the other way round."""
    was, now_is = schedule(), schedule(cron="0 10 * * *")
    near = shown(was, next_execution_at=NOW + timedelta(minutes=1))
    plan = plan_of(desired(now_is), observed(near), owned(applied(was)))
    waited = plan_of(desired(now_is), observed(replace(near, next_execution_at=None)), owned(applied(was)))

    assert decided(plan) == ["blocked: deferred"]
    assert decided(waited) == ["replace"]
    assert fingerprint_of_plan(plan) == fingerprint_of_plan(waited)


def test_another_decision_has_another_fingerprint() -> None:
    """Another change, object, kind or blocked row makes another plan."""
    plans = [
        plan_of(),
        plan_of(desired(schedule())),
        plan_of(desired(schedule(cron="0 10 * * *"))),
        plan_of(desired(schedule("b"))),
        plan_of(desired(schedule()), observed(shown(schedule(), "x1"))),
        plan_of(desired(schedule(cron="0 10 * * *")), observed(shown(schedule())), owned(applied(schedule()))),
        plan_of(desired(schedule(cron="0 11 * * *")), observed(shown(schedule())), owned(applied(schedule()))),
        plan_of(desired(schedule()), observed(shown(schedule(), status="PAUSED")), owned(applied(schedule()))),
        plan_of(
            desired(schedule()), observed(shown(schedule(), "u2", status="PAUSED")), owned(applied(schedule(), "u2"))
        ),
    ]

    assert len({fingerprint_of_plan(plan) for plan in plans}) == len(plans)


OTHERS = ({"url": "https://example.com/8"}, {"url": "https://example.com/9"})


@pytest.mark.parametrize(
    ("reviewed", "applied_now", "ours"),
    [
        pytest.param(schedule(), schedule(work=work(inputs=OTHERS)), None, id="create"),
        pytest.param(one_off(), replace(one_off(), work=replace(one_off().work, inputs=OTHERS)), None, id="launch"),
        pytest.param(
            schedule(work=work(inputs=OTHERS[:1] * 2)), schedule(work=work(inputs=OTHERS)), schedule(), id="replace"
        ),
    ],
)
def test_as_many_other_inputs_are_another_plan(
    reviewed: Resource, applied_now: Resource, ours: Schedule | None
) -> None:
    """What was reviewed is launched with the inputs that were reviewed, although a plan shows only their number."""
    seen, state = (observed(shown(ours)), owned(applied(ours))) if ours else (observed(), owned())
    plans = [plan_of(desired(resource), seen, state) for resource in (reviewed, applied_now)]

    assert [[action.kind for action in plan.actions] for plan in plans] == [[plans[0].actions[0].kind]] * 2
    assert len({fingerprint_of_plan(plan) for plan in plans}) == 2
    assert not any("example.com/8" in str(action.changes) for plan in plans for action in plan.actions)


def removing(count: int, *, of: int, **rules: Any) -> Plan:
    """The plan of a root that owns so many schedules, and declares so many of them no more."""
    every = resources(of)
    return plan_of(
        desired(*every[count:]),
        observed(*(shown(row, f"u-{row.address.name}") for row in every)),
        owned(*(applied(row, f"u-{row.address.name}") for row in every)),
        rules=replace(policy(), **rules),
    )


@pytest.mark.parametrize(
    ("count", "of", "limit", "refused"),
    [
        pytest.param(25, 100, Limit(share=0.25), False, id="the_share_itself"),
        pytest.param(26, 100, Limit(share=0.25), True, id="one_more_than_the_share"),
        pytest.param(1, 3, Limit(share=0.25), False, id="one_is_always_allowed"),
        pytest.param(2, 4, Limit(share=0.25), True, id="two_of_four"),
        pytest.param(1, 2, Limit(share=0.0), False, id="one_even_with_no_share"),
        pytest.param(5, 100, Limit(count=5), False, id="the_count_itself"),
        pytest.param(6, 100, Limit(count=5), True, id="one_more_than_the_count"),
    ],
)
def test_more_removals_than_the_limit_are_refused(count: int, of: int, limit: Limit, refused: bool) -> None:
    """The limit is a count or a share of what is owned, and one is always allowed."""
    plan = removing(count, of=of, max_removals=limit)

    assert [violation.limit for violation in plan.violations] == (["policy.max_removals"] if refused else [])
    assert sum(action.removes for action in plan.actions) == count


def test_a_refusal_names_what_was_counted_the_limit_and_the_flag() -> None:
    """A person can see at once how far a plan goes and which flag lets it."""
    (violation,) = removing(26, of=100).violations

    assert (
        violation.message == "26 of 100 owned schedules would be removed; policy.max_removals is 25%, which allows 25"
    )
    assert (violation.counted, violation.allowed, violation.remedy) == (26, 25, "apply --allow-removals 26")


def test_a_deletion_after_its_grace_was_counted_when_it_began() -> None:
    """What was let through once is not refused a day later, when it is carried to its end."""
    every = resources(4)
    began = NOW - timedelta(days=2)
    plan = plan_of(
        desired(every[3]),
        observed(*(shown(row, row.address.name, status="PAUSED") for row in every[:3]), shown(every[3], "kept")),
        owned(
            *(applied(row, row.address.name, removed_at=began, state="paused") for row in every[:3]),
            applied(every[3], "kept"),
        ),
    )

    assert decided(plan) == ["delete"] * 3
    assert plan.violations == ()


@pytest.mark.parametrize(
    ("began", "refused"),
    [
        pytest.param(NOW - timedelta(hours=2), False, id="begun_before"),
        pytest.param(None, True, id="not_begun"),
    ],
)
def test_pausing_again_within_the_grace_is_not_counted_again(began: datetime | None, refused: bool) -> None:
    """What somebody resumed although it is on its way out was counted when that began."""
    every = resources(8)
    plan = plan_of(
        desired(every[7]),
        observed(*(shown(row, row.address.name) for row in every)),
        owned(*(applied(row, row.address.name, removed_at=began) for row in every[:7]), applied(every[7], "s00007")),
    )

    assert decided(plan) == ["pause"] * 7
    assert bool(plan.violations) is refused


def test_an_empty_declaration_is_refused() -> None:
    """A wrong folder never removes an account, also where a single removal is within the limit."""
    plan = removing(1, of=1)

    assert [(row.limit, row.remedy) for row in plan.violations] == [("empty-declaration", "apply --allow-empty")]


def test_an_empty_declaration_of_an_empty_account_is_fine() -> None:
    """With nothing declared and nothing owned there is nothing to refuse and nothing to do."""
    assert plan_of() == Plan()


@pytest.mark.parametrize(
    ("count", "of", "refused"),
    [(10, 10, False), (10, 12, False), (11, 12, True), (50, 100, False), (51, 100, True)],
)
def test_more_rewrites_than_the_limit_are_refused(count: int, of: int, refused: bool) -> None:
    """Half of what is owned may be updated or replaced, and ten always."""
    every = resources(of)
    edited = [replace(row, work=work(inputs=({"url": "new"},))) for row in every[:count]]
    plan = plan_of(
        desired(*edited, *every[count:]),
        observed(*(shown(row, row.address.name, status="PAUSED") for row in every)),
        owned(*(applied(row, row.address.name) for row in every)),
        rules=policy(max_removals=Limit(count=0)),
    )

    assert [violation.limit for violation in plan.violations] == (["policy.max_changes"] if refused else [])


def test_what_moved_on_the_account_is_told_apart_from_what_changes() -> None:
    """A remote that moved is a drift row and a change; a declaration that moved is a change alone."""
    drifted = plan_of(desired(schedule()), observed(shown(schedule(), status="PAUSED")), owned(applied(schedule())))
    edited = plan_of(desired(schedule(state="paused")), observed(shown(schedule())), owned(applied(schedule())))

    assert [(row.path, row.applied, row.found) for row in drifted.drift] == [("state", "active", "paused")]
    assert [(row.kind, row.reason) for row in drifted.actions] == [(ActionKind.RESUME, Reason.DRIFTED)]
    assert drifted.actions[0].why == "state was changed on the account"
    assert edited.drift == ()
    assert [(row.kind, row.reason) for row in edited.actions] == [(ActionKind.PAUSE, Reason.CHANGED)]
    assert edited.actions[0].why == "state changed in the declaration"


def test_a_drift_that_is_now_declared_is_reported_and_left() -> None:
    """A remote that already is as newly declared needs no action."""
    plan = plan_of(
        desired(schedule(cron="0 7 * * *")), observed(shown(schedule(cron="0 7 * * *"))), owned(applied(schedule()))
    )

    assert plan.actions == ()
    assert [row.path for row in plan.drift] == ["cron"]
    assert not plan.pending


def test_a_schedule_gone_from_the_account_is_drift() -> None:
    """Something cancelled it: the plan says so, and makes it again."""
    plan = plan_of(desired(schedule()), observed(gone={"u1": "CANCELLED"}), owned(applied(schedule())))

    assert [(row.path, row.applied, row.found) for row in plan.drift] == [("status", "ACTIVE", "cancelled")]
    assert [(row.kind, row.reason, row.why) for row in plan.actions] == [
        (ActionKind.CREATE, Reason.GONE, "u1 is cancelled")
    ]


def test_a_renamed_schedule_keeps_its_object() -> None:
    """With `was` nothing is created and nothing removed, also when something else changes with it."""
    old = schedule("old")
    new = schedule("new", was="old", cron="0 10 * * *")
    plan = plan_of(desired(new), observed(shown(old)), owned(applied(old)))

    assert [(row.kind.value, row.uid) for row in plan.actions] == [("rename", None), ("replace", "u1")]
    assert {row.address for row in plan.actions} == {address("new")}


def test_a_rename_without_its_old_name_is_a_removal_and_a_creation() -> None:
    """Nobody guesses that two names mean one thing; the twin is ours, so it is no lookalike."""
    plan = plan_of(desired(schedule("new")), observed(shown(schedule("old"))), owned(applied(schedule("old"))))

    assert [(row.kind.value, str(row.address)) for row in plan.actions] == [
        ("create", "schedule/new"),
        ("pause", "schedule/old"),
    ]


def test_a_renamed_launched_run_is_not_launched_again() -> None:
    """A one-off is launched once, ever, under whatever name."""
    plan = plan_of(desired(one_off("new", was="old")), ours=owned(applied(one_off("old"))))

    assert decided(plan) == ["rename"]


@pytest.mark.parametrize("state", ["active", "paused", "absent"])
def test_a_name_that_owns_something_itself_is_a_question(state: Any) -> None:
    """Nobody guesses which of two objects is meant: neither is changed, and the old one is not removed meanwhile."""
    old, mine = applied(schedule("old"), "u-old"), applied(schedule("new"), "u-new")
    seen = observed(shown(schedule("old"), "u-old"), shown(schedule("new", cron="0 7 * * *"), "u-new"))
    plan = plan_of(desired(schedule("new", was="old", state=state)), seen, owned(old, mine))

    assert decided(plan) == ["blocked: ambiguous"]
    (blocked,) = plan.blocked
    assert blocked.address == address("new")
    assert blocked.message == "was schedule/old, which owns u-old, but schedule/new owns u-new as well"
    assert blocked.remedy == "cdsync forget schedule/new to keep u-old, or remove was to keep both apart"
    assert plan.pending


def test_a_name_that_owns_something_itself_is_settled_by_a_word() -> None:
    """Once the new name owns nothing it takes over the old object; without `was` both go on apart."""
    old, mine = applied(schedule("old"), "u-old"), applied(schedule("new"), "u-new")
    seen = observed(shown(schedule("old"), "u-old"), shown(schedule("new"), "u-new"))

    assert decided(plan_of(desired(schedule("new", was="old")), seen, owned(old))) == ["rename"]
    assert [(row.kind.value, row.uid) for row in plan_of(desired(schedule("new")), seen, owned(old, mine)).actions] == [
        ("pause", "u-old")
    ]


@pytest.mark.parametrize(
    ("now_is", "seen", "expected"),
    [
        pytest.param({"state": "absent"}, observed(shown(schedule())), ["rename", "delete"], id="absent"),
        pytest.param({"state": "absent"}, observed(gone={"u1": None}), ["rename"], id="absent_and_gone"),
        pytest.param({"state": "paused"}, observed(shown(schedule())), ["rename", "pause"], id="paused"),
        pytest.param({}, observed(gone={"u1": "CANCELLED"}), ["rename", "create"], id="gone"),
        pytest.param({"protect": True}, observed(gone={"u1": None}), ["rename", "create"], id="protected"),
    ],
)
@pytest.mark.parametrize("secret", [False, True], ids=["", "secret_missing"])
def test_a_new_name_is_told_to_the_store_before_anything_is_done_under_it(
    now_is: dict[str, Any], seen: ObservedState, expected: list[str], secret: bool
) -> None:
    """Nothing is done in the name of a resource of which the store does not know that it owns anything."""
    new = schedule("new", was="a", **now_is)
    missing = {new.address: NO_TOKEN} if secret else {}
    plan = plan_of(desired(new, unresolved=missing), seen, owned(applied(schedule())))

    stopping = new.state != "active"
    assert decided(plan) == (expected if stopping or not secret else ["rename", "blocked: unresolved-reference"])
    assert {row.address for row in plan.actions} == {new.address}


@pytest.mark.parametrize("new", [schedule("new", was="old"), one_off("new", was="old")], ids=["schedule", "run"])
def test_an_unknown_outcome_follows_its_resource_to_another_name(new: Resource) -> None:
    """What may have been created under the old name is not created again under the new one."""
    lost = {Address(new.address.kind, "old"): "the answer to its creation was lost"}
    plan = plan_of(desired(new), ours=owned(unresolved=lost))

    assert [(str(row.address), row.reason.value) for row in plan.blocked] == [(str(new.address), "unresolved-outcome")]
    assert plan.actions == ()


def test_an_unknown_outcome_is_shown_also_when_it_is_declared_no_more() -> None:
    """A creation that may have had its effect never drops out of sight."""
    plan = plan_of(ours=owned(unresolved={address("lost"): "the answer to its creation was lost"}))

    assert decided(plan) == ["blocked: unresolved-outcome"]


@pytest.mark.parametrize(
    ("now_is", "change"),
    [
        pytest.param({"state": "paused"}, ("state", "active", "paused"), id="paused"),
        pytest.param({"state": "absent"}, ("state", "active", "absent"), id="absent"),
    ],
)
def test_a_missing_secret_does_not_keep_a_schedule_firing(now_is: dict[str, Any], change: tuple[str, str, str]) -> None:
    """To stop something needs no secret; what else has changed waits until the secret is there."""
    edited = schedule(cron="0 10 * * *", **now_is)
    missing = {edited.address: NO_TOKEN}
    plan = plan_of(desired(edited, unresolved=missing), observed(shown(schedule())), owned(applied(schedule())))

    assert [row.changes for row in plan.actions] == [(FieldChange(*change),)]
    assert plan.blocked == ()


def test_a_missing_secret_says_so_and_lifts_no_protection() -> None:
    """The message is that of the reference, and what is protected is not deleted for want of a secret."""
    missing = {address(): NO_TOKEN}
    seen, ours = observed(shown(schedule())), owned(applied(schedule()))
    blocked = plan_of(desired(schedule(), unresolved=missing), seen, ours).blocked
    kept = plan_of(desired(schedule(state="absent", protect=True), unresolved=missing), seen, ours)

    assert [(row.message, row.remedy) for row in blocked] == [(NO_TOKEN.message, NO_TOKEN.remedy)]
    assert decided(kept) == ["blocked: protected"]


def test_two_declared_twins_are_both_created() -> None:
    """Two declared schedules that resemble each other are no lookalikes."""
    plan = plan_of(desired(schedule("one"), schedule("two")))

    assert decided(plan) == ["create", "create"]


def test_a_declared_twin_of_an_owned_schedule_is_created() -> None:
    """What we own is not mistaken for somebody else's."""
    plan = plan_of(
        desired(schedule("one"), schedule("two")), observed(shown(schedule("one"))), owned(applied(schedule("one")))
    )

    assert [(row.kind.value, str(row.address)) for row in plan.actions] == [("create", "schedule/two")]


@pytest.mark.parametrize(
    ("resource", "lookalike"),
    [
        pytest.param(schedule(), shown(schedule(), "x1"), id="schedule"),
        pytest.param(one_off(), run_shown("x1"), id="run"),
        pytest.param(
            one_off(schedule_at=NOW + timedelta(days=1)),
            shown(one_off(schedule_at=NOW + timedelta(days=1)), "x1"),
            id="run_that_waits",
        ),
        pytest.param(
            one_off(schedule_at=NOW + timedelta(days=1)),
            shown(one_off(schedule_at=NOW + timedelta(days=1)), "x1", status="PAUSED", next_execution_at=None),
            id="run_that_waits_paused",
        ),
        pytest.param(
            one_off(work=work(action="linkedin-extract-people", callback=Callback(url=Reference("env", "HOOK")))),
            run_shown("x1", callback_url="https://hooks.example.com/secret"),
            id="run_whose_webhook_is_a_secret",
        ),
        pytest.param(
            one_off(),
            run_shown("x1", callback_url="https://Hooks.example.com/cd/", parameters={"max_results": "500"}),
            id="run_that_is_shown_in_other_letters",
        ),
        pytest.param(
            one_off(schedule_at=NOW + timedelta(days=1)),
            shown(one_off(), "x1", next_execution_at=NOW + timedelta(days=1, milliseconds=5)),
            id="run_that_waits_shown_with_a_fraction",
        ),
    ],
)
def test_a_lookalike_is_created_only_when_a_person_says_so(
    resource: Resource, lookalike: RemoteSchedule | RemoteRun
) -> None:
    """After a lost store nothing is doubled: the plan stops and names the object, and a flag lifts it for once."""
    plan = plan_of(desired(resource), observed(lookalike))
    lifted = plan_of(desired(resource), observed(lookalike), rules=policy(allow_lookalikes=True))

    (blocked,) = plan.blocked
    assert plan.actions == ()
    assert blocked.reason is BlockedReason.LOOKALIKE
    assert f"cdsync adopt {resource.address} x1" in (blocked.remedy or "")
    assert [row.kind for row in lifted.actions] == [
        ActionKind.CREATE if isinstance(resource, Schedule) else ActionKind.LAUNCH
    ]


def test_what_carries_our_label_and_does_something_else_is_not_taken() -> None:
    """Another root with the same owner would otherwise have its schedule rewritten: a person sees what differs."""
    theirs = shown(schedule(), "x1", label=LABEL_OF_A, cron="0 7 * * *", timezone="UTC", status="PAUSED")
    plan = plan_of(desired(schedule()), observed(theirs), rules=policy(allow_lookalikes=True))

    assert decided(plan) == ["blocked: lookalike"]
    (blocked,) = plan.blocked
    assert blocked.message == "x1 carries its label 'cdsync/a', but does something else, so it may be another's"
    assert blocked.remedy == "if it is yours: cdsync adopt schedule/a x1"
    assert blocked.changes == (
        FieldChange("cron", "0 7 * * *", "0 9 * * 1-5"),
        FieldChange("timezone", "UTC", "Europe/Paris"),
        FieldChange("state", "paused", "active"),
    )


def test_what_carries_our_label_and_is_only_paused_is_taken_as_it_is() -> None:
    """Another spelling and another state are no other work; the adoption shows the state that will change."""
    ours = shown(schedule(), "x1", label=LABEL_OF_A, cron="0 9 * * MON-FRI", status="PAUSED")
    (adopt,) = plan_of(desired(schedule()), observed(ours)).actions

    assert (adopt.kind, adopt.uid, adopt.changes) == (
        ActionKind.ADOPT,
        "x1",
        (FieldChange("state", "paused", "active"),),
    )


@pytest.mark.parametrize(
    ("label", "remedy"),
    [
        pytest.param(None, "cdsync adopt schedule/a x1; or apply --allow-lookalikes to create another", id="no_label"),
        pytest.param(
            "team-b/a",
            "its label is 'team-b/a': ask whose it is, and adopt it only if it is yours; "
            "or apply --allow-lookalikes to create another",
            id="anothers_label",
        ),
    ],
)
def test_the_way_out_of_a_lookalike_depends_on_whose_label_it_has(label: str | None, remedy: str) -> None:
    """Nobody is told to take what is marked as another's."""
    plan = plan_of(desired(schedule()), observed(shown(schedule(), "x1", label=label)))

    assert [row.remedy for row in plan.blocked] == [remedy]
    assert plan.blocked[0].message == "a live schedule that is not ours does the same at the same times: x1"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(shown(schedule(), "x1", cron="0 8 * * 1-5"), id="other_cron"),
        pytest.param(shown(schedule(), "x1", timezone="UTC"), id="other_zone"),
        pytest.param(shown(schedule(), "x1", action="linkedin-extract-people"), id="other_action"),
        pytest.param(shown(schedule(), "x1", label="cdsync/b", cron="0 8 * * *"), id="another_label"),
    ],
)
def test_what_does_something_else_is_no_lookalike(other: RemoteSchedule) -> None:
    """Foreign schedules that do other work or at other times stand in nobody's way, and are never touched."""
    plan = plan_of(desired(schedule()), observed(other))

    assert [(row.kind.value, row.uid) for row in plan.actions] == [("create", None)]


@pytest.mark.parametrize("label", [None, "made by hand", "other-team/a", "cdsync/long-gone"])
def test_what_nobody_owns_is_never_touched(label: str | None) -> None:
    """An object that is not in the store is left as it is, whatever its label."""
    plan = plan_of(ours=owned(), seen=observed(shown(schedule(), "x1", label=label)))

    assert plan == Plan()


def test_a_creation_never_fires_at_once_unless_it_says_so() -> None:
    """The first firing asked for is the next tick; only `first_fire: immediate` leaves it to the API."""
    plan = plan_of(desired(schedule("a"), schedule("b", cron="0 1 * * *", first_fire="immediate")))

    assert [action.first_fire.isoformat() if action.first_fire else None for action in plan.actions] == [
        "2026-06-02T09:00:00+02:00",
        None,
    ]


def test_what_is_made_paused_shows_no_first_firing() -> None:
    """A plan does not promise a firing that will not come, neither of a new schedule nor of one that is replaced."""
    paused = schedule(cron="0 10 * * *", state="paused")
    created = plan_of(desired(paused))
    replaced = plan_of(
        desired(paused), observed(shown(schedule(), status="PAUSED")), owned(applied(schedule(state="paused")))
    )

    assert [(row.kind, row.first_fire) for plan in (created, replaced) for row in plan.actions] == [
        (ActionKind.CREATE, None),
        (ActionKind.REPLACE, None),
    ]


@pytest.mark.parametrize(("resumes", "minutes"), [(1, 5), (2, 10), (3, 20), (4, 40)])
def test_the_pause_between_resumes_doubles(resumes: int, minutes: int) -> None:
    """The first resume is at once, the next waits for the back-off, each further one for twice as long."""
    rules = policy(resume=ResumePolicy(attempts=9, backoff=timedelta(minutes=5)))
    stopped = run_shown("u1", status="STOPPED", last_error=run_error("PROXY_ERROR"))

    def decisions(since: timedelta) -> list[str]:
        known = followed("u1", resumes=resumes, resumed_at=NOW - since)
        ours = owned(applied(one_off()), runs=(known,))
        return decided(plan_of(desired(one_off()), observed(stopped), ours, rules=rules))

    assert decisions(timedelta(minutes=minutes) - timedelta(seconds=1)) == []
    assert decisions(timedelta(minutes=minutes)) == ["resume-run"]


@pytest.mark.parametrize(
    ("run", "rules", "expected"),
    [
        pytest.param({"status": "BLOCKED"}, {}, "blocked: needs-attention", id="status_that_the_policy_does_not_name"),
        pytest.param({"status": "BLOCKED"}, {"statuses": ("BLOCKED",)}, "resume-run", id="status_that_it_names"),
        pytest.param({"status": "FAILED"}, {"statuses": ("FAILED",)}, "blocked: needs-attention", id="finished"),
        pytest.param({"last_error": run_error("LIMIT_REACHED")}, {}, "nothing", id="the_vendor_retries"),
        pytest.param(
            {"status": "BLOCKED", "last_error": run_error("LIMIT_REACHED")}, {}, "nothing", id="blocked_by_a_limit"
        ),
        pytest.param(
            {"status": "BLOCKED", "last_error": run_error("LIMIT_REACHED")},
            {"statuses": ("BLOCKED",)},
            "nothing",
            id="blocked_by_a_limit_and_resumable",
        ),
        pytest.param({"last_error": run_error("NO_ACCESS")}, {}, "blocked: needs-attention", id="credits"),
        pytest.param({"last_error": run_error("NEVER_HEARD_OF")}, {}, "blocked: needs-attention", id="unknown_label"),
        pytest.param({}, {"attempts": 0}, "blocked: needs-attention", id="no_attempts"),
    ],
)
def test_a_run_is_resumed_only_where_that_can_help(run: dict[str, Any], rules: dict[str, Any], expected: str) -> None:
    """The policy's statuses, the label of the error and the attempts decide; all else is for a person."""
    resource = replace(one_off(), resume=replace(ResumePolicy(), **rules))
    stopped = replace(run_shown("u1", status="STOPPED"), **run)
    plan = plan_of(desired(resource), observed(stopped), owned(applied(resource)))

    assert decided(plan) == ([] if expected == "nothing" else [expected])


def test_a_stopped_run_of_what_is_declared_no_more_is_only_reported() -> None:
    """Nothing is spent on runs of schedules that nobody declares."""
    stopped = run_shown("r1", status="STOPPED", schedule_uid="u1")
    plan = plan_of(
        desired(schedule("b", cron="1 1 * * *")), observed(shown(schedule()), stopped), owned(applied(schedule()))
    )

    assert [(row.kind.value, str(row.address)) for row in plan.actions] == [
        ("create", "schedule/b"),
        ("pause", "schedule/a"),
    ]
    assert [row.reason.value for row in plan.blocked] == ["needs-attention"]


@pytest.mark.parametrize("state", ["ACTIVE", "PAUSED"])
def test_a_stopped_run_of_what_is_declared_absent_is_only_reported(state: str) -> None:
    """Nothing is spent on the runs of what shall be no more, whatever the resource itself says about resuming."""
    absent = schedule(state="absent", resume=ResumePolicy(statuses=("STOPPED",), attempts=9))
    stopped = run_shown("r1", status="STOPPED", schedule_uid="u1")
    plan = plan_of(desired(absent), observed(shown(schedule(), status=state), stopped), owned(applied(schedule())))

    assert decided(plan) == ["delete", "blocked: needs-attention"]
    assert plan.blocked[0].message == "run r1 is STOPPED; the policy does not resume it"


def test_a_run_that_is_not_ours_is_never_resumed() -> None:
    """A stopped run of somebody else is nobody's business here."""
    foreign = [run_shown("x1", status="STOPPED"), run_shown("x2", status="STOPPED", schedule_uid="x3")]

    assert plan_of(seen=observed(*foreign)) == Plan()


def test_a_protected_schedule_that_was_cancelled_is_made_again() -> None:
    """Protection keeps a schedule from being lost, not from being healed."""
    kept = schedule(protect=True)

    assert decided(plan_of(desired(kept), observed(gone={"u1": "CANCELLED"}), owned(applied(kept)))) == ["create"]


def test_inputs_that_are_to_be_filled_in_are_never_sent() -> None:
    """A placeholder that an import left is neither created, nor the reason for a change; what is as it was stays so."""
    imported = schedule(work=work(inputs=({PLACEHOLDER: "unknown"},)))
    edited = replace(imported, cron="0 10 * * *")

    assert decided(plan_of(desired(imported))) == ["blocked: inputs-missing"]
    assert decided(plan_of(desired(edited), observed(shown(imported)), owned(applied(imported)))) == [
        "blocked: inputs-missing"
    ]
    assert plan_of(desired(imported), observed(shown(imported)), owned(applied(imported))) == Plan()


def test_a_rename_without_was_is_told() -> None:
    """A creation that looks like what is leaving says how to keep the object."""
    plan = plan_of(
        desired(schedule("new")), observed(shown(schedule("old"), "u1")), owned(applied(schedule("old"), "u1"))
    )

    assert decided(plan) == ["create", "pause"]
    assert "if it was renamed, say was: old" in plan.actions[0].why


def protected_states() -> list[object]:
    """All that could happen to a protected schedule, and what happens instead."""
    kept, absent = schedule(protect=True), schedule(protect=True, state="absent")
    edited = schedule(protect=True, cron="0 10 * * *")
    return [
        pytest.param([edited], [shown(kept)], {}, "blocked: protected", id="replaced"),
        pytest.param([absent], [shown(kept)], {}, "blocked: protected", id="declared_absent"),
        pytest.param([], [shown(kept)], {}, "blocked: protected", id="undeclared"),
    ]


@pytest.mark.parametrize(("declared", "listed", "gone", "expected"), protected_states())
def test_a_protected_schedule_is_never_removed_nor_replaced(
    declared: list[Resource], listed: list[RemoteSchedule], gone: dict[str, str | None], expected: str
) -> None:
    """The plan says what it would have done, and how to let it."""
    ours = owned(applied(schedule(protect=True)))
    plan = plan_of(desired(*declared), observed(*listed, gone=gone), ours)

    assert decided(plan) == [expected]
    assert plan.blocked[0].remedy
    assert plan.pending


@pytest.mark.parametrize(
    "hindered",
    [
        pytest.param({"protect": True}, id="protected"),
        pytest.param({}, id="deferred"),
    ],
)
def test_what_is_declared_paused_is_paused_also_when_its_replacement_has_to_wait(hindered: dict[str, Any]) -> None:
    """Nothing fires once more, and is paid once more, because something else about it cannot be changed now."""
    edited = replace(schedule(cron="0 10 * * *", state="paused"), **hindered)
    remote = shown(schedule(), next_execution_at=NOW + timedelta(minutes=1))
    plan = plan_of(desired(edited), observed(remote), owned(applied(schedule())))

    assert [(row.kind, [change.path for change in row.changes]) for row in plan.actions] == [
        (ActionKind.PAUSE, ["state"])
    ]
    assert [row.reason.value for row in plan.blocked] == ["protected" if hindered else "deferred"]


@pytest.mark.parametrize(
    ("now_is", "expected"),
    [
        pytest.param(schedule(cron="0 10 * * *"), ("delete", "u0"), id="edited"),
        pytest.param(schedule(state="absent"), ("delete", "u0"), id="absent"),
        pytest.param(schedule("new", was="a"), ("rename", None), id="renamed"),
    ],
)
def test_a_replacement_cut_off_is_settled_before_anything_else(
    now_is: Schedule, expected: tuple[str, str | None]
) -> None:
    """The predecessor is cancelled before its successor changes again, so that nobody loses sight of it."""
    halves = observed(shown(schedule()), shown(schedule(), "u0", status="PAUSED"))
    plan = plan_of(desired(now_is), halves, owned(applied(schedule(), retiring_uid="u0")))

    assert [(row.kind.value, row.uid) for row in plan.actions] == [expected]
    assert not any(row.removes for row in plan.actions)


def test_a_replacement_cut_off_and_undeclared_is_settled_first() -> None:
    """One object is left to remove before its removal begins."""
    halves = observed(shown(schedule()), shown(schedule(), "u0", status="PAUSED"))
    other = schedule("b", cron="1 1 * * *")
    plan = plan_of(desired(other), halves, owned(applied(schedule(), retiring_uid="u0")))

    assert [(row.kind.value, row.uid) for row in plan.actions] == [("delete", "u0"), ("create", None)]


@pytest.mark.parametrize(
    ("declared", "seen", "message"),
    [
        pytest.param(
            True,
            observed(shown(schedule(), status="ARCHIVED")),
            "u1 has the status ARCHIVED, which this version does not know, so it is left alone",
            id="unknown_status",
        ),
        pytest.param(
            False,
            observed(shown(schedule(), status="ARCHIVED")),
            "no longer declared; u1 is ARCHIVED, a status that this version does not know",
            id="unknown_status_undeclared",
        ),
        pytest.param(True, observed(), "u1 has not been looked for, so it is left alone", id="not_looked_for"),
        pytest.param(False, observed(), "no longer declared; u1 was not looked for", id="not_looked_for_undeclared"),
    ],
)
def test_what_cannot_be_judged_is_left_alone(declared: bool, seen: ObservedState, message: str) -> None:
    """A word that a newer API may have, or a gap in what was seen, is a question for a person, no reason to act."""
    other = schedule("b", cron="1 1 * * *")
    both_there = replace(seen, schedules={**seen.schedules, "u2": shown(other, "u2")})
    plan = plan_of(
        desired(*([schedule()] if declared else []), other),
        both_there,
        owned(applied(schedule()), applied(other, "u2")),
    )

    assert decided(plan) == ["blocked: needs-attention"]
    assert [row.message for row in plan.blocked] == [message]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "nothing", id="as_declared"),
        pytest.param({"schedule_at": NOW + timedelta(days=2)}, "replace", id="another_time"),
        pytest.param({"schedule_at": NOW - timedelta(days=2)}, "blocked: launched-changed", id="a_time_that_is_over"),
        pytest.param(
            {"schedule_at": NOW + timedelta(days=2), "protect": True}, "blocked: launched-changed", id="protected"
        ),
    ],
)
def test_a_one_off_can_be_changed_until_its_time(changes: dict[str, Any], expected: str) -> None:
    """Until it has fired it is a schedule on the API, replaced and healed like one."""
    waiting = one_off(schedule_at=NOW + timedelta(days=1))
    plan = plan_of(desired(replace(waiting, **changes)), observed(shown(waiting)), owned(applied(waiting)))

    assert decided(plan) == ([] if expected == "nothing" else [expected])


def test_a_one_off_is_left_as_it_is_when_its_time_is_near() -> None:
    """A replacement that could fire twice, or never, is not begun."""
    waiting = one_off(schedule_at=NOW + timedelta(minutes=1))
    edited = replace(waiting, schedule_at=NOW + timedelta(days=1))
    plan = plan_of(desired(edited), observed(shown(waiting)), owned(applied(waiting)))

    assert decided(plan) == ["blocked: too-late"]


def test_a_paused_one_off_is_resumed_before_its_time() -> None:
    """Somebody paused it on the account: it is declared, so it shall run."""
    waiting = one_off(schedule_at=NOW + timedelta(days=1))
    plan = plan_of(desired(waiting), observed(shown(waiting, status="PAUSED")), owned(applied(waiting)))

    assert decided(plan) == ["resume"]


@pytest.mark.parametrize(
    ("seen", "resource", "message", "remedy"),
    [
        pytest.param(
            observed(gone={"u1": "CANCELLED"}),
            one_off(schedule_at=NOW + timedelta(days=1)),
            "its one-time schedule u1 was cancelled on the account before its time: it was not launched",
            "to launch it after all: cdsync forget run/a, and apply with a later schedule_at",
            id="cancelled_by_hand",
        ),
        pytest.param(
            observed(shown(one_off(schedule_at=NOW - timedelta(days=1)), status="PAUSED")),
            one_off(schedule_at=NOW - timedelta(days=1)),
            "its time 2026-05-31T12:00:00+00:00 passed while u1 was paused: it was not launched",
            "to launch it after all: cdsync forget run/a, and declare a later schedule_at",
            id="paused_past_its_time",
        ),
    ],
)
def test_a_one_off_that_was_kept_from_its_time_is_a_question(
    seen: ObservedState, resource: OneOffRun, message: str, remedy: str
) -> None:
    """Somebody stopped it on purpose or by mistake: it is not launched late, and not said to have been launched."""
    plan = plan_of(desired(resource), seen, owned(applied(resource)))

    assert decided(plan) == ["blocked: needs-attention"]
    assert [(row.message, row.remedy) for row in plan.blocked] == [(message, remedy)]


def test_a_one_off_that_is_over_is_told_from_one_that_was_cancelled() -> None:
    """What came to its own end was launched, also after the API has forgotten it."""
    waited = one_off(schedule_at=NOW - timedelta(days=1))
    for gone in ({"u1": "COMPLETED"}, {"u1": None}):
        assert plan_of(desired(waited), observed(gone=gone), owned(applied(waited))) == Plan()
    remembered = owned(applied(waited, state="completed"))
    assert plan_of(desired(waited), observed(), remembered) == Plan()


@pytest.mark.parametrize("fired", ["seen_now", "remembered"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_one_off_whose_replacement_fired_does_not_fire_again(declared: bool, fired: str) -> None:
    """Its predecessor is cancelled, also when that did not succeed in the pass that saw the firing: never resumed."""
    waited = one_off(schedule_at=NOW - timedelta(minutes=1))
    ours = applied(waited, retiring_uid="u0", state="completed" if fired == "remembered" else "active")
    seen = observed(shown(waited, "u0", status="PAUSED"), gone={"u1": "COMPLETED"} if fired == "seen_now" else {})
    plan = plan_of(desired(waited) if declared else desired(schedule(state="absent")), seen, owned(ours))

    assert [(row.kind.value, row.uid) for row in plan.actions] == [("delete", "u0")]


def test_several_runs_with_our_label_are_a_question() -> None:
    """Nobody picks one of two by chance."""
    runs = [run_shown("x1", label=LABEL_OF_A), run_shown("x2", label=LABEL_OF_A)]
    plan = plan_of(desired(one_off()), observed(*runs))

    assert decided(plan) == ["blocked: ambiguous"]
    assert plan.blocked[0].message == "2 objects carry its label: x1, x2"


def test_a_hold_that_has_run_out_holds_no_more() -> None:
    """A hold is in force until its time, and not a moment longer."""
    held = {address(): Hold(since=NOW - timedelta(hours=2), until=NOW)}
    ours = replace(owned(applied(schedule())), held=held)
    paused = observed(shown(schedule(), status="PAUSED"))

    assert decided(plan_of(desired(schedule()), paused, ours)) == ["resume"]
    assert decided(plan_of(desired(schedule()), paused, ours, now=NOW - timedelta(seconds=1))) == ["blocked: held"]


def test_a_hold_follows_its_resource_to_another_name() -> None:
    """A rename lets nobody through who was to be kept out; only the store learns the new name."""
    held = {address(): Hold(since=NOW)}
    plan = plan_of(
        desired(schedule("new", was="a", cron="0 10 * * *")),
        observed(shown(schedule())),
        replace(owned(applied(schedule())), held=held),
    )

    assert decided(plan) == ["rename", "blocked: held"]


LONG, SHORT, OVER = (NOW + timedelta(hours=9), NOW + timedelta(hours=1), NOW)


@pytest.mark.parametrize(
    ("old", "new", "until"),
    [
        pytest.param(OVER, None, None, id="over_and_for_ever"),
        pytest.param(None, OVER, None, id="for_ever_and_over"),
        pytest.param(SHORT, LONG, LONG, id="short_and_long"),
        pytest.param(LONG, SHORT, LONG, id="long_and_short"),
        pytest.param(None, None, None, id="both_for_ever"),
        pytest.param("none", LONG, LONG, id="only_the_new_name"),
    ],
)
def test_a_hold_on_either_name_holds_what_is_renamed(old: Any, new: datetime | None, until: datetime | None) -> None:
    """Who holds the name that is declared now is heard before the rename as well as after it."""
    held = {address("new"): Hold(since=NOW, until=new)}
    if old != "none":
        held[address()] = Hold(since=NOW, until=old)
    plan = plan_of(
        desired(schedule("new", was="a", cron="0 10 * * *")),
        observed(shown(schedule())),
        replace(owned(applied(schedule())), held=held),
    )

    assert decided(plan) == ["rename", "blocked: held"]
    assert [row.until for row in plan.blocked] == [until]


def test_a_change_that_did_not_converge_is_tried_again_once_something_moves() -> None:
    """Another declaration, or another remote, is another effort."""
    ours = owned(applied(schedule()))
    seen = observed(shown(schedule(), cron="0 7 * * *"))
    (action,) = plan_of(desired(schedule()), seen, ours).actions
    tired = replace(ours, efforts={address(): Effort(signature_of(action), 2)})

    assert decided(plan_of(desired(schedule()), seen, tired)) == ["blocked: not-converging"]
    assert decided(plan_of(desired(schedule(cron="0 8 * * *")), seen, tired)) == ["replace"]
    assert decided(plan_of(desired(schedule()), observed(shown(schedule(), cron="0 6 * * *")), tired)) == ["replace"]


def test_what_failed_waits_alone() -> None:
    """Only the action that failed waits, with what it failed of and until when; the rest of the plan goes on."""
    until = NOW + timedelta(minutes=4)
    ours = owned(
        applied(schedule()),
        setbacks={(address(), ActionKind.UPDATE): Setback(count=3, message="HTTP 422: no", until=until)},
    )
    seen = observed(shown(schedule(), cron="0 7 * * *"), in_place=True)
    plan = plan_of(desired(schedule(), schedule("b", cron="1 1 * * *")), seen, ours)

    assert decided(plan) == ["create", "blocked: backing-off"]
    (row,) = plan.blocked
    assert (row.message, row.until, row.reason.pending) == ("update failed 3 times: HTTP 422: no", until, True)
    assert [change.path for change in row.changes] == ["cron"]


def test_planning_stays_linear() -> None:
    """Twenty times the schedules take about twenty times as long; a look-up per pair would take four hundred times."""

    def seconds(count: int) -> float:
        every = resources(count)
        declared = desired(*every)
        seen = observed(*(shown(row, row.address.name) for row in every))
        ours = owned(*(applied(row, row.address.name) for row in every))
        best = float("inf")
        for _ in range(2):
            begun = time.perf_counter()
            assert plan_of(declared, seen, ours) == Plan()
            best = min(best, time.perf_counter() - begun)
        return best

    assert seconds(10_000) < 80 * seconds(500)


def test_a_grace_is_over_when_both_clocks_say_so() -> None:
    """A server whose clock runs ahead takes no schedule off the account before its time."""
    gone = owned(applied(schedule(), removed_at=NOW - timedelta(hours=23), state="paused"))
    paused = observed(shown(schedule(), status="PAUSED"))

    def decide(server: timedelta, local: timedelta) -> list[str]:
        ahead = planning.make_plan(desired(), paused, gone, policy(), NOW + server, local_now=NOW + local)
        return decided(ahead)

    hour, none = timedelta(hours=1), timedelta()
    assert decide(hour, none) == decide(none, hour) == ["blocked: waiting"]
    assert decide(hour, hour) == ["delete"]


@pytest.mark.parametrize(("status", "blocked"), [("QUEUED", 1), ("SUCCEEDED", 0)])
def test_a_run_that_is_declared_no_more_is_told_as_it_was_just_seen(status: str, blocked: int) -> None:
    """What the state remembers of it may be older than this very look."""
    remembered = followed(of=one_off().address, status="CREATED")
    plan = plan_of(seen=observed(run_shown(status=status)), ours=owned(applied(one_off(), "r1"), runs=(remembered,)))

    messages = [row.message for row in plan.blocked]
    assert messages == [f"no longer declared, but launched and still {status}; it is not cancelled"] * blocked


@pytest.mark.parametrize(
    ("done", "remedy"),
    [
        (2, "to run it so, declare it under a new name"),
        (1, "to run it so, declare it under a new name; to go on with this one, declare it as it was"),
    ],
)
def test_an_edited_live_run_is_only_gone_on_with_while_something_is_left(done: int, remedy: str) -> None:
    """One whose inputs are all over has nothing to go on with."""
    run = one_off(mode="live")
    edited = replace(run, work=replace(run.work, parameters={"max_results": 1}))
    ours = owned(applied(run), live={run.address: live_progress(done=done)})
    (row,) = plan_of(desired(edited), ours=ours).blocked

    assert row.remedy == remedy
