"""The commands about the declaration alone: init, validate, schema. None needs a key or the network."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cdsync.assembly import Surroundings, read_configuration
from cdsync.cli.console import flags_of, patiently, surroundings_of
from cdsync.config import schema_names, schema_text, starter_files
from cdsync.core.model import Kind
from cdsync.errors import CdsyncError, ConfigError
from cdsync.render.lines import counted, printable
from cdsync.render.plan_json import as_json
from cdsync.render.verdict import Verdict, verdict_document, workflow_commands


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
        raise CdsyncError(
            f"{error.filename}: cannot be written: {error.strerror}",
            remedy="choose a folder that you may write to: cdsync init DIR",
        ) from error
    for name in files:
        click.echo(f"wrote {root / name}")
    click.echo(f"next: cdsync -C {root} validate")


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="What goes to stdout; github is annotations of a workflow.",
)
@click.pass_context
def validate(ctx: click.Context, form: str) -> int:
    """Check the whole declaration offline; needs no key.

    Every fault is shown at once, as file:line:col: address: what is wrong. With --format json or github all faults and
    warnings go to stdout; the exit code is the same. Warned about, but not with github, are also a schedule_at that has
    passed, and a variable that a callback names and that is not set here.

    \b
    Examples:
      cdsync validate
      cdsync validate --format github
    """
    around = surroundings_of(ctx)
    if form == "text":
        _show_verdict(_judged(ctx, around, doubting=True))
        return 0
    # Beside the lines of a pull request a doubt would stand at every one.
    verdict, code = _verdict(ctx, around, doubting=form != "github")
    if form == "json":
        click.echo(as_json(verdict_document(verdict)), nl=False)
    else:
        click.echo(workflow_commands(verdict, folder=_shown_folder(around)), nl=False)
    return code


def _judged(ctx: click.Context, around: Surroundings, *, doubting: bool) -> Verdict:
    """The verdict on a declaration that is right.

    Raises:
        CdsyncError: it is not.
    """
    with patiently("reading the declaration", flags_of(ctx)):
        configuration = read_configuration(around, doubting=doubting)
    kinds = [address.kind for address in configuration.desired.resources]
    return Verdict(
        warnings=configuration.warnings,
        schedules=kinds.count(Kind.SCHEDULE),
        runs=kinds.count(Kind.RUN),
        files=len(configuration.files),
    )


def _verdict(ctx: click.Context, around: Surroundings, *, doubting: bool) -> tuple[Verdict, int]:
    """The verdict on any declaration, and the exit code that goes with it."""
    try:
        return _judged(ctx, around, doubting=doubting), 0
    except ConfigError as error:
        return Verdict(problems=error.problems), error.exit_code
    except CdsyncError as error:
        return Verdict(fault=str(error)), error.exit_code


def _show_verdict(verdict: Verdict) -> None:
    for warning in verdict.warnings:
        click.echo(f"warning: {printable(str(warning))}", err=True)
    counts = f"{counted(verdict.schedules, 'schedule')} and {counted(verdict.runs, 'run')}"
    click.echo(f"valid: {counts} in {counted(verdict.files, 'file')}")


def _shown_folder(around: Surroundings) -> str:
    """The config root as a workflow names it: from the top of what was checked out, or else from here."""
    top = Path(around.environment.get("GITHUB_WORKSPACE") or Path.cwd())
    return os.path.relpath(os.path.realpath(around.root), os.path.realpath(top))


@click.command()
@click.argument("name", type=click.Choice(schema_names()))
def schema(name: str) -> None:
    """Print a JSON Schema.

    It is of draft 2020-12, for editors and other programs.

    \b
    Example:
      cdsync schema resources > resources.schema.json
    """
    click.echo(schema_text(name), nl=False)
