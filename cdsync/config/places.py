"""How a place inside a document is named in a message, and which values a message may not show.

A path is the tuple of keys and indexes from the top of a document: `("schedules", "leads", "callback", "url")`.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from cdsync.core.model import NAME, Address, Kind

Path: TypeAlias = tuple[str | int, ...]

KIND_OF_SECTION = {"schedules": Kind.SCHEDULE, "runs": Kind.RUN}
SECTION_OF_KIND = {kind: section for section, kind in KIND_OF_SECTION.items()}

_SENSITIVE = frozenset({"callback", "headers", "key", "ssh_key", "token", "webhook_secret"})
_SHOWN_LENGTH = 60
_WORD = re.compile(r"[A-Za-z0-9_-]{1,60}")


def address_of(path: Path) -> str | None:
    """The address of the resource that a path leads into; None outside of resources, and where the name is none."""
    if len(path) < 2:
        return None
    section, name = path[:2]
    kind = KIND_OF_SECTION.get(str(section))
    return str(Address(kind, name)) if kind and isinstance(name, str) and NAME.fullmatch(name) else None


def name_of(path: Path) -> str:
    """The dotted name of a field, within its resource if it has one: `callback.url`, `inputs[3]`."""
    inner = path[2:] if address_of(path) else path
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in inner).removeprefix(".")


def _key(key: str) -> str:
    # A key that is no word may hold anything, line breaks or a misplaced secret among it.
    return key if _WORD.fullmatch(key) else "*"


def sensitive(path: Path) -> bool:
    """Whether the value there may be a secret, or may have been meant as one. Sensitive by field, never by search."""
    if path[:1] == ("notify",):
        return "on" not in path
    return path[-1:] != ("on",) and not _SENSITIVE.isdisjoint(path)


def shortened(text: str) -> str:
    """A text as a message may quote it."""
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 3] + "..."


def shown(value: object, path: Path) -> str:
    """A value as a message may show it: scalars as they stand, but nothing sensitive and nothing long."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "empty"
        case _ if sensitive(path):
            return "wrong (its value is not shown)"
        case bool():
            return str(value).lower()
        case str():
            return repr(shortened(value))
        case _:
            return str(value)
