"""The JSON Schemas: the truth about shapes, for the editor and for every value that is read.

Whether a value is right is asked of jsonschema-rs, which knows at once. What is wrong with one that is not is found by
jsonschema (`violations`), which reads the same schemas and has the last word: where it finds nothing, nothing is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeAlias

import jsonschema_rs

from cdsync.core.work import Json
from cdsync.shipped import shipped

Part: TypeAlias = Literal["settings", "resources", "defaults", "schedule", "run"]

_SUFFIX = ".schema.json"


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


def is_resource_file(document: Json) -> bool:
    """Whether a document is right as a resource file, with everything that it declares."""
    return bool(_resource_file().is_valid(document))


@cache
def known_fields(part: Part) -> frozenset[str]:
    """The keys that a part of the configuration may have."""
    return frozenset(part_schema(part)["properties"])


def is_valid(part: Part, value: Json) -> bool:
    """Whether a value is right as a part of the configuration."""
    return bool(_validator(part).is_valid(value))


def field_is_valid(part: Part, key: str, value: Json) -> bool:
    """Whether a field of a part has a value as the schema wants it; False for a field that the part does not have."""
    check = _field_validators(part).get(key)
    return check is not None and bool(check.is_valid(value))


@cache
def part_schema(part: Part) -> dict[str, Any]:
    """The schema of a part, without `$ref`; that of `resources` says nothing about the single resources."""
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
def _resource_file() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema_text("resources")))


@cache
def _validator(part: Part) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(part_schema(part))


@cache
def _field_validators(part: Part) -> Mapping[str, jsonschema_rs.Draft202012Validator]:
    fields = part_schema(part)["properties"]
    return {key: jsonschema_rs.Draft202012Validator(schema) for key, schema in fields.items()}
