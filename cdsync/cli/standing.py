"""status: how every resource stands."""

from __future__ import annotations

import asyncio

import click

from cdsync.assembly import reading_pass
from cdsync.cli.console import flags_of, show, surroundings_of
from cdsync.core.status import StatusRow, make_status
from cdsync.reconciler import plan_pass
from cdsync.render.plan_json import as_json
from cdsync.render.status import status_document, status_lines


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What goes to stdout.")
@click.pass_context
def status(ctx: click.Context, form: str) -> None:
    """Show every resource: declared, remote, health, last and next fire, last run."""
    title, rows = asyncio.run(_status(ctx))
    if form == "json":
        click.echo(as_json(status_document(rows)), nl=False)
    else:
        show(status_lines(rows, title=title), flags_of(ctx))


async def _status(ctx: click.Context) -> tuple[str, tuple[StatusRow, ...]]:
    async with reading_pass(surroundings_of(ctx)) as (_, work):
        planned = await plan_pass(work)
        now = work.api.server_now()
        rows = make_status(planned.desired, planned.sight.observed, planned.owned, planned.plan, now)
        revision = f", at {work.revision}" if work.revision else ""
        where = f"{work.settings.api.base_url} (dialect {work.api.dialect.name}){revision}"
        return f"{where}; times in UTC", rows
