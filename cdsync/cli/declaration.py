"""The commands about the declaration alone: init, validate, schema. None needs a key or the network."""

from __future__ import annotations

from pathlib import Path

import click

from cdsync.assembly import read_configuration
from cdsync.cli.console import surroundings_of
from cdsync.config import schema_names, schema_text, starter_files
from cdsync.core.model import Kind
from cdsync.errors import CdsyncError
from cdsync.render.lines import counted


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.pass_context
def init(ctx: click.Context, folder: Path | None) -> None:
    """Write a commented starter configuration that validates.

    An existing file is never overwritten.

    \b
    Example:
      cdsync init my-account && cdsync -C my-account validate
    """
    root = (folder or surroundings_of(ctx).root).absolute()
    files = starter_files()
    if existing := [name for name in files if (root / name).exists()]:
        raise CdsyncError(
            f"{root / existing[0]}: exists already, and is not overwritten",
            remedy="choose another folder: cdsync init DIR",
        )
    try:
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CdsyncError(f"{error.filename}: cannot be written: {error.strerror}") from error
    for name in files:
        click.echo(f"wrote {root / name}")
    click.echo(f"next: cdsync -C {root} validate")


@click.command()
@click.pass_context
def validate(ctx: click.Context) -> None:
    """Check the whole declaration offline; needs no key.

    Every fault is shown at once, as file:line:col: address: what is wrong.
    """
    configuration = read_configuration(surroundings_of(ctx))
    for warning in configuration.warnings:
        click.echo(f"warning: {warning}", err=True)
    kinds = [address.kind for address in configuration.desired.resources]
    schedules, runs = kinds.count(Kind.SCHEDULE), kinds.count(Kind.RUN)
    counts = f"{counted(schedules, 'schedule')} and {counted(runs, 'run')}"
    click.echo(f"valid: {counts} in {counted(len(configuration.files), 'file')}")


@click.command()
@click.argument("name", type=click.Choice(schema_names()))
def schema(name: str) -> None:
    """Print a JSON Schema.

    It is of draft 2020-12, for editors and other programs.
    """
    click.echo(schema_text(name), nl=False)
