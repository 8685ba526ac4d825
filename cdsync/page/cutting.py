"""Long lists cut into pages, and the links between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Generic[T]):
    """One page of a list: its rows, from which to which (counted from 1), and the links to its neighbours."""

    rows: Sequence[T]
    first: int
    last: int
    total: int
    earlier: str | None
    later: str | None


def cut(rows: Sequence[T], *, page: int, size: int, path: str, query: Mapping[str, str]) -> Cut[T]:
    """The page of this number, from 1; one that lies beyond the end is the last."""
    pages = max((len(rows) + size - 1) // size, 1)
    number = min(max(page, 1), pages)
    start = (number - 1) * size
    shown = rows[start : start + size]
    return Cut(
        rows=shown,
        first=start + 1 if shown else 0,
        last=start + len(shown),
        total=len(rows),
        earlier=link(path, {**query, "page": str(number - 1)}) if number > 1 else None,
        later=link(path, {**query, "page": str(number + 1)}) if number < pages else None,
    )


def link(path: str, query: Mapping[str, str]) -> str:
    """A path with a query, without what is empty."""
    text = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{text}" if text else path
