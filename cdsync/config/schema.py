"""The JSON Schemas, and what a violation of one means to a person.

The schemas are the truth about shapes: they serve the editor, and every value is checked by them here. Each of their
nodes has a `title` that completes the sentence "expected ...", from which the messages are made. jsonschema is slow,
so a value is first checked field by field, with an answer remembered for each text.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Literal, TypeAlias

import jsonschema
from jsonschema import Draft202012Validator, ValidationError

from cdsync.config.places import Path, name_of, sensitive, shortened, shown
from cdsync.config.yaml_nodes import Tree
from cdsync.core.work import Json
from cdsync.errors import Problem
from cdsync.shipped import shipped

Part: TypeAlias = Literal["settings", "resources", "defaults", "schedule", "run"]

_SUFFIX = ".schema.json"
_CLOSENESS = 0.6


def schema_names() -> tuple[str, ...]:
    """The names of the schemas that this installation has, sorted."""
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in shipped("schema").glob(f"*{_SUFFIX}")))


def schema_text(name: str) -> str:
    """The text of a JSON Schema (draft 2020-12).

    Raises:
        KeyError: there is no schema of this name; expected one of `schema_names()`.
    """
    if name not in schema_names():
        raise KeyError(name)
    return (shipped("schema") / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


@cache
def known_fields(part: Part) -> frozenset[str]:
    """The keys that a part of the configuration may have."""
    return frozenset(_part_schema(part)["properties"])


def problems_of(part: Part, tree: Tree, path: Path, value: Json) -> list[Problem]:
    """How the value at a path violates the schema of a part of the configuration."""
    if isinstance(value, Mapping) and all(field_is_valid(part, key, inner) for key, inner in value.items()):
        return []
    return [
        problem
        for error in _validator(part).iter_errors(value)
        for problem in _problems(error, tree, path + tuple(error.absolute_path))
    ]


def unknown_key(key: str, path: Path, known: Iterator[str] | frozenset[str]) -> str:
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
            yield tree.problem((*path, key), unknown_key(key, path, known), at_key=True)
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


def _pattern(validator: object, pattern: str, instance: object, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    # Python's `$` also matches before a last newline, that of JSON Schema does not; none of our patterns takes one.
    if isinstance(instance, str) and instance.endswith("\n"):
        yield ValidationError(f"{instance!r} ends with a newline")
    else:
        yield from Draft202012Validator.VALIDATORS["pattern"](validator, pattern, instance, schema) or ()


_Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern}
)


@cache
def _part_schema(part: Part) -> dict[str, Any]:
    document = json.loads(schema_text("settings" if part == "settings" else "resources"))
    if part not in {"settings", "resources"}:
        schema: dict[str, Any] = _inlined(document["$defs"][part], document["$defs"])
        return schema
    if part == "settings":
        whole: dict[str, Any] = _inlined({k: v for k, v in document.items() if k != "$defs"}, document["$defs"])
        return whole
    # The resources themselves are checked one by one, so only the outline of a resource file is left.
    sections = {
        key: {"title": section["title"], "type": ["object", "null"]} for key, section in document["properties"].items()
    }
    outline = {key: document[key] for key in ("title", "type", "additionalProperties")}
    return {**outline, "properties": sections}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema without `$ref`, whose resolution would be most of the time of a validation."""
    if isinstance(schema, list):
        return [_inlined(inner, definitions) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].removeprefix("#/$defs/")]
        return _inlined({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, definitions)
    return {key: _inlined(inner, definitions) for key, inner in schema.items()}


@cache
def _validator(part: Part) -> Any:
    return _Validator(_part_schema(part))


@cache
def _field_checks(part: Part) -> dict[str, Callable[[Json], bool]]:
    return {key: _Validator(schema).is_valid for key, schema in _part_schema(part)["properties"].items()}


def field_is_valid(part: Part, key: str, value: Json) -> bool:
    if isinstance(value, str):
        return _text_is_valid(part, key, value)
    check = _field_checks(part).get(key)
    return check is not None and check(value)


@lru_cache(maxsize=65536)
def _text_is_valid(part: Part, key: str, value: str) -> bool:
    check = _field_checks(part).get(key)
    return check is not None and check(value)
