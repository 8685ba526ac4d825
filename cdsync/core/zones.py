"""Which names of time zones mean the same clock.

The tz database gives one clock several names, and an API may show another than the one that it was sent: ICU says
Asia/Calcutta for Asia/Kolkata, and many a server GMT for UTC. Names that the database links are equal here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

_UNIVERSAL = ("utc", "uct", "universal", "zulu", "gmt", "gmt0", "gmt+0", "gmt-0", "greenwich")
UTC_NAMES = frozenset({"z", *_UNIVERSAL, *(f"etc/{name}" for name in _UNIVERSAL)})
"""The names of UTC, in small letters; GMT is one of them, because no clock tells the two apart."""


def same_timezone(one: str | None, other: str | None) -> bool:
    """Whether two zone names mean the same clock; an absent one is UTC (API contract: `timezone`)."""
    return one == other or _key(one) == _key(other)


@lru_cache(maxsize=4096)
def _key(name: str | None) -> str:
    folded = (name or "UTC").lower()
    return "utc" if folded in UTC_NAMES else _links().get(folded, folded)


@lru_cache(maxsize=1)
def _links() -> Mapping[str, str]:
    """The zone that each alias stands for, in small letters; none where tzdata comes without its list of them.

    Read from the package, not from the system: `zoneinfo` knows the zones of both, but not which are one.
    """
    try:
        text = (resources.files("tzdata") / "zoneinfo" / "tzdata.zi").read_text(encoding="utf-8")
    except (ImportError, OSError, ValueError):
        return {}
    rows = (line.split() for line in text.splitlines() if line.startswith("L "))
    return {row[2].lower(): row[1].lower() for row in rows if len(row) == 3}
