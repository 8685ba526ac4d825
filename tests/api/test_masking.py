"""Secrets in what a server says."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdsync.api.masking import SEARCHED, SHOWN, masked
from cdsync.errors import CdsyncError
from tests.api.answering import KEY, Answering, client_of, in_virtual_time
from tests.virtual_time import VirtualClock

SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": lambda text: json.dumps(text)[1:-1],
    "json_in_utf8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json_with_large_digits": lambda text: json.dumps(text)[1:-1].replace("\\u00e4", "\\u00E4"),
    "json_with_slashes_escaped": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json_in_json": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "python": lambda text: repr(text)[1:-1],
    "python_ascii": lambda text: ascii(text)[1:-1],
    "html": html.escape,
    "html_without_quotes": lambda text: html.escape(text, quote=False),
    "html_with_numbers": lambda text: "".join(
        letter if letter.isalnum() and letter.isascii() else f"&#{ord(letter)};" for letter in text
    ),
    "html_for_ascii": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "html_of_html": lambda text: html.escape(html.escape(text)),
    "html_of_json": lambda text: html.escape(json.dumps(text)[1:-1]),
    "url": quote,
    "url_of_all": lambda text: quote(text, safe=""),
    "url_in_small_letters": lambda text: quote(text, safe="").lower(),
    "url_of_url": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "other_case": str.swapcase,
}
SECRETS = (
    'to"ken-SECRETPART-1234',
    "pässwörd-SECRETPART",
    "a\\b-SECRETPART-99",
    "tok&en<SECRETPART>'x\"",
    "Bearer SECRETPART/with+signs=",
    "https://hooks.example.com/cd?tenant=7&token=SECRETPART",
    "key-\U0001f511-SECRETPART",
    "S" * 500 + "ECRETPART",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelt", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_kept_out_however_it_is_spelt(spelt: Callable[[str], str], secret: str) -> None:
    """A server may quote what it was sent in its own way; the rest of its message stays."""
    shown = masked(f"cannot use {spelt(secret)}, sorry", [secret])

    assert shown == "cannot use (sensitive), sorry"


@pytest.mark.parametrize("spelt", SPELLINGS.values(), ids=SPELLINGS)
@settings(max_examples=40)
@given(secret=st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=4, max_size=12))
def test_any_secret_is_kept_out(spelt: Callable[[str], str], secret: str) -> None:
    """Whatever letters it is made of."""
    if spelt is not str.swapcase:  # outside of ASCII a letter of another case is another letter
        assert masked(f"[{spelt(secret)}]", [secret]) == "[(sensitive)]"


@pytest.mark.parametrize("before", [0, 100, SHOWN - 5, SHOWN, 1000, 1020, SEARCHED - 10, SEARCHED + 40])
@pytest.mark.parametrize("filler", ["x", " ", "x "])
def test_no_secret_is_cut_into_a_part_that_is_shown(before: int, filler: str) -> None:
    """A secret is replaced as a whole before the message is cut, wherever it stands."""
    secret = "k" * 700 + "TAIL"

    shown = masked((filler * before)[:before] + secret + " is wrong; " + secret, [secret])

    assert "kkk" not in shown
    assert len(shown) <= SHOWN + 3


def test_what_follows_a_host_is_a_secret_by_itself() -> None:
    """A message may name the path and query of a webhook, or one value of its query."""
    secret = "https://hooks.example.com/services/T000/B000?token=SECRETPART"

    assert masked("POST /services/T000/B000?token=SECRETPART", [secret]) == "POST (sensitive)?(sensitive)"
    assert masked("bad token SECRETPART", [secret]) == "bad token (sensitive)"
    assert masked("no such host: hooks.example.com", [secret]) == "no such host: hooks.example.com"


def test_a_short_value_blots_nothing_out() -> None:
    """Three letters are no secret, and the word before a token is none."""
    assert masked("a bad Bearer", ["bad", "Bearer SECRETPART", ""]) == "a bad Bearer"


@pytest.mark.parametrize("text", ["\\" * 10**6, "a" * 10**6, "%25" * 10**6, "&amp;" * 10**6, " " * 10**7])
def test_no_text_takes_long(text: str) -> None:
    """A message made to be slow to search is searched all the same."""
    began = time.monotonic()
    masked(text, ["a" * 60 + "b", "\\" * 30 + "b", "%2525" * 10 + "b"])

    assert time.monotonic() - began < 5


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_long_answer_is_searched_before_it_is_cut(status: int) -> None:
    """The key that a server repeats is nowhere in the error, also where the answer is cut."""

    async def story(clock: VirtualClock) -> None:
        for before in range(200, 300, 3):
            page = httpx.Response(status, text=" " * 1000 + "x" * before + KEY + "x" * 5000)
            client = client_of(Answering(clock, [page]), clock)
            with pytest.raises(CdsyncError) as caught:
                await client.write("POST", "/x", query={}, body=dict)
            assert KEY[:6] not in str(caught.value)
            await client.close()

    in_virtual_time(story)
