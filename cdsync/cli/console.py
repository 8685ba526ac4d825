"""Printing: lines with colours on a terminal and without elsewhere, and what is said while something takes its time.

What only a terminal is shown is in `bars`, which is imported on a terminal only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

import click

from cdsync import logs
from cdsync.assembly import Surroundings
from cdsync.cli.progress import ApplyProgress
from cdsync.cli.root import Flags
from cdsync.render.lines import Line, joined


def flags_of(ctx: click.Context) -> Flags:
    """The global flags; sets up logging as they say."""
    flags: Flags = ctx.obj
    logging_of(ctx, level="warning")
    return flags


def logging_of(ctx: click.Context, *, level: str) -> None:
    """Set up logging as the flags say; `level` is what is shown when they say nothing."""
    flags: Flags = ctx.obj
    logs.configure(log_format=flags.log_format, level=flags.log_level or level)


def surroundings_of(
    ctx: click.Context, *, allow_lookalikes: bool = False, targets: tuple[str, ...] = ()
) -> Surroundings:
    """What a pass takes from outside, as the flags say."""
    return Surroundings(root=flags_of(ctx).root, allow_lookalikes=allow_lookalikes, targets=targets)


def show(lines: Iterable[Line], flags: Flags) -> None:
    """Print lines as the result of a command."""
    if not (flags.color and sys.stdout.isatty()):
        click.echo(joined(lines), nl=False, color=False)
        return
    from cdsync.cli.bars import show_styled  # noqa: PLC0415 # rich is slow to import, and for terminals only

    show_styled(lines)


def patiently(what: str, flags: Flags) -> AbstractContextManager[object]:
    """Say on stderr what is being waited for, once that takes longer than a moment; only on a terminal."""
    if not sys.stderr.isatty():
        return nullcontext()
    from cdsync.cli.bars import waiting_line  # noqa: PLC0415 # rich is slow to import, and for terminals only

    return waiting_line(what, color=flags.color)


def following(flags: Flags) -> ApplyProgress:
    """What follows an apply: lines that move on a terminal, plain ones elsewhere."""
    if not sys.stderr.isatty():
        return ApplyProgress()
    from cdsync.cli.bars import ApplyBars  # noqa: PLC0415 # rich is slow to import, and for terminals only

    return ApplyBars(color=flags.color)
