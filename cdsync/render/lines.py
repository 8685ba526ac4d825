"""Lines of text with a meaning each, so that a terminal can colour what a pipe gets plain."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 80


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `style` is a word for what it is (see `STYLES`), not for how it looks."""

    text: str = ""
    style: str = ""


STYLES = {
    "create": "green",
    "update": "yellow",
    "replace": "magenta",
    "remove": "red",
    "resume": "cyan",
    "adopt": "blue",
    "title": "bold",
    "blocked": "yellow",
    "failed": "bold red",
    "faint": "dim",
}
"""What each meaning looks like on a terminal."""


def wrapped(text: str, *, indent: int, style: str = "", hang: int = 0) -> list[Line]:
    """A text cut into lines that fit 80 columns; a word that is longer stands alone rather than broken."""
    pieces = textwrap.wrap(
        printable(text),
        width=WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [Line(piece, style) for piece in pieces]


def counted(number: int, noun: str) -> str:
    """A number and its noun, in the plural where it is one: `1 run`, `2 runs`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def shortened(text: str, width: int = 52) -> str:
    """The text, cut where it is longer than so many characters."""
    return text if len(text) <= width else text[: width - 3] + "..."


def printable(text: str) -> str:
    """The text with control characters shown as escapes, so that no value can steer a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def joined(lines: Iterable[Line]) -> str:
    """The plain text of lines, each ended."""
    return "".join(f"{line.text}\n" for line in lines)
