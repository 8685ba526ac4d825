"""What a person should do about a YAML syntax error, instead of what libyaml's scanner says about it."""

from __future__ import annotations

import re

import yaml

from cdsync.errors import Problem

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")

# libyaml notices these only later, where nothing is wrong.
_TOLD_AT_ITS_BEGIN = (
    "could not find expected ':'",
    "did not find expected ',' or ']'",
    "did not find expected ',' or '}'",
    "found unexpected end of stream",
)

_ADVICE = {
    "did not find expected alphabetic or numeric character": (
        "an unquoted text starts with '*' or '&'; put it in quotes, such as cron: \"*/15 * * * *\""
    ),
    "found undefined alias": (
        "an alias ('*name') without its anchor ('&name') above it; a text that starts with '*' must be in quotes"
    ),
    "second occurrence": "an anchor ('&name') that was already set above; expected another name",
    "but found another document": "a second document ('---') begins here; expected one document in a file",
    "mapping values are not allowed in this context": (
        "a ': ' that starts no value here; put a text that holds ': ' in quotes, or check the indentation"
    ),
    "did not find expected key": "no key was found here; check indentation and quotes, also those of the line above",
    "did not find expected '-' indicator": "a '- ' was expected here; check the indentation of the list",
    "did not find expected ',' or ']'": "a list is not closed; expected ',' or ']' before the next line or key",
    "did not find expected ',' or '}'": "an object is not closed; expected ',' or '}' before the next line or key",
    "did not find expected node content": "no value was found here; check for a bracket too many, or one not closed",
    "did not find expected <document start>": (
        "text after the end of the document; check that all keys of one level have the same indentation"
    ),
    "could not find expected ':'": "a key without ':'; expected KEY: VALUE",
    "found unknown escape character": (
        "an unknown escape in double quotes; write '\\\\' for one backslash, or use single quotes"
    ),
    "found undefined tag handle": "a tag ('!...') is not supported; a text that starts with '!' must be in quotes",
    "found incompatible YAML document": "an unsupported %YAML version; expected no %YAML line at all",
}


def syntax_problem(file: str, text: str, error: yaml.YAMLError) -> Problem:
    """The problem that a syntax error of the loader stands for, at its place."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        if error.context_mark and (error.problem or "").startswith(_TOLD_AT_ITS_BEGIN):
            mark = error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        return Problem(file, line + 1, column + 1, None, _advice(text, line, column, error))
    found = _UNPRINTABLE.search(text)
    before = text[: found.start()] if found else ""
    shown = f"U+{ord(found[0]):04X}" if found else "a character"
    message = f"{shown} is not allowed in YAML; remove it, or write it as an escape in double quotes"
    return Problem(file, before.count("\n") + 1, len(before) - before.rfind("\n"), None, message)


def _advice(text: str, line: int, column: int, error: yaml.MarkedYAMLError) -> str:
    problem = (error.problem or "").removeprefix("error: ")
    lines = text.split("\n", line + 1)
    here = lines[line][column : column + 1] if line < len(lines) else ""
    indentation = lines[line][: len(lines[line]) - len(lines[line].lstrip())] if line < len(lines) else ""
    if "\t" in indentation:
        return "a tab indents this line; expected spaces"
    if problem.startswith("found character that cannot start any token"):
        return f"a text cannot start with {here!r} unless it is in quotes"
    if problem.startswith("found unexpected end of stream"):
        return "the text that begins here is not closed; expected a quote at its end"
    for known, advice in _ADVICE.items():
        if problem.startswith(known):
            return advice
    context = f" {error.context}" if error.context else ""
    return f"the YAML cannot be read{context}: {problem}"
