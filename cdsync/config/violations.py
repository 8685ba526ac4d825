"""What a violation of a JSON Schema means to a person.

Each node of the schemas has a `title` that completes the sentence "expected ...", from which the messages are made.
jsonschema says where a value violates them and why; it takes its time to load and to look, so it is only asked about
what is not known to be right.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from cdsync.config.places import Path, name_of, sensitive, shortened, shown
from cdsync.config.schemas import Part, is_valid, known_fields, part_schema
from cdsync.config.yaml_nodes import Tree
from cdsync.core.work import Json
from cdsync.errors import Problem

if TYPE_CHECKING:
    from jsonschema import ValidationError

_CLOSENESS = 0.6


def problems_of(part: Part, tree: Tree, path: Path, value: Json) -> list[Problem]:
    """How the value at a path violates the schema of a part of the configuration, if it does."""
    return [] if is_valid(part, value) else violations(part, tree, path, value)


def violations(part: Part, tree: Tree, path: Path, value: Json) -> list[Problem]:
    """How the value at a path violates the schema of a part of the configuration; none if it does not."""
    return [
        problem
        for error in _validator(part).iter_errors(value)
        for problem in _problems(error, tree, path + tuple(error.absolute_path))
    ]


def _unknown_key(key: str, path: Path, known: Iterator[str] | frozenset[str]) -> str:
    """The message for a key that nothing reads."""
    choices = sorted(known)
    owner = f" in {name_of(path)}" if name_of(path) else ""
    if advice := _misplaced(key, path):
        return f"unknown key {shortened(key)!r}{owner}; {advice}"
    nearest = difflib.get_close_matches(key, choices, n=1, cutoff=_CLOSENESS)
    way_out = f"did you mean {nearest[0]!r}?" if nearest else f"expected one of: {', '.join(choices)}"
    return f"unknown key {shortened(key)!r}{owner}; {way_out}"


def _misplaced(key: str, path: Path) -> str | None:
    section = path[0] if path else None
    if key == "on" and not sensitive(path):
        return "'on' is a key of callback; write true where a boolean is meant"
    if section == "defaults" and len(path) == 1 and key == "inputs":
        return "inputs belong to a schedule or run, never to defaults"
    if section == "runs" and len(path) == 2 and key in known_fields("schedule"):
        return f"{key!r} is a field of schedules, not of runs"
    if section == "schedules" and len(path) == 2 and key in known_fields("run"):
        return f"{key!r} is a field of runs, not of schedules"
    return None


def _problems(error: ValidationError, tree: Tree, path: Path) -> Iterator[Problem]:
    schema: Any = error.schema
    instance: Any = error.instance
    expected = schema.get("title", "another value")
    name = name_of(path)
    if error.validator == "oneOf" and (inner := _branch(error)):
        for cause in inner:
            yield from _problems(cause, tree, path + tuple(cause.relative_path))
    elif "propertyNames" in error.absolute_schema_path:
        message = f"a key of {name} is not allowed; expected {expected}"
        yield tree.problem((*path, str(error.instance)), message, at_key=True)
    elif error.validator == "additionalProperties" and not _is_secret(path):
        known = frozenset(schema["properties"])
        for key in sorted(set(instance) - known):
            yield tree.problem((*path, key), _unknown_key(key, path, known), at_key=True)
    elif error.validator == "required":
        for key in sorted(set(schema["required"]) - set(instance)):
            message = f"{name} has no {key!r}; expected {schema['properties'][key]['title']}"
            yield tree.problem(path, message, at_key=True)
    else:
        yield tree.problem(path, _wrong_value(error.instance, path, expected))


def _wrong_value(value: object, path: Path, expected: str) -> str:
    name = name_of(path) or ("it" if path else "the document")
    # A scalar where an object belongs is a mistake of structure: its value says nothing, and may be a secret.
    if not isinstance(value, (dict, list)) and value is not None and expected.startswith(("an object", "the key")):
        return f"{name} is {_sort(value)}; expected {expected}"
    return f"{name} is {shown(value, path)}; expected {expected}"


def _sort(value: object) -> str:
    if isinstance(value, str):
        return "a text"
    return "a boolean" if isinstance(value, bool) else "a number"


def _is_secret(path: Path) -> bool:
    return sensitive(path) and path[-1:] != ("callback",)


def _branch(error: ValidationError) -> list[ValidationError]:
    """The errors of the one alternative that the value was meant as; none when that cannot be told."""
    branches: dict[object, list[ValidationError]] = {}
    for cause in error.context or ():
        branches.setdefault(cause.relative_schema_path[0], []).append(cause)
    meant = [
        causes
        for causes in branches.values()
        if not any(cause.validator in {"type", "const"} and not cause.relative_path for cause in causes)
    ]
    return meant[0] if len(meant) == 1 else []


@cache
def _validator(part: Part) -> Any:
    # Only a wrong declaration needs jsonschema, which takes longer to load than most commands to run.
    from jsonschema import Draft202012Validator, ValidationError, validators  # noqa: PLC0415

    def pattern(
        validator: object, regex: str, instance: object, schema: Mapping[str, Any]
    ) -> Iterator[ValidationError]:
        # Python's `$` also matches before a last newline, that of JSON Schema does not; none of our patterns takes one.
        if isinstance(instance, str) and instance.endswith("\n"):
            yield ValidationError(f"{instance!r} ends with a newline")
        else:
            yield from Draft202012Validator.VALIDATORS["pattern"](validator, regex, instance, schema) or ()

    # The types of jsonschema leave this function out.
    extended: Any = validators.extend(Draft202012Validator, {"pattern": pattern})  # type: ignore[no-untyped-call]
    return extended(part_schema(part))
