"""The JSON Schemas as editors use them, and as messages are made from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cdsync.config import schema_names, schema_text
from cdsync.config.yaml_nodes import read_tree
from cdsync.shipped import shipped

OURS = ("settings", "resources")


def schema(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(schema_text(name))
    return document


def nodes(part: Any, path: str = "$") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every sub-schema that may refuse a value, with its path."""
    yield path, part
    for key in ("properties", "$defs"):
        for name, inner in part.get(key, {}).items():
            yield from nodes(inner, f"{path}.{name}")
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(part.get(key), dict):
            yield from nodes(part[key], f"{path}.{key}")
    for index, inner in enumerate(part.get("oneOf", ())):
        yield from nodes(inner, f"{path}.oneOf[{index}]")


def test_both_schemas_are_shipped() -> None:
    """`schema_names` lists what `schema_text` prints."""
    assert set(OURS) <= set(schema_names())
    for name in schema_names():
        assert json.loads(schema_text(name))["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", ["", "nothing", "../settings", "settings.schema.json"])
def test_no_other_schema_is_there(name: str) -> None:
    """An unknown name is a KeyError, not a file of that name."""
    with pytest.raises(KeyError):
        schema_text(name)


@pytest.mark.parametrize("name", OURS)
def test_a_schema_is_valid_and_speaks(name: str) -> None:
    """Each schema is one of draft 2020-12, and each node of it can complete the sentence "expected ..."."""
    document = schema(name)
    jsonschema.Draft202012Validator.check_schema(document)
    assert [path for path, node in nodes(document) if "title" not in node and "$ref" not in node] == []


@pytest.mark.parametrize("name", OURS)
def test_shared_definitions_are_the_same_in_both_schemas(name: str) -> None:
    """A duration, a reference and a resume policy mean the same in every file."""
    shared = schema("settings")["$defs"].keys() & schema("resources")["$defs"].keys()
    assert shared == {"duration", "reference", "resume"}
    for key in shared:
        one, other = schema(name)["$defs"][key], schema("resources")["$defs"][key]
        assert {**one, "description": ""} == {**other, "description": ""}


def test_the_examples_satisfy_the_schemas_as_an_editor_sees_them() -> None:
    """A plain validator without our extensions agrees with the loader."""
    for path in sorted(shipped("examples").rglob("*.yaml")):
        name = "settings" if path.name == "cdsync.yaml" else "resources"
        value = read_tree(path.name, path.read_text()).value
        jsonschema.Draft202012Validator(schema(name)).validate(value)


def test_each_example_names_its_schema() -> None:
    """The first line of each example leads an editor to the schema beside it."""
    for path in sorted(shipped("examples").rglob("*.yaml")):
        first = path.read_text().splitlines()[0]
        target = (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
        name = "settings" if path.name == "cdsync.yaml" else "resources"
        assert target == shipped("schema") / f"{name}.schema.json"


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("schedules: {x: {action: a, cron: x, inputs: [{}]}}", True),
        ("schedules: {x: {action: a, cron: x}}", False),
        ("schedules: {x: {action: a, cron: x, state: absent}}", True),
        ("schedules: {x: {action: a, inputs: [{}]}}", False),
        ("schedules: {x: {cron: x, inputs: [{}]}}", False),
        ("{defaults: {action: a, cron: x}, schedules: {x: {inputs: [{}]}}}", True),
        ("{defaults: {action: a, cron: x}, schedules: {x: {}}}", False),
        ("runs: {x: {action: a}}", False),
        ("runs: {x: {inputs: [{}]}}", False),
        ("{defaults: {action: a}, runs: {x: {inputs: [{}]}}}", True),
    ],
)
def test_an_editor_knows_what_is_missing(text: str, valid: bool) -> None:
    """A field is required in the schema too, unless the defaults of the file have it."""
    assert jsonschema.Draft202012Validator(schema("resources")).is_valid(read_tree("a.yaml", text).value) is valid


def test_shipped_folders_are_there() -> None:
    """A checkout finds its folders beside the package."""
    for kind in ("schema", "examples"):
        assert isinstance(shipped(kind), Path)
        assert any(shipped(kind).iterdir())
