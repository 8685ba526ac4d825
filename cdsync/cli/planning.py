"""apply and resume: what changes the account."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import click

from cdsync.assembly import Surroundings, writing_pass
from cdsync.cli.addresses import address_argument, target_option
from cdsync.cli.console import flags_of, following, show, surroundings_of
from cdsync.cli.progress import ApplyProgress
from cdsync.cli.root import Flags
from cdsync.cli.saved_plan import SavedPlan, read_saved_plan, refuse_if_stale
from cdsync.core.actions import Plan, Violation
from cdsync.core.remarks import Remarks, previews_of
from cdsync.core.standing import nothing_to_resume
from cdsync.custody import known_address
from cdsync.errors import CdsyncError
from cdsync.executor import Report
from cdsync.reconciler import Applied, Planned, apply_pass
from cdsync.render.lines import Line, counted, printable, wrapped
from cdsync.render.plan_text import plan_lines
from cdsync.taking_up import resume_pass
from cdsync.waiting import run

IN_PART = 3


@click.command()
@click.argument("planfile", type=click.Path(path_type=Path), required=False)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@click.option("--allow-removals", metavar="N", type=click.IntRange(min=0), help="Let N schedules be removed.")
@click.option("--allow-changes", metavar="N", type=click.IntRange(min=0), help="Let N schedules be rewritten.")
@click.option("--allow-empty", is_flag=True, help="Let an empty declaration remove everything owned.")
@click.option("--allow-lookalikes", is_flag=True, help="Create also what resembles an unowned schedule or run.")
@target_option
@click.pass_context
def apply(
    ctx: click.Context,
    *,
    planfile: Path | None,
    yes: bool,
    targets: tuple[str, ...],
    allow_removals: int | None,
    allow_changes: int | None,
    allow_empty: bool,
    allow_lookalikes: bool,
) -> int:
    """Make the account as declared.

    Shows the plan and asks on a terminal; elsewhere it needs --yes. With PLANFILE, which `plan -o` wrote, it does that
    plan or nothing. Ends with 3 when something is left to do, and with 4, having done nothing, when a limit of the
    policy would be passed or a plan made now decides something else than PLANFILE.

    \b
    Examples:
      cdsync apply
      cdsync plan -o plan.json && cdsync apply plan.json --yes
    """
    saved = read_saved_plan(planfile) if planfile else None
    if saved is not None and targets:
        raise CdsyncError("a saved plan has its own targets", remedy="leave out --target, or make the plan with it")
    limits = {
        "policy.max_removals": allow_removals or 0,
        "policy.max_changes": allow_changes or 0,
        "empty-declaration": sys.maxsize if allow_empty else -1,
    }
    around = surroundings_of(ctx, allow_lookalikes=allow_lookalikes, targets=saved.targets if saved else targets)
    applied = _reviewed_apply(around, flags_of(ctx), saved=saved, limits=limits, yes=yes)
    if applied is None:
        click.echo("nothing was applied", err=True)
        return 1
    if applied.reports:
        show(_outcome_lines(applied), flags_of(ctx))
    return _exit_code(applied)


def _reviewed_apply(
    around: Surroundings, flags: Flags, *, saved: SavedPlan | None, limits: Mapping[str, int], yes: bool
) -> Applied | None:
    """Apply, with the plan shown first, held against a saved one, and agreed to."""
    with following(flags) as progress:

        def review(planned: Planned) -> None:
            # A limit that is passed is told by the refusal itself, unless a flag has lifted it.
            plan = replace(planned.plan, violations=())
            remarks = Remarks(previews=previews_of(plan, planned.desired, now=around.now()))
            progress.looked()
            show(plan_lines(plan, remarks, revision=planned.revision), flags)
            if saved is not None:
                refuse_if_stale(saved, planned.plan, account=planned.account)

        def approve(planned: Planned) -> bool:
            agreed = yes or _ask(planned.plan)
            if agreed:
                progress.begin(len(planned.plan.actions))
            return agreed

        def lifted(violation: Violation) -> bool:
            return violation.counted <= limits[violation.limit]

        return run(_apply(around, review=review, approve=approve, lifted=lifted, progress=progress))


async def _apply(
    around: Surroundings,
    *,
    review: Callable[[Planned], None],
    approve: Callable[[Planned], bool],
    lifted: Callable[[Violation], bool],
    progress: ApplyProgress,
) -> Applied | None:
    async with writing_pass(around, command="apply") as (configuration, work):
        for warning in configuration.warnings:
            click.echo(f"warning: {printable(str(warning))}", err=True)
        return await apply_pass(work, review=review, approve=approve, lifted=lifted, on_event=progress.on_event)


def _ask(plan: Plan) -> bool:
    if not sys.stdin.isatty():
        raise CdsyncError(
            f"{counted(len(plan.actions), 'action')} to apply, and no terminal to ask on",
            remedy="review the plan, then: apply --yes",
        )
    # The event loop would only take note of Ctrl-C; at a question it means no, at once.
    noted = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return click.confirm("Apply this?", err=True)
    except click.Abort:
        click.echo(err=True)
        return False
    finally:
        signal.signal(signal.SIGINT, noted)


def _outcome_lines(applied: Applied) -> list[Line]:
    failed = sum(report.count("failed") for report in applied.reports)
    skipped = sum(report.count("skipped") for report in applied.reports)
    words = [f"{applied.done} done"]
    words += [f"{failed} failed"] if failed else []
    words += [f"{skipped} not tried"] if skipped else []
    words += [f"{len(applied.left.actions)} still to do"] if applied.left.actions else []
    words += [f"{len(applied.left.blocked)} left alone"] if applied.left.blocked else []
    return [Line(), *wrapped(f"Applied: {', '.join(words)}.", indent=0, style="title")]


def _exit_code(applied: Applied) -> int:
    if applied.complete:
        return 0
    failed = sum(report.count("failed") for report in applied.reports)
    return 1 if failed and not applied.done else IN_PART


@click.command()
@address_argument()
@click.pass_context
def resume(ctx: click.Context, address: str) -> int:
    """Resume the stopped or blocked runs of a resource now.

    It does so whatever the policy says, and counts as an attempt. Do it when the cause is mended: a run that is resumed
    with a broken identity only blocks again.

    \b
    Example:
      cdsync resume schedule/weekday-leads
    """
    with following(flags_of(ctx)) as progress:
        report, otherwise = run(_resume(ctx, address, progress))
    done, tried = report.count("done"), len(report.results)
    part = f"{done} of {counted(tried, 'run')} resumed" if done != tried else f"{counted(done, 'run')} resumed"
    click.echo(part if tried else printable(otherwise))
    return 0 if done == tried else IN_PART if done else 1


async def _resume(ctx: click.Context, text: str, progress: ApplyProgress) -> tuple[Report, str]:
    """What came of it, and what to say where there was nothing to resume."""
    async with writing_pass(surroundings_of(ctx), command="resume") as (configuration, work):
        address = known_address(text, configuration.desired, work.store.owned())
        report = await resume_pass(work, address, on_event=progress.on_event)
        state = work.store.owned()
        return report, nothing_to_resume(address, state.runs.values(), state.live.get(address))
