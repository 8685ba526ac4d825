"""A plan cut down to some addresses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from cdsync.core.actions import Plan
from cdsync.core.model import Address
from cdsync.errors import UnknownAddress


def narrow(plan: Plan, globs: Sequence[str], *, known: Collection[Address]) -> Plan:
    """The rows whose address matches one of the globs; no glob keeps all.

    Raises:
        UnknownAddress: a glob matches nothing that is declared or owned, so that it is misspelt.
    """
    if not globs:
        return plan
    for glob in globs:
        if not any(fnmatchcase(str(address), glob) for address in known):
            raise UnknownAddress(
                f"{glob!r} matches nothing that is declared or owned",
                remedy="an address is schedule/NAME or run/NAME; cdsync status lists them",
            )

    def wanted(address: Address) -> bool:
        return any(fnmatchcase(str(address), glob) for glob in globs)

    return replace(
        plan,
        actions=tuple(row for row in plan.actions if wanted(row.address)),
        blocked=tuple(row for row in plan.blocked if wanted(row.address)),
        drift=tuple(row for row in plan.drift if wanted(row.address)),
    )
