"""JSON as the standard has it: no NaN, no duplicate keys, nothing that cannot be written out again."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import NoReturn

from cdsync.config.yaml_values import MOST_DEPTH
from cdsync.core.work import Json


class StrictJsonError(ValueError):
    """A text that is no JSON; the message says why, `line` and `column` (from 1) say where, as far as known."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def parse_json(text: str) -> Json:
    """The value of a JSON text.

    Raises:
        StrictJsonError: it is not JSON, or holds what other readers of JSON refuse.
    """
    try:
        value: Json = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_duplicates
        )
    except json.JSONDecodeError as error:
        message = f"the JSON cannot be read: {error.msg}"
        raise StrictJsonError(message, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise StrictJsonError(f"nested deeper than {MOST_DEPTH} levels") from None
    except StrictJsonError:
        raise
    except ValueError:
        raise StrictJsonError("a number too long for JSON; put it in quotes to keep it as a text") from None
    if text.count("[") + text.count("{") > MOST_DEPTH and _deeper_than(value, MOST_DEPTH):
        raise StrictJsonError(f"nested deeper than {MOST_DEPTH} levels")
    if "\\u" in text:
        _refuse_lone_surrogates(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise StrictJsonError(f"{name} is no number of JSON; expected a finite number, or a text in quotes")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise StrictJsonError(f"{text[:40]} is a number too large for JSON; put it in quotes to keep it as a text")
    return value


def _without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise StrictJsonError(f"duplicate key {twice!r}; expected each key once")
    return result


def _refuse_lone_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise StrictJsonError("half a surrogate pair (\\ud800 to \\udfff) is no text; expected both halves") from None


def _deeper_than(value: object, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(outer, (dict, list)) for outer in level)
