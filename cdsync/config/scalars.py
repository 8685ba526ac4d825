"""What a plain (unquoted) YAML scalar means: the core schema of YAML 1.2, with refusals where YAML 1.1 differs.

A reader of YAML 1.1 takes `yes` for true, `12:30` for 750 and `0123` for 83; one of YAML 1.2 does not. Nobody who
writes them means that difference, so they are refused with the advice to quote.
"""

from __future__ import annotations

import math
import re

NULL_WORDS = frozenset({"", "~", "null", "Null", "NULL"})
TRUE_WORDS = frozenset({"true", "True", "TRUE"})
FALSE_WORDS = frozenset({"false", "False", "FALSE"})
BOOLEANS_OF_YAML_1_1 = frozenset(
    form for word in ("yes", "no", "on", "off", "y", "n") for form in (word, word.capitalize(), word.upper())
)
NOT_JSON = frozenset(sign + dot for sign in ("", "+", "-") for dot in (".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"))

_WORDS: dict[str, bool | None] = (
    dict.fromkeys(NULL_WORDS, None) | dict.fromkeys(TRUE_WORDS, True) | dict.fromkeys(FALSE_WORDS, False)
)
_NUMERIC_START = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BARE_EXPONENT = re.compile(r"[^.]*[eE].*|.*[eE][0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?")
_UNDERSCORES = re.compile(r"(?=[^_]*_)[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"[-+]?0(?:x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)")
_MOST_DIGITS = 300


class ScalarError(ValueError):
    """A plain scalar that means different things to different readers; the message follows the value."""


def plain_value(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar.

    Raises:
        ScalarError: it is one that YAML 1.1 and 1.2 read differently, or no number of JSON.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMERIC_START:
        return _numeric(text)
    if text in BOOLEANS_OF_YAML_1_1:
        raise ScalarError("is a boolean to YAML 1.1 and a text to YAML 1.2; write true or false, or put it in quotes")
    return text


def _numeric(text: str) -> int | float | str:
    if _INTEGER.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            raise ScalarError("is a number too long for JSON; put it in quotes to keep it as a text")
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if math.isinf(value):
            raise ScalarError("is a number too large for JSON; put it in quotes to keep it as a text")
        if _BARE_EXPONENT.fullmatch(text):
            raise ScalarError(
                "is a text to YAML 1.1 and a number to YAML 1.2; write 1.0e+3 for 1e3, or put it in quotes"
            )
        return value
    if advice := _surprise(text):
        raise ScalarError(advice)
    return text


def _surprise(text: str) -> str | None:
    if text in NOT_JSON:
        return "is no number of JSON; expected a finite number, or a text in quotes"
    if _LEADING_ZERO.fullmatch(text):
        return "starts with a zero, which YAML 1.1 reads as octal; put it in quotes to keep it as a text"
    if _SEXAGESIMAL.fullmatch(text):
        return "is a number of base 60 to YAML 1.1; put it in quotes to keep it as a text"
    if _UNDERSCORES.fullmatch(text):
        return "is a number to YAML 1.1 and a text to YAML 1.2; write it without underscores, or put it in quotes"
    if _OTHER_BASE.fullmatch(text):
        return "is a number of another base; write it in base 10, or put it in quotes"
    return None
