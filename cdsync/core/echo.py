"""What the API shows again of what it was sent: the same in meaning, seldom to the letter.

A server may store a number as text, end a URL with a slash, or write a time with more digits. What is overlooked for
that is made twice, so that what may be the same counts as the same here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cdsync.core.work import Json

A_MOMENT = timedelta(seconds=1)
"""Times are sent in whole seconds."""

DEFAULT_PORTS = {"https": ":443", "http": ":80"}


def loosely(value: Json) -> Json:
    """A value without what is lost on the way: scalars as texts, and nothing where there is null."""
    if isinstance(value, Mapping):
        return {name: loosely(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [loosely(inner) for inner in value]
    if value is None:
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text.lower() if text in {"True", "False"} else text


def same_url(one: str | None, other: str | None) -> bool:
    """Whether two URLs lead to the same place: the case of scheme and host, and a slash at the end, say nothing."""
    return one == other or (one is not None and other is not None and _place(one) == _place(other))


def _place(url: str) -> tuple[str, ...]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return (url,)
    host = parts.netloc.lower().removesuffix(DEFAULT_PORTS.get(parts.scheme, ""))
    return parts.scheme, host, parts.path.rstrip("/"), parts.query, parts.fragment


def same_moment(one: datetime | None, other: datetime | None) -> bool:
    """Whether two times are the same to the second."""
    return one == other or (one is not None and other is not None and abs(one - other) < A_MOMENT)
