"""Printing: lines with colours on a terminal and without elsewhere, and the progress of what takes its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType

import click
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from cdsync import logs
from cdsync.assembly import Surroundings
from cdsync.cli.root import Flags
from cdsync.core.events import Event, Failed, Progressed, Started, Succeeded, Unresolved
from cdsync.render.lines import STYLES, Line, joined, printable


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
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text(line.text, style=STYLES.get(line.style, "")))


@contextmanager
def patiently(what: str, flags: Flags) -> Iterator[None]:
    """Say on stderr what is being waited for, once that takes longer than a moment; only on a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    console = Console(stderr=True, no_color=not flags.color)
    with Live(_Waiting(what), console=console, transient=True, refresh_per_second=4):
        yield


class _Waiting:
    """A line that appears only after a second, so that what is quick does not flicker."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = time.monotonic()

    def __rich__(self) -> Text:
        """What is shown now."""
        seconds = int(time.monotonic() - self._start)
        return Text(f"{self._what} ({seconds} s)" if seconds else "")


class ApplyProgress:
    """Follows an apply on stderr: a bar on a terminal, one plain line per finished action elsewhere.

    Until the first look is done it says that it is being waited for.
    """

    def __init__(self, flags: Flags) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._parts: dict[str, TaskID] = {}
        self._waiting = ExitStack()
        self._flags = flags
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                console=Console(stderr=True, no_color=not flags.color),
                transient=True,
            )

    def begin(self, total: int) -> None:
        """Say how many actions there will be."""
        self.looked()
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("applying", total=total)

    def looked(self) -> None:
        """The account was read; what comes next is said by others."""
        self._waiting.close()

    def __enter__(self) -> ApplyProgress:
        self._waiting.enter_context(patiently("reading the account", self._flags))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.looked()
        if self._bar is not None:
            self._bar.stop()

    def on_event(self, event: Event) -> None:
        """Take note of what happened."""
        self.looked()
        text = _sentence(event)
        if isinstance(event, Progressed):
            self._progress(event)
            return
        if self._bar is None:
            if text:
                click.echo(text, err=True)
            return
        if text and not isinstance(event, Succeeded):
            self._bar.console.print(Text(text))
        if self._task is not None:
            if isinstance(event, Started):
                self._bar.update(self._task, description=str(event.action.address))
            else:
                self._bar.advance(self._task)

    def _progress(self, event: Progressed) -> None:
        """Show how far an action has come: a bar of its own on a terminal; elsewhere only why it pauses."""
        subject = str(event.action.address)
        if self._bar is None:
            if event.note:
                click.echo(f"{subject}: {event.note}", err=True)
            return
        if subject not in self._parts:
            self._parts[subject] = self._bar.add_task(subject)
        words = f"{subject}: {event.note}" if event.note else subject
        self._bar.update(self._parts[subject], description=words, completed=event.done, total=event.total)


def _sentence(event: Event) -> str | None:
    subject = f"{event.action.address}: {event.action.kind.value}"
    match event:
        case Started() | Progressed():
            return None
        case Succeeded(_, uid):
            return f"{subject}: done" + (f" ({uid})" if uid else "")
        case Unresolved(_, message):
            return printable(f"{subject}: unknown: {message}; looking for it")
        case Failed(_, message, remedy, tried):
            words = "failed" if tried else "not tried"
            return printable(f"{subject}: {words}: {message}" + (f" (what to do: {remedy})" if remedy else ""))
