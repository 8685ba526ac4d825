"""The part of an account that a person names: by globs over addresses, or by an address that may be misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from cdsync.core.model import Address
from cdsync.errors import UnknownAddress


def selection(globs: Sequence[str], *, known: Collection[Address]) -> Callable[[Address], bool]:
    """Whether an address matches one of the globs; no glob selects all.

    Raises:
        UnknownAddress: a glob matches nothing that is declared or owned, so that it is misspelt.
    """
    for glob in globs:
        if not any(fnmatchcase(str(address), glob) for address in known):
            near = "" if set(glob) & set("*?[") else did_you_mean(glob, known)
            raise UnknownAddress(
                f"{glob!r} matches nothing that is declared or owned{near}",
                remedy="an address is schedule/NAME or run/NAME; cdsync status lists them",
            )
    return lambda address: not globs or any(fnmatchcase(str(address), glob) for glob in globs)


def did_you_mean(text: str, known: Iterable[Address]) -> str:
    """The end of a message about an address that nobody knows: the nearest one, or nothing where none is near.

    Only names are compared: what all addresses of a kind begin with would make any two of them alike.
    """
    kind, _, name = text.rpartition("/")
    by_name: dict[str, list[str]] = {}
    for address in sorted(known):
        by_name.setdefault(address.name, []).append(str(address))
    near = difflib.get_close_matches(name, by_name, n=1)
    if not near:
        return ""
    addresses = by_name[near[0]]
    same_kind = f"{kind}/{near[0]}"
    return f"; did you mean {same_kind if same_kind in addresses else addresses[0]!r}?"
