"""daemon: the loop that keeps an account as it is declared."""

from __future__ import annotations

import click

from cdsync.cli.console import logging_of, surroundings_of
from cdsync.daemon import run_daemon
from cdsync.waiting import run


@click.command()
@click.option("--once", is_flag=True, help="Make one pass, and end.")
@click.pass_context
def daemon(ctx: click.Context, once: bool) -> int:
    """Keep the account as declared: heal drift, resume runs, take up changes.

    It asks nothing and lifts no limit. SIGHUP reads everything again and makes a pass at once; SIGTERM ends it. With
    --once it ends after one pass: with 3 when something is left to do, and with 4 when a limit refused the plan.

    \b
    Examples:
      cdsync daemon
      cdsync --log-format json daemon --once
    """
    around = surroundings_of(ctx)
    logging_of(ctx, level="info")
    return run(run_daemon(around, once=once))
