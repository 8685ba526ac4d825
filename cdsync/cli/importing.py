"""import: what is on the account and nobody's yet, as YAML."""

from __future__ import annotations

from pathlib import Path

import click

from cdsync.assembly import reading_pass
from cdsync.cli.console import flags_of, patiently, surroundings_of
from cdsync.core.imported import Imported
from cdsync.errors import CdsyncError
from cdsync.importing import read_unowned
from cdsync.render.imported import imported_yaml
from cdsync.render.lines import counted
from cdsync.waiting import run


@click.command(name="import")
@click.argument("uids", nargs=-1, metavar="[UID]...")
@click.option("-o", "output", metavar="FILE", type=click.Path(path_type=Path), help="Write to a new file, not stdout.")
@click.pass_context
def import_command(ctx: click.Context, uids: tuple[str, ...], output: Path | None) -> None:
    """Write YAML for schedules nobody owns yet, and how to adopt them.

    Inputs are taken from the latest run of each schedule where the API shows them; where not, a note says so.

    \b
    Example:
      cdsync import -o imported.yaml
    """
    with patiently("reading the account", flags_of(ctx)):
        found = run(_read(ctx, uids))
    text = imported_yaml(found)
    if output is None:
        click.echo(text, nl=False)
    else:
        _write_new(output, text)
    without = sum(1 for row in found if row.skipped is None and not row.complete)
    note = f"; {without} without inputs" if without else ""
    click.echo(f"{counted(len(found), 'schedule')} not ours{note}", err=True)


async def _read(ctx: click.Context, uids: tuple[str, ...]) -> tuple[Imported, ...]:
    async with reading_pass(surroundings_of(ctx)) as (_, work):
        return await read_unowned(work, uids)


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise CdsyncError(
            f"{path}: cannot be written: {error.strerror}", remedy="name a file that is not there"
        ) from error
