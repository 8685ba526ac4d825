"""doctor: what works and what does not, and what to do about it."""

from __future__ import annotations

import click

from cdsync.cli.console import flags_of, patiently, show, surroundings_of
from cdsync.core.findings import Grade
from cdsync.doctor import examine
from cdsync.render.doctor import doctor_document, doctor_lines
from cdsync.render.plan_json import as_json
from cdsync.waiting import run


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What goes to stdout.")
@click.pass_context
def doctor(ctx: click.Context, form: str) -> int:
    """Check key, API, clock, rate limit, state, git and folders; say what to do.

    It changes nothing, and asks the API a few questions. Ends with 1 when anything fails.

    \b
    Examples:
      cdsync doctor
      cdsync doctor --format json
    """
    with patiently("asking the API", flags_of(ctx)):
        findings = run(examine(surroundings_of(ctx)))
    if form == "json":
        click.echo(as_json(doctor_document(findings)), nl=False)
    else:
        show(doctor_lines(findings), flags_of(ctx))
    return int(any(row.grade is Grade.FAIL for row in findings))
