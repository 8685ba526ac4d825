"""What only a terminal is shown: colours, and lines that move. It owns rich, which nobody else has to wait for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from cdsync.cli.progress import ApplyProgress, sentence
from cdsync.core.events import Event, Progressed, Started, Succeeded
from cdsync.render.lines import STYLES, Line


def show_styled(lines: Iterable[Line]) -> None:
    """Print lines to standard output in their colours."""
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text(line.text, style=STYLES.get(line.style, "")))


def waiting_line(what: str, *, color: bool) -> AbstractContextManager[object]:
    """Say on stderr what is being waited for, once that takes longer than a moment."""
    console = Console(stderr=True, no_color=not color)
    return Live(_Waiting(what), console=console, transient=True, refresh_per_second=4)


class _Waiting:
    """A line that appears only after a second, so that what is quick does not flicker."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = time.monotonic()

    def __rich__(self) -> Text:
        """What is shown now."""
        seconds = int(time.monotonic() - self._start)
        return Text(f"{self._what} ({seconds} s)" if seconds else "")


class ApplyBars(ApplyProgress):
    """Follows an apply on stderr with a bar for the whole, and one for each action that takes several steps.

    Until the first look is done it says that it is being waited for.
    """

    def __init__(self, *, color: bool) -> None:
        self._task: TaskID | None = None
        self._parts: dict[str, TaskID] = {}
        self._waiting = ExitStack()
        self._color = color
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True, no_color=not color),
            transient=True,
        )

    def looked(self) -> None:
        """The account was read; what comes next is said by others."""
        self._waiting.close()

    def begin(self, total: int) -> None:
        """Say how many actions there will be."""
        self.looked()
        self._bar.start()
        self._task = self._bar.add_task("applying", total=total)

    def __enter__(self) -> ApplyBars:
        self._waiting.enter_context(waiting_line("reading the account", color=self._color))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take everything away that moves."""
        self.looked()
        self._bar.stop()

    def on_event(self, event: Event) -> None:
        """Move the bars; what went wrong is told above them."""
        self.looked()
        if isinstance(event, Progressed):
            self._progress(event)
            return
        text = sentence(event)
        if text and not isinstance(event, Succeeded):
            self._bar.console.print(Text(text))
        if self._task is not None:
            if isinstance(event, Started):
                self._bar.update(self._task, description=str(event.action.address))
            else:
                self._bar.advance(self._task)

    def _progress(self, event: Progressed) -> None:
        """Show how far an action has come, and why it pauses if it does."""
        subject = str(event.action.address)
        if subject not in self._parts:
            self._parts[subject] = self._bar.add_task(subject)
        words = f"{subject}: {event.note}" if event.note else subject
        self._bar.update(self._parts[subject], description=words, completed=event.done, total=event.total)
