"""next: when everything declared fires next. Offline: it reads the declaration alone."""

from __future__ import annotations

import click

from cdsync.assembly import declaration
from cdsync.cli.addresses import complete_address
from cdsync.cli.console import flags_of, patiently, show, surroundings_of
from cdsync.core.coming import Coming, coming_fires, span_of
from cdsync.core.model import DesiredState
from cdsync.core.targets import selection
from cdsync.render.coming import coming_document, coming_lines
from cdsync.render.plan_json import as_json
from cdsync.waiting import run

USUAL = 3
"""How many fires of each resource are shown when nothing is said."""


@click.command(name="next")
@click.argument("glob", metavar="[GLOB]", required=False, shell_complete=complete_address)
@click.option("--count", metavar="N", type=click.IntRange(1, 1000), help="So many of each resource. [default: 3]")
@click.option("--days", metavar="N", type=click.IntRange(1, 366), help="All within so many days instead.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "ics"]),
    default="text",
    help="What goes to stdout; ics is a calendar.",
)
@click.pass_context
def next_command(ctx: click.Context, *, glob: str | None, count: int | None, days: int | None, form: str) -> None:
    """Show when everything declared fires next, in its own zone; needs no key.

    These are the declared active schedules, and runs whose schedule_at lies ahead. Where daylight saving skips a fire
    time or repeats it, that is said.

    \b
    Examples:
      cdsync next
      cdsync next 'schedule/eu-*' --days 7
      cdsync next --days 30 --format ics > cdsync.ics
    """
    if count is not None and days is not None:
        raise click.UsageError("--count and --days exclude each other")
    around = surroundings_of(ctx)
    with patiently("reading the declaration", flags_of(ctx)):
        configuration, _ = run(declaration(around))
        desired = configuration.desired
        wanted = selection((glob,) if glob is not None else (), known=desired.resources.keys())
        chosen = DesiredState(resources={key: row for key, row in desired.resources.items() if wanted(key)})
        span = span_of(around.now(), count=count or (None if days else USUAL), days=days)
        found: Coming = coming_fires(chosen.resources.values(), span)
    match form:
        case "json":
            click.echo(as_json(coming_document(found, chosen)), nl=False)
        case "ics":
            from cdsync.render.coming_calendar import coming_calendar  # noqa: PLC0415 # icalendar is slow to import

            click.echo(coming_calendar(found, chosen), nl=False)
        case _:
            show(coming_lines(found), flags_of(ctx))
