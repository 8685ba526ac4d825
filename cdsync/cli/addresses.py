"""How a person names resources on the command line: addresses and globs, which a shell completes offline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from cdsync.assembly import Surroundings, known_offline

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def complete_address(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 # click's signature
    """The addresses that begin so; none where the root cannot be read, because a shell has no place for errors."""
    root = ctx.find_root().params.get("root") or Path()
    known = known_offline(Surroundings(root=Path(root).absolute()))
    return [CompletionItem(str(address)) for address in sorted(known) if str(address).startswith(incomplete)]


def address_argument(*, required: bool = True) -> Callable[[Decorated], Decorated]:
    """The argument ADDRESS of a command about one resource."""
    return click.argument("address", required=required, shell_complete=complete_address)


target_option = click.option(
    "--target",
    "targets",
    metavar="GLOB",
    multiple=True,
    shell_complete=complete_address,
    help="Only addresses that match, e.g. 'schedule/eu-*'.",
)
