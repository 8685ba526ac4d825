"""A view that refreshes in place, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import timedelta

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cdsync.cli.root import Flags
from cdsync.errors import CdsyncError
from cdsync.render.lines import STYLES, Line, printable, wrapped


def watch(look: Callable[[], list[Line]], *, every: timedelta, flags: Flags) -> None:
    """Show what a look finds, again and again, on a screen of its own; Ctrl-C ends it and gives the old screen back.

    What a failed look found before stays, with the error above it, as long as the next look may succeed.

    Raises:
        CdsyncError: there is no terminal, or a look failed in a way that no further one would mend.
    """
    if not sys.stdout.isatty():
        raise CdsyncError("--watch needs a terminal", remedy="leave it out; --format json is for programs")
    console = Console(highlight=False, no_color=not flags.color)
    lines: list[Line] = []
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                trouble: list[Line] = []
                try:
                    lines = look()
                except CdsyncError as error:
                    if not error.retryable:
                        raise
                    trouble = wrapped(f"error: {error}; trying again", indent=0, style="failed")
                live.update(_screen([*trouble, *lines], console.height), refresh=True)
                time.sleep(every.total_seconds())
    except KeyboardInterrupt:
        return


def _screen(lines: list[Line], height: int) -> Text:
    """As many lines as a screen has, the last one always, and how many more there are."""
    room = max(height - 1, 3)
    if len(lines) > room:
        more = Line(f"... {len(lines) - room + 1} more lines; a taller window shows them", "faint")
        lines = [*lines[: room - 2], more, lines[-1]]
    return Text("\n").join(Text(printable(line.text), style=STYLES.get(line.style, "")) for line in lines)
