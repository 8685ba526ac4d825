"""Listings: their query read strictly, their order, their pages, and the ways in which a listing can mislead.

Without `sort` the order is by a hash of the uid: any order may come, so nobody may rely on one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from cdsync.simulator.account import Run, Schedule, Table
from cdsync.simulator.refusals import bad_input
from cdsync.simulator.simulation import Call

Values = frozenset[str] | None
ListRow = TypeVar("ListRow", Schedule, Run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a listing can be asked: per filter the values it takes (None: any uid) and how a row shows it."""

    filters: Mapping[str, tuple[Values, Callable[[Schedule | Run], str]]]
    sortable: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A listing asked for; `key` is what makes two queries the same but for the page."""

    limit: int
    offset: int
    sort: tuple[str, ...]
    wanted: tuple[tuple[str, frozenset[str]], ...]

    @property
    def key(self) -> object:
        """Equal for two pages of one listing."""
        return self.sort, self.wanted


def read_query(call: Call, listing: Listing) -> Query:
    """Read the query of a listing.

    Raises:
        Refusal: 400 for an unknown parameter, a value out of range, or an order that does not exist.
    """
    wanted: dict[str, set[str]] = {}
    sort: list[str] = []
    paging: dict[str, int] = {}
    for name, value in call.query:
        if name in listing.filters:
            wanted.setdefault(name, set()).add(_filter_value(name, value, listing.filters[name][0]))
        elif name == "sort":
            sort.append(_sort_key(value, listing.sortable))
        elif name in {"limit", "offset"} and name not in paging:
            paging[name] = _number(name, value, *((1, 100) if name == "limit" else (0, 10**9)))
        else:
            raise bad_input(f"unknown or repeated query parameter '{name}'")
    if len(sort) > 10:
        raise bad_input("sort must have at most 10 items")
    return Query(
        limit=paging.get("limit", 10),
        offset=paging.get("offset", 0),
        sort=tuple(sort),
        wanted=tuple((name, frozenset(values)) for name, values in sorted(wanted.items())),
    )


def page(table: Table[ListRow], query: Query, listing: Listing, *, unseen_writes: int = 0) -> list[ListRow]:
    """The rows of one page; with unseen writes, as the table was before them."""

    def compute(rows: list[ListRow]) -> list[ListRow]:
        return _ordered([row for row in rows if _is_wanted(row, query, listing)], query.sort)

    rows = compute(table.before_last_writes(unseen_writes)) if unseen_writes else table.view(query.key, compute)
    return rows[query.offset : query.offset + query.limit]


def cursor_page(call: Call, length: int) -> tuple[range, dict[str, str]]:
    """The indexes of a page that a cursor names, and the header with the URL of the next page.

    Raises:
        Refusal: 400 for an unknown parameter, a limit out of 1..500 or a cursor that was not given out.
    """
    asked = dict(call.query)
    for name in asked:
        if name not in {"limit", "cursor"}:
            raise bad_input(f"unknown query parameter '{name}'")
    limit = _number("limit", asked.get("limit", "100"), 1, 500)
    start = read_cursor(asked["cursor"]) if "cursor" in asked else 0
    stop = min(start + limit, length)
    return range(start, stop), next_page(call, stop, length, limit=limit)


def next_page(call: Call, stop: int, length: int, *, limit: int | None = None) -> dict[str, str]:
    """The header that leads to the next page, absent on the last."""
    if stop >= length:
        return {}
    cursor = base64.urlsafe_b64encode(f"row:{stop}".encode()).decode()
    query = {"cursor": cursor} if limit is None else {"limit": limit, "cursor": cursor}
    return {"X-Pagination-Next": f"{call.url}?{urlencode(query)}"}


def read_cursor(cursor: str) -> int:
    """The row at which a cursor points."""
    try:
        word, _, row = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as problem:
        raise bad_input("invalid cursor provided") from problem
    if word != "row" or not row.isdecimal():
        raise bad_input("invalid cursor provided")
    return int(row)


def _number(name: str, value: str, low: int, high: int) -> int:
    if not (value.isascii() and value.isdecimal()) or not low <= int(value) <= high:
        raise bad_input(f"{name} must be an integer from {low} to {high}")
    return int(value)


def _filter_value(name: str, value: str, known: Values) -> str:
    if known is not None and value not in known:
        raise bad_input(f"{name} must be one of {', '.join(sorted(known))}")
    if not value:
        raise bad_input(f"{name} must not be empty")
    if name.endswith("uid"):
        try:
            return str(UUID(value))
        except ValueError as problem:
            raise bad_input(f"{name} must be a uuid") from problem
    return value


def _sort_key(value: str, sortable: frozenset[str]) -> str:
    if value.removeprefix("-") not in sortable:
        raise bad_input(f"sort must be one of {', '.join(sorted(sortable))}, with '-' in front for descending order")
    return value


def _is_wanted(row: Schedule | Run, query: Query, listing: Listing) -> bool:
    return all(listing.filters[name][1](row) in values for name, values in query.wanted)


def _ordered(rows: list[ListRow], sort: Sequence[str]) -> list[ListRow]:
    if not sort:
        return sorted(rows, key=lambda row: hashlib.sha256(row.uid.encode()).digest())
    for key in reversed(sort):
        rows = sorted(rows, key=partial(_sortable, key.removeprefix("-")), reverse=key.startswith("-"))
    return rows


def _sortable(name: str, row: Schedule | Run) -> tuple[bool, object]:
    value = getattr(row, name)
    return value is None, "" if value is None else value
