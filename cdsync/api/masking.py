"""What was sent as a secret, kept out of what a server says, however it spells it.

A server may quote what it was sent as JSON, HTML or part of a URL, once or twice over. So a secret is looked for letter
by letter, each in any of its spellings, and before anything is cut, because half of a secret is one too.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from html.entities import codepoint2name
from urllib.parse import quote, urlsplit

from cdsync.api.parse import legible

SHOWN = 256
SEARCHED = 2**14
"""In letters: what is shown of an answer comes from its beginning."""

SHORTEST_SECRET = 4
"""Shorter ones would blot out half of every message, and are none."""

SHORTEST_PART = 8
"""Of a secret's parts, only what is long enough to be one by itself: a token, not the word Bearer before it."""

LONGEST_LETTER = 32
"""In letters: hardly a spelling of one letter is longer."""


def masked(text: str, secrets: Collection[str]) -> str:
    """The beginning of a text, on one line, with `(sensitive)` for every secret in it."""
    parts = {part for secret in secrets for part in _parts(secret)}
    longest = LONGEST_LETTER * max(map(len, parts), default=0)
    whole = len(text) <= SEARCHED + longest
    text = legible(text[: SEARCHED + longest])
    for part in sorted(parts, key=lambda part: (-len(part), part)):
        text = _pattern(part).sub("(sensitive)", text)
    # At the end of what was searched a secret may begin that goes on beyond it.
    flat = " ".join((text if whole else text[: -longest or None]).split())
    return flat if len(flat) <= SHOWN else flat[:SHOWN] + "..."


def _parts(secret: str) -> Iterator[str]:
    """A secret, and what a server may quote of it alone: the words of a header, and what follows the host of a URL."""
    if len(secret) >= SHORTEST_SECRET:
        yield secret
    pieces = secret.split()
    if "://" in secret:
        try:
            url = urlsplit(secret)
        except ValueError:
            return
        pieces = [url.path, url.query, *(value.partition("=")[2] for value in url.query.split("&"))]
    yield from (piece for piece in pieces if len(piece) >= SHORTEST_PART)


@lru_cache(maxsize=256)
def _pattern(secret: str) -> re.Pattern[str]:
    """What a secret looks like: some spellings to the letter, and any mixture of them letter by letter.

    Letter by letter nothing is tried twice, so that no text makes the search slow; what that misses, because the secret
    is itself made of escapes, the spellings to the letter find.
    """
    secret = legible(secret)
    quoted = json.dumps(secret)[1:-1]
    whole = (secret, quoted, json.dumps(quoted)[1:-1], html.escape(secret), quote(secret), quote(secret, safe=""))
    mixed = "".join(_letter(run[0]) for run in re.findall(r"\\+|[^\\]", secret))
    longest_first = [mixed, *map(re.escape, sorted(whole, key=len, reverse=True))]
    return re.compile("|".join(longest_first), re.IGNORECASE | re.DOTALL)


def _letter(letter: str) -> str:
    """Each way to write a letter, or a run of backslashes, the longest way first."""
    if letter == "\\":
        return r"(?>\\{1,64}|%(?:25){0,2}5c|&(?:amp;){0,2}(?:bsol;|#0{0,4}92;|#x0{0,4}5c;)){1,16}"
    units = letter.encode("utf-16-be").hex()
    named = [f"{codepoint2name[ord(letter)]};"] if ord(letter) in codepoint2name else []
    entities = "|".join([*named, f"#0{{0,4}}{ord(letter)};", f"#x0{{0,4}}{ord(letter):x};"])
    spellings = [
        "".join(rf"\\{{0,4}}u{units[index : index + 4]}" for index in range(0, len(units), 4)),
        f"x{ord(letter):02x}",
        f"u{ord(letter):08x}",
        "".join(f"%(?:25){{0,2}}{byte:02x}" for byte in letter.encode()),
        f"&(?:amp;){{0,2}}(?:{entities})",
        *([r"\s{1,8}", r"\+"] if letter.isspace() else []),
        re.escape(letter),
    ]
    return rf"(?>(?:\\|%(?:25){{0,2}}5c){{0,4}}(?:{'|'.join(spellings)}))"
