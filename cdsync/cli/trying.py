"""simulate and demo: cdsync without an account."""

from __future__ import annotations

from typing import get_args

import click

from cdsync.cli.console import flags_of
from cdsync.demo import run_demo
from cdsync.errors import CdsyncError
from cdsync.simulator import SimulatorOptions, serve
from cdsync.simulator.options import Dialect, Echo, Labels


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--seed", type=int, help="Draw the outcomes of runs from it; without one every run succeeds.")
@click.option("--speed", type=click.FloatRange(min=0.001), default=1.0, help="Seconds of simulated time per second.")
@click.option("--labels", type=click.Choice(get_args(Labels)), default="echo", help="What becomes of `name`.")
@click.option("--echo", type=click.Choice(get_args(Echo)), default="as-sent", help="How crons are shown.")
@click.option("--dialect", type=click.Choice(get_args(Dialect)), help="Serve only this one. [default: both]")
@click.option("--requests-per-minute", type=click.IntRange(min=1), help="Answer 429 above this.")
def simulate(
    *,
    port: int,
    seed: int | None,
    speed: float,
    labels: Labels,
    echo: Echo,
    dialect: Dialect | None,
    requests_per_minute: int | None,
) -> None:
    """Serve a simulator of the API on loopback.

    It serves until it is interrupted, takes any key, keeps everything in memory, and fires crons like the real one.
    Below /_sim/ it does what the API does not offer: it lets runs stop, time pass, and requests go wrong.

    \b
    Example, in two terminals:
      cdsync simulate --port 8080
      CDSYNC_API_URL=http://127.0.0.1:8080 CDSYNC_API_KEY=any cdsync apply
    """
    options = SimulatorOptions(
        seed=seed,
        speed=speed,
        labels=labels,
        echo=echo,
        dialects=(dialect,) if dialect else get_args(Dialect),
        requests_per_minute=requests_per_minute,
    )
    try:
        serve("127.0.0.1", port, options=options, on_ready=_announce)
    except OSError as error:
        raise CdsyncError(f"port {port} cannot be used: {error.strerror}", remedy="choose another: --port 0") from error


def _announce(url: str) -> None:
    click.echo(f"the simulator listens on {url}")
    click.echo(f"use it with: CDSYNC_API_URL={url} CDSYNC_API_KEY=any cdsync ...")


@click.command()
@click.pass_context
def demo(ctx: click.Context) -> int:
    """Take the tour: simulator, plan, apply, drift healed, run resumed.

    It needs no account and no key, and leaves nothing behind.

    \b
    Example:
      cdsync demo
    """
    return run_demo(color=flags_of(ctx).color)
