"""status and history: how every resource stands, and how it came to that."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import click

from cdsync.assembly import Surroundings, known_offline, reading_pass, settings_of
from cdsync.cli.addresses import address_argument
from cdsync.cli.console import flags_of, patiently, show, surroundings_of
from cdsync.cli.watching import watch
from cdsync.core.crowding import Crowd, crowd_in
from cdsync.core.model import Address
from cdsync.core.policy import parse_duration
from cdsync.core.records import HistoryEntry, RefusedCommit, address_since
from cdsync.core.remarks import crowd_sentence
from cdsync.core.revisions import short_revision
from cdsync.core.status import Health, StatusRow, make_status
from cdsync.core.targets import did_you_mean
from cdsync.errors import UnknownAddress
from cdsync.reconciler import plan_pass
from cdsync.render.history import history_document, history_lines
from cdsync.render.lines import Line
from cdsync.render.plan_json import as_json, crowd_document
from cdsync.render.refused import refused_document, refused_lines
from cdsync.render.status import status_document, status_lines
from cdsync.results import results_path
from cdsync.store import Store, open_reader, refused_commit
from cdsync.waiting import run

SHORTEST = timedelta(seconds=2)
"""Between two looks of a watch."""


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What goes to stdout.")
@click.option("--watch", "watching", is_flag=True, help="Refresh in place, the worst first, until Ctrl-C.")
@click.option("--interval", metavar="DURATION", default="10s", help="How often, such as 10s or 1m. [default: 10s]")
@click.pass_context
def status(ctx: click.Context, *, form: str, watching: bool, interval: str) -> None:
    """Show every resource: declared, remote, next fire, health, last fire and run.

    \b
    Examples:
      cdsync status
      cdsync status --watch --interval 30s
      cdsync status --format json
    """
    flags = flags_of(ctx)
    if watching:
        if form != "text":
            raise click.UsageError("--watch shows text; leave out --format")
        watch(lambda: _watched(ctx, interval), every=_pause(interval), flags=flags)
        return
    with patiently("reading the account", flags):
        found = run(_status(ctx))
    if form == "json":
        document = status_document(found.rows, revision=found.revision, results=found.results)
        document |= {"refused": refused_document(found.refused), "crowd": crowd_document(found.crowd)}
        click.echo(as_json(document), nl=False)
        return
    if found.crowd is not None:
        click.echo(f"warning: {crowd_sentence(found.crowd)}", err=True)
    show([*refused_lines(found.refused), *status_lines(found.rows, title=found.title)], flags)


def _pause(text: str) -> timedelta:
    try:
        pause = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--interval") from error
    if pause < SHORTEST:
        raise click.BadParameter("every look costs requests; expected at least 2s", param_hint="--interval")
    return pause


def _watched(ctx: click.Context, interval: str) -> list[Line]:
    found = run(_status(ctx))
    rows = tuple(sorted(found.rows, key=lambda row: list(Health).index(row.health)))
    when = f"{found.now:%H:%M:%S} UTC, every {interval}; Ctrl-C ends"
    return [Line(when, "faint"), *refused_lines(found.refused), *status_lines(rows, title=found.title)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Status:
    """What one look at the account gives.

    `refused` is the commit that a daemon beside it does not take up, `results` where the rows of live runs are.
    """

    title: str
    rows: tuple[StatusRow, ...]
    crowd: Crowd | None
    now: datetime
    revision: str | None
    refused: RefusedCommit | None
    results: Mapping[Address, str]


async def _status(ctx: click.Context) -> _Status:
    async with reading_pass(surroundings_of(ctx)) as (_, work):
        planned = await plan_pass(work)
        now = work.api.server_now()
        # What this look shows of our runs is newer than what the state remembers.
        owned = replace(planned.owned, runs={**planned.owned.runs, **{run.uid: run for run in planned.sight.runs}})
        rows = make_status(planned.desired, planned.sight.observed, owned, planned.plan, now, resume=work.policy.resume)
        revision = f", at {short_revision(work.revision)}" if work.revision else ""
        where = f"{work.settings.api.base_url} (dialect {work.api.dialect.name}){revision}"
        crowd = crowd_in(planned.desired.resources.values(), now=now)
        return _Status(
            title=f"{where}; times in UTC",
            rows=rows,
            crowd=crowd,
            now=now,
            revision=work.revision,
            refused=refused_commit(work.store) if work.settings.daemon.git is not None else None,
            results={
                row.address: str(results_path(work.settings.results, row.address.name)) for row in rows if row.live
            },
        )


@click.command()
@address_argument(required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What goes to stdout.")
@click.pass_context
def history(ctx: click.Context, *, address: str | None, form: str) -> None:
    """Show what was done, when, by which commit, with what result.

    Each row says why, and what changed from what to what. Times are in UTC. A name from before a renaming does as well.

    \b
    Examples:
      cdsync history
      cdsync history schedule/weekday-leads --format json
    """
    around = surroundings_of(ctx)
    with open_reader(settings_of(around).state) as store:
        entries = _entries(address, around, store) if address else store.history()
    if form == "json":
        click.echo(as_json(history_document(entries)), nl=False)
    else:
        show(history_lines(entries), flags_of(ctx))


def _entries(text: str, around: Surroundings, store: Store) -> tuple[HistoryEntry, ...]:
    """What was done to the resource that a person named, also by a name that it had before.

    Raises:
        UnknownAddress: nothing was; names the nearest to which something was, or which is known otherwise.
    """
    with suppress(ValueError):
        if entries := store.history(Address.parse(text)):
            return entries
    everything = store.history()
    if (now := address_since(text, everything)) is not None:
        click.echo(f"{text} was renamed: it is {now} now", err=True)
        return store.history(now)
    known = known_offline(around) | {entry.address for entry in everything}
    near = "" if text in map(str, known) else did_you_mean(text, known)
    raise UnknownAddress(f"nothing was ever done to {text!r}{near}", remedy="cdsync history shows what was done to all")
