"""How an apply is followed where there is no terminal: one plain line on stderr for each action that has ended."""

from __future__ import annotations

from types import TracebackType

import click

from cdsync.core.events import Event, Failed, Progressed, Started, Succeeded, Unresolved
from cdsync.render.lines import printable


class ApplyProgress:
    """Follows an apply on stderr."""

    def looked(self) -> None:
        """The account was read; what comes next is said by others."""

    def begin(self, total: int) -> None:
        """Say how many actions there will be."""

    def __enter__(self) -> ApplyProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop following."""

    def on_event(self, event: Event) -> None:
        """Take note of what happened."""
        if text := sentence(event):
            click.echo(text, err=True)


def sentence(event: Event) -> str | None:
    """What is told of an event on a line of its own; None for one that has none."""
    subject = f"{event.action.address}: {event.action.kind.value}"
    match event:
        case Started():
            return None
        case Progressed(note=note):
            return printable(f"{event.action.address}: {note}") if note else None
        case Succeeded(_, uid):
            return f"{subject}: done" + (f" ({uid})" if uid else "")
        case Unresolved(_, message):
            return printable(f"{subject}: unknown: {message}; looking for it")
        case Failed(_, message, remedy, tried):
            words = "failed" if tried else "not tried"
            return printable(f"{subject}: {words}: {message}" + (f" (what to do: {remedy})" if remedy else ""))
