"""plan: what would happen and why, for a terminal, a program, a pull request or a browser."""

from __future__ import annotations

from pathlib import Path

import click

from cdsync.assembly import reading_pass
from cdsync.cli.addresses import target_option
from cdsync.cli.console import flags_of, patiently, show, surroundings_of
from cdsync.core.remarks import Remarks, crowd_sentence, remarks_on
from cdsync.errors import CdsyncError
from cdsync.reconciler import Planned, plan_pass
from cdsync.render.lines import printable
from cdsync.render.plan_json import as_json, plan_document
from cdsync.render.plan_markdown import plan_markdown
from cdsync.render.plan_text import plan_lines
from cdsync.since import since
from cdsync.waiting import run

PENDING = 2


@click.command()
@click.option("-o", "output", metavar="FILE", type=click.Path(path_type=Path), help="Also save the plan as JSON.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    help="What goes to stdout.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when changes are pending.")
@click.option("--since", "ref", metavar="GITREF", help="Set apart what comes from files changed since a commit.")
@target_option
@click.pass_context
def plan(
    ctx: click.Context,
    *,
    output: Path | None,
    form: str,
    detailed_exitcode: bool,
    ref: str | None,
    targets: tuple[str, ...],
) -> int:
    """Show what would happen, and why; changes nothing.

    With --since the rows that come from files changed since that commit, uncommitted changes included, stand apart
    from drift and from everything else.

    \b
    Examples:
      cdsync plan
      cdsync plan --detailed-exitcode --format json
      cdsync plan --since origin/main --format markdown -o plan.json
    """
    with patiently("reading the account", flags_of(ctx)):
        planned, remarks = run(_plan(ctx, targets, ref))
    found, account = planned.plan, planned.account
    document = plan_document(found, account=account, revision=planned.revision, targets=targets, remarks=remarks)
    text, revision = as_json(document), planned.revision
    if output is not None:
        _save(output, text)
    match form:
        case "json":
            click.echo(text, nl=False)
        case "markdown":
            told = plan_markdown(found, account=account, revision=revision, targets=targets, remarks=remarks)
            click.echo(told, nl=False)
        case "html":
            from cdsync.render.plan_html import plan_html  # noqa: PLC0415 # jinja2 is slow to import

            told = plan_html(found, account=account, revision=revision, targets=targets, remarks=remarks)
            click.echo(told, nl=False)
        case _:
            if remarks.crowd is not None:
                click.echo(f"warning: {crowd_sentence(remarks.crowd)}", err=True)
            show(plan_lines(found, remarks, revision=planned.revision), flags_of(ctx))
    return PENDING if detailed_exitcode and found.pending else 0


async def _plan(ctx: click.Context, targets: tuple[str, ...], ref: str | None) -> tuple[Planned, Remarks]:
    async with reading_pass(surroundings_of(ctx, targets=targets)) as (configuration, work):
        for warning in configuration.warnings:
            click.echo(f"warning: {printable(str(warning))}", err=True)
        compared = since(ref, configuration) if ref is not None else None
        planned = await plan_pass(work)
        remarks = remarks_on(
            planned.plan,
            planned.desired,
            now=work.api.server_now(),
            without_state=None if configuration.settings.state.exists() else planned.sight.observed,
            owner=work.policy.owner,
            since=compared,
        )
        return planned, remarks


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CdsyncError(f"{path}: the plan cannot be saved: {error.strerror}") from error
