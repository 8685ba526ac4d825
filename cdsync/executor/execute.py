"""The order of a plan's actions, which of them may be in flight together, and the report of what became of each."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cdsync.core.actions import BRINGS_INTO_BEING, Action, ActionKind
from cdsync.core.context import work_key
from cdsync.core.echo import loosely
from cdsync.core.events import Event, Failed, Started, Succeeded, Unresolved
from cdsync.core.fingerprint import canonical
from cdsync.core.model import Address, Schedule
from cdsync.errors import ApiError, CdsyncError, OutcomeUnknown
from cdsync.executor import live_steps, run_steps, schedule_steps
from cdsync.executor.journaled import Workshop
from cdsync.results import move_lines

IN_FLIGHT = 8
"""How many resources are worked on at a time; the limiter decides how fast."""

Outcome = Literal["done", "failed", "unknown", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one action."""

    action: Action
    outcome: Outcome
    uid: str | None = None
    error: CdsyncError | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of each action, in the order of the plan."""

    results: tuple[Result, ...] = ()

    def count(self, *outcomes: Outcome) -> int:
        """How many ended so."""
        return sum(1 for result in self.results if result.outcome in outcomes)


async def execute(actions: Iterable[Action], shop: Workshop, *, on_event: Callable[[Event], None]) -> Report:
    """Carry out actions phase by phase; what removes is left out when anything could not be created."""
    phases: defaultdict[int, list[Action]] = defaultdict(list)
    for action in actions:
        phases[action.phase].append(action)
    results: list[Result] = []
    for _, phase in sorted(phases.items()):
        if phase[0].removes and not shop.stopping() and any(_failed_to_create(result) for result in results):
            results.extend(_skip(action, "a creation failed in this pass", on_event) for action in phase)
            continue
        idle = [action for action in phase if _not_launched(action, results)]
        results.extend(_skip(action, "it was not launched", on_event) for action in idle)
        results.extend(await _run_phase([action for action in phase if action not in idle], shop, on_event))
    return Report(tuple(results))


def _not_launched(action: Action, results: Iterable[Result]) -> bool:
    """Whether the pages of a live run cannot be fetched, because this pass was to launch it and has not."""
    return action.kind is ActionKind.FETCH and any(
        result.action.address == action.address and result.action.kind is ActionKind.LAUNCH and result.outcome != "done"
        for result in results
    )


def _failed_to_create(result: Result) -> bool:
    return result.outcome != "done" and result.action.kind in BRINGS_INTO_BEING


async def _run_phase(phase: list[Action], shop: Workshop, on_event: Callable[[Event], None]) -> list[Result]:
    groups: defaultdict[Hashable, list[Action]] = defaultdict(list)
    for action in phase:
        groups[_twin_key(action, shop)].append(action)
    queue = list(groups.values())
    results: list[Result] = []
    # Whether the API takes labels is learnt from one creation before others leave.
    while queue and shop.labels is None and queue[0][0].kind in BRINGS_INTO_BEING:
        results.extend(await _run_group(queue.pop(0), shop, on_event))
        if results[-1].outcome == "done":
            await _learn_labels(shop, results[-1])
            break
    done: list[list[Result]] = [[] for _ in queue]
    waiting = iter(enumerate(queue))

    async def work() -> None:
        # One begins with the next as soon as one is done, without a pause in which its outcome would go to disk alone.
        for number, group in waiting:
            done[number] = await _run_group(group, shop, on_event)

    await asyncio.gather(*(work() for _ in range(min(IN_FLIGHT, len(queue)))))
    return [*results, *(result for group in done for result in group)]


def _twin_key(action: Action, shop: Workshop) -> Hashable:
    """What must not be in flight together: two actions on one resource, and two creations nobody could tell apart."""
    resource = shop.desired.resources.get(action.address)
    if action.kind is ActionKind.FETCH and resource is not None:
        return ("live", resource.work.action)
    if action.kind not in BRINGS_INTO_BEING or resource is None or shop.labels:
        return action.address
    if isinstance(resource, Schedule):
        return ("schedule", *work_key(resource.work.action, resource.cron))
    return ("run", resource.work.action, resource.schedule_at or canonical(loosely(resource.work.parameters)))


def _twin_in_doubt(action: Action, shop: Workshop) -> Address | None:
    """Another resource of which it is not known yet whether it was created, and whose object could be taken for this
    one's."""
    return shop.doubts.twin_of(action.address, _twin_key(action, shop))


