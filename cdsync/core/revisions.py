"""How a revision of the declaration is shown to people: programs get the whole of it."""

from __future__ import annotations

import re

_FULL = re.compile(r"(?P<short>[0-9a-f]{12})[0-9a-f]{28,52}(?P<rest>-dirty)?")


def short_revision(revision: str) -> str:
    """The first 12 characters of a commit id, and whether the files differed from it."""
    found = _FULL.fullmatch(revision)
    return f"{found['short']}{found['rest'] or ''}" if found else revision
