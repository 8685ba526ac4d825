"""The part of an account that a person confines a command to, by globs over addresses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
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
            raise UnknownAddress(
                f"{glob!r} matches nothing that is declared or owned",
                remedy="an address is schedule/NAME or run/NAME; cdsync status lists them",
            )
    return lambda address: not globs or any(fnmatchcase(str(address), glob) for glob in globs)