async def _run_group(group: list[Action], shop: Workshop, on_event: Callable[[Event], None]) -> list[Result]:
    results: list[Result] = []
    # A live request in doubt is looked for by counting, which others of its action would upset.
    for action in sorted(group, key=lambda action: not _asked_in_vain(action, shop)):
        if shop.stopping():
            results.append(_skip(action, "cdsync is stopping; the next pass does it", on_event))
        elif (other := _live_one_in_doubt(action, shop)) is not None:
            results.append(_wait_for(other, action, on_event))
        elif results and results[-1].outcome == "unknown":
            results.append(_wait_for(results[-1].action.address, action, on_event))
        elif action.kind in BRINGS_INTO_BEING and (twin := _twin_in_doubt(action, shop)) is not None:
            results.append(_wait_for(twin, action, on_event))
        else:
            results.append(await _run_one(action, shop, on_event))
    return results


def _asked_in_vain(action: Action, shop: Workshop) -> bool:
    """Whether it is not known what became of the last request of a live run."""
    progress = shop.store.live(action.address) if action.kind is ActionKind.FETCH else None
    return progress is not None and progress.asked_at is not None


def _live_one_in_doubt(action: Action, shop: Workshop) -> Address | None:
    """Another live run of the same action whose request is in doubt, and will be settled by being asked for."""
    if action.kind is not ActionKind.FETCH or _asked_in_vain(action, shop):
        return None
    live = shop.store.all_live()
    asked_for = live[action.address].action if action.address in live else None
    return next(
        (
            address
            for address, progress in live.items()
            if address in shop.fetched and progress.asked_at is not None and progress.action == asked_for
        ),
        None,
    )


def _wait_for(other: Address, action: Action, on_event: Callable[[Event], None]) -> Result:
    return _skip(action, f"waits until {other} is found or ruled out", on_event)


def _skip(action: Action, why: str, on_event: Callable[[Event], None]) -> Result:
    on_event(Failed(action, why, tried=False))
    return Result(action=action, outcome="skipped", error=CdsyncError(why))


async def _run_one(action: Action, shop: Workshop, on_event: Callable[[Event], None]) -> Result:
    on_event(Started(action))
    try:
        uid = await CARRIED_OUT_BY[action.kind](shop, action)
    except OutcomeUnknown as error:
        on_event(Unresolved(action, str(error)))
        return Result(action=action, outcome="unknown", error=error)
    except CdsyncError as error:
        on_event(Failed(action, str(error), error.remedy, error=error))
        return Result(action=action, outcome="failed", error=error)
    on_event(Succeeded(action, uid))
    return Result(action=action, outcome="done", uid=uid)


async def _pause(shop: Workshop, action: Action) -> str:
    return await (schedule_steps.begin_removal if action.removes else schedule_steps.switch)(shop, action)


async def _rename(shop: Workshop, action: Action) -> str | None:
    was = str(action.changes[0].before)
    if shop.store.live(Address(action.address.kind, was)) is not None:
        move_lines(shop.results, was, action.address.name)
    shop.store.rename(action.address, was=was)
    shop.store.add_history(shop.entry(action, "done", uid=action.uid))
    return action.uid


async def _forget(shop: Workshop, action: Action) -> str | None:
    shop.store.forget(action.address)
    shop.store.add_history(shop.entry(action, "done", uid=action.uid))
    return action.uid


CARRIED_OUT_BY: Mapping[ActionKind, Callable[[Workshop, Action], Awaitable[str | None]]] = {
    ActionKind.CREATE: schedule_steps.create,
    ActionKind.LAUNCH: run_steps.launch,
    ActionKind.ADOPT: schedule_steps.adopt,
    ActionKind.RENAME: _rename,
    ActionKind.UPDATE: schedule_steps.update,
    ActionKind.REPLACE: schedule_steps.replace_schedule,
    ActionKind.RESUME: schedule_steps.switch,
    ActionKind.RESUME_RUN: run_steps.resume_run,
    ActionKind.PAUSE: _pause,
    ActionKind.DELETE: schedule_steps.delete,
    ActionKind.FORGET: _forget,
    ActionKind.FETCH: live_steps.fetch,
}


async def _learn_labels(shop: Workshop, result: Result) -> None:
    """See whether the label of a schedule just created is shown again, once per store."""
    if shop.labels is not None or result.uid is None or result.action.kind is ActionKind.LAUNCH:
        return
    try:
        found = await shop.api.schedule(result.uid)
    except ApiError:
        return
    if found is not None:
        shop.labels = found.label is not None
        shop.store.remember("labels", "yes" if shop.labels else "no")
