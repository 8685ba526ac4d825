"""status and history: how every resource stands, and how it came to that."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import click

from cdsync.assembly import reading_pass, settings_of
from cdsync.cli.console import flags_of, show, surroundings_of
from cdsync.core.model import Address
from cdsync.core.revisions import short_revision
from cdsync.core.status import StatusRow, make_status
from cdsync.errors import UnknownAddress
from cdsync.reconciler import plan_pass
from cdsync.render.history import history_document, history_lines
from cdsync.render.plan_json import as_json
from cdsync.render.status import status_document, status_lines
from cdsync.store import open_reader


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What goes to stdout.")
@click.pass_context
def status(ctx: click.Context, form: str) -> None:
    """Show every resource: declared, remote, health, last and next fire, last run."""
    title, rows, revision = asyncio.run(_status(ctx))
    if form == "json":
        click.echo(as_json(status_document(rows, revision=revision)), nl=False)
    else:
        show(status_lines(rows, title=title), flags_of(ctx))


async def _status(ctx: click.Context) -> tuple[str, tuple[StatusRow, ...], str | None]:
    async with reading_pass(surroundings_of(ctx)) as (_, work):
        planned = await plan_pass(work)
        now = work.api.server_now()
        # What this look shows of our runs is newer than what the state remembers.
        owned = replace(planned.owned, runs={**planned.owned.runs, **{run.uid: run for run in planned.sight.runs}})
        rows = make_status(planned.desired, planned.sight.observed, owned, planned.plan, now, resume=work.policy.resume)
        revision = f", at {short_revision(work.revision)}" if work.revision else ""
        where = f"{work.settings.api.base_url} (dialect {work.api.dialect.name}){revision}"
        return f"{where}; times in UTC", rows, work.revision


@click.command()
@click.argument("address", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What goes to stdout.")
@click.pass_context
def history(ctx: click.Context, address: str | None, form: str) -> None:
    """Show what was done, when, by which commit, with what result.

    \b
    Examples:
      cdsync history
      cdsync history schedule/weekday-leads --format json
    """
    settings = settings_of(surroundings_of(ctx))
    with open_reader(settings.state) as store:
        entries = store.history(_address(address) if address else None)
    if address and not entries:
        raise UnknownAddress(f"nothing was ever done to {address}", remedy="cdsync history shows what was done to all")
    if form == "json":
        click.echo(as_json(history_document(entries)), nl=False)
    else:
        show(history_lines(entries), flags_of(ctx))


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise UnknownAddress(str(error)) from error
