"""What is done about live runs: the rows of the decision table that concern `mode: live`.

A live run is launched once, ever: that is written down, and then its inputs are asked for one after the other, page by
page, over as many passes as it takes. None of them is asked for twice unless a person says so.
"""

from __future__ import annotations

from cdsync.core.actions import Action, ActionKind, Blocked, BlockedReason, Decision, Reason
from cdsync.core.advice import Then, advice_on
from cdsync.core.context import Context
from cdsync.core.diff import FieldChange
from cdsync.core.fingerprint import synopsis_of
from cdsync.core.model import Address, OneOffRun, RunError
from cdsync.core.progress import LiveProgress


def launch_live(run: OneOffRun, alike: tuple[str, ...]) -> Decision:
    """Launch a live run, unless one that nobody owns, of these UIDs, may be it."""
    if alike:
        message = f"it may have been launched already, as {', '.join(alike)}, which nobody owns"
        remedy = f"cdsync adopt {run.address} {alike[0]} if so, or apply --allow-lookalikes to launch it all the same"
        return _blocked(run, BlockedReason.LOOKALIKE, message, remedy)
    shown = synopsis_of(run)
    launch = Action(
        address=run.address,
        kind=ActionKind.LAUNCH,
        reason=Reason.NEW,
        why="declared, and never launched: live, one request for each input and page",
        changes=tuple(FieldChange(path, None, value) for path, value in shown.items() if value not in (None, {}, [])),
    )
    return Decision(actions=(launch, _fetch(run, _number_of(run))))


def _number_of(run: OneOffRun) -> str:
    number = len(run.work.inputs)
    return "1 input" if number == 1 else f"{number} inputs, one after the other"


def decide_live(run: OneOffRun, changes: tuple[FieldChange, ...], context: Context) -> Decision:
    """Go on with a live run that was launched; `changes` are those of its declaration since."""
    progress = context.progress_of(run.address)
    if progress is None or progress.finished:
        failed = progress.failed if progress is not None else 0
        return _changed(run, changes, "launched", "") if changes else _failed(run, progress) if failed else Decision()
    if changes:
        state = f"launched, with {progress.words}; nothing more is asked for"
        return _changed(run, changes, state, "; to go on with this one, declare it as it was")
    if (remedy := remedy_for(progress, run.address)) is not None:
        message = f"stopped by {progress.halted}: {progress.words}"
        return _blocked(run, BlockedReason.NEEDS_ATTENTION, message, remedy)
    if progress.wait_until is not None and progress.wait_until > context.now:
        return Decision(blocked=(_limited(run, progress),))
    return Decision(actions=(_fetch(run, progress.words),))


def remedy_for(progress: LiveProgress, address: Address) -> str | None:
    """What to do about a live run that stopped for a person; None for one that has not."""
    if progress.halted is None:
        return None
    advice = advice_on(RunError(label=progress.halted, message=None))
    words = advice.words(address)
    return words if advice.then is Then.RESUME else f"{words}; to go on: cdsync resume {address}"


def undeclared_live(progress: LiveProgress) -> str:
    """What is said of a live run that is declared no more before its end."""
    return f"no longer declared, but launched: {progress.words}; nothing more is asked for"


def _fetch(run: OneOffRun, why: str) -> Action:
    return Action(address=run.address, kind=ActionKind.FETCH, reason=Reason.UNFINISHED, why=why)


def _failed(run: OneOffRun, progress: LiveProgress | None) -> Decision:
    message = f"over, and not every input was answered: {progress.words if progress else ''}"
    remedy = (
        f"look at {run.address.name}.failed.jsonl among the results, and declare what is to be asked for again under a "
        f"new name; to be told no more: cdsync hold {run.address}"
    )
    return _blocked(run, BlockedReason.NEEDS_ATTENTION, message, remedy)


def _limited(run: OneOffRun, progress: LiveProgress) -> Blocked:
    return Blocked(
        address=run.address,
        reason=BlockedReason.LIMITED,
        message=f"the API wants to be asked again at {progress.wait_until:%Y-%m-%d %H:%M:%S} UTC: {progress.words}",
        remedy="apply again then",
        until=progress.wait_until,
    )


def _changed(run: OneOffRun, changes: tuple[FieldChange, ...], state: str, or_else: str) -> Decision:
    paths = ", ".join(change.path for change in changes)
    message = f"{state}, but its {paths} changed since; it is never launched again"
    remedy = f"to run it so, declare it under a new name{or_else}"
    return _blocked(run, BlockedReason.LAUNCHED_CHANGED, message, remedy, changes=changes)


def _blocked(
    run: OneOffRun, reason: BlockedReason, message: str, remedy: str, *, changes: tuple[FieldChange, ...] = ()
) -> Decision:
    blocked = Blocked(address=run.address, reason=reason, message=message, remedy=remedy, changes=changes)
    return Decision(blocked=(blocked,))
