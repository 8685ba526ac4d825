"""adopt, forget, hold and release: what is ours and what is left alone, by a person's word."""

from __future__ import annotations

import click

from cdsync import custody
from cdsync.assembly import declaration, holder, writing_pass
from cdsync.cli.addresses import address_argument
from cdsync.cli.console import flags_of, patiently, surroundings_of
from cdsync.core.model import Kind
from cdsync.core.policy import parse_duration
from cdsync.store import open_beside, open_writer
from cdsync.waiting import run


@click.command()
@address_argument()
@click.argument("uid")
@click.option("--take-over", is_flag=True, help="Also one that carries the label of another owner.")
@click.pass_context
def adopt(ctx: click.Context, address: str, uid: str, take_over: bool) -> None:
    """Take ownership of an object that is on the account already.

    Nothing is changed there. What the API does not show is taken to be as declared; what it shows otherwise than
    declared is told, because the next apply would change it.

    \b
    Example:
      cdsync adopt schedule/weekday-leads 0472f18e-49ce-598b-be1b-97abe2da56ee
    """
    with patiently("reading the account", flags_of(ctx)):
        adopted = run(_adopt(ctx, address, uid, take_over=take_over))
    click.echo(f"{adopted.owned.address} owns {adopted.owned.uid} now; nothing was changed on the account")
    for change in adopted.changes:
        click.echo(f"  the next apply would change {change.path}: {change.before} -> {change.after}")


async def _adopt(ctx: click.Context, text: str, uid: str, *, take_over: bool) -> custody.Adopted:
    async with writing_pass(surroundings_of(ctx), command="adopt") as (configuration, work):
        address = custody.known_address(text, configuration.desired, work.store.owned())
        return await custody.adopt(work, address, uid, take_over=take_over)


@click.command()
@address_argument()
@click.option("--run", "run_uid", metavar="UID", help="Only this run of it: it is not resumed any more.")
@click.pass_context
def forget(ctx: click.Context, address: str, run_uid: str | None) -> None:
    """Drop ownership without touching the API object.

    It goes on as it is, as nobody's. A resource that is still declared, and does what it did, is then adopted by its
    label or blocked as a lookalike at the next plan; one whose declaration has changed since may be created anew.

    \b
    Examples:
      cdsync forget schedule/weekday-leads
      cdsync forget schedule/weekday-leads --run 3f0c...   (a run that was stopped on purpose)
    """
    around = surroundings_of(ctx)
    configuration, revision = run(declaration(around))
    with open_writer(configuration.settings.state, holder=holder("forget", around.now())) as store:
        found = custody.known_address(address, configuration.desired, store.owned())
        now = custody.server_time(store, around.now())
        if run_uid is not None:
            custody.leave_run(store, found, run_uid, now=now, revision=revision)
            click.echo(f"run {run_uid} of {found} is left alone from now on")
            return
        uid = custody.forget(store, found, now=now, revision=revision)
    click.echo(f"{found} is forgotten; {uid or 'it owned nothing'}{' goes on as it is' if uid else ''}")
    if found in configuration.desired.resources:
        made = "launch it again" if found.kind is Kind.RUN else "create it anew"
        click.echo(
            f"  it is still declared: the next apply may adopt it or {made}; if that is not meant, take it out first"
        )


@click.command()
@address_argument()
@click.option("--for", "length", metavar="DURATION", help="How long, such as 30m, 2h or 1d. [default: until released]")
@click.pass_context
def hold(ctx: click.Context, address: str, length: str | None) -> None:
    """Let the reconciler leave a resource alone, visibly.

    Also beside a daemon: what it has begun it may still finish, and the next pass leaves the resource alone.

    \b
    Example:
      cdsync hold schedule/weekday-leads --for 2h
    """
    around = surroundings_of(ctx)
    configuration, revision = run(declaration(around))
    try:
        time = parse_duration(length) if length else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    with open_beside(configuration.settings.state, holder=holder("hold", around.now())) as store:
        found = custody.known_address(address, configuration.desired, store.owned())
        now = custody.server_time(store, around.now())
        made = custody.hold(store, found, now=now, duration=time, revision=revision)
    until = f"until {made.until:%Y-%m-%d %H:%M} UTC" if made.until else f"until: cdsync release {found}"
    click.echo(f"{found} is held {until}")


@click.command()
@address_argument()
@click.pass_context
def release(ctx: click.Context, address: str) -> None:
    """End a hold.

    \b
    Example:
      cdsync release schedule/weekday-leads
    """
    around = surroundings_of(ctx)
    configuration, revision = run(declaration(around))
    with open_beside(configuration.settings.state, holder=holder("release", around.now())) as store:
        found = custody.known_address(address, configuration.desired, store.owned())
        now = custody.server_time(store, around.now())
        held = custody.release(store, found, now=now, revision=revision)
    click.echo(f"{found} is released" if held else f"{found} was not held")
