"""The JSON Schemas as editors use them, and as messages are made from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdsync.config import schema_names, schema_text
from cdsync.config.schemas import Part, is_resource_file, is_valid
from cdsync.config.violations import violations
from cdsync.config.yaml_nodes import Tree, read_tree
from cdsync.core.work import Json
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


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**250),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["1h", "15s", "never", "active", "", "0 9 * * 1", "9" * 300, "a/b", "https://e.com", "STOPPED"]),
    st.lists(st.none(), max_size=2),
    st.dictionaries(st.sampled_from(["env", "file", "url", "x", "on"]), st.text(max_size=3), max_size=2),
)

SOUND = """
defaults: {timezone: Europe/Paris, action: a, cron: 0 9 * * 1, identity_ids: [x], parameters: {deep: [{}, null, 1.5]}}
schedules:
  a: {inputs: [{q: 1}], state: paused, first_fire: immediate, protect: true, was: b, resume: never}
  c: {inputs: {file: rows.csv}, callback: {url: https://e.com, headers: {A: {env: B}}, on: final}}
runs:
  d: {inputs: [{}], mode: async, schedule_at: "2027-01-01T00:00:00Z", resume: {statuses: [STOPPED], attempts: 2}}
  e: {inputs: [{}], mode: live}
"""


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def with_change(value: Any, path: tuple[str | int, ...], key: str | None, strange: Any) -> Any:
    """A copy with another value at one place, or with another key there."""
    if path:
        copied = value.copy()
        copied[path[0]] = with_change(copied[path[0]], path[1:], key, strange)
        return copied
    if key is None:
        return strange
    return {**(value if isinstance(value, dict) else {}), key: strange}


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_both_readers_of_the_schemas_agree(data: st.DataObject) -> None:
    """What jsonschema-rs takes for right, jsonschema finds nothing wrong with, and the other way round."""
    value = read_tree("sound.yaml", SOUND).value
    for _ in range(data.draw(st.integers(0, 3))):
        path = data.draw(st.sampled_from(sorted(paths(value), key=str)))
        strange = data.draw(STRANGE)
        key = data.draw(
            st.one_of(st.none(), st.sampled_from(["", "schedules", "cron", "state", "zzz", "-a", "a" * 101]))
        )
        value = with_change(value, path, key, strange)
    reference = jsonschema.Draft202012Validator(schema("resources"))
    assert is_resource_file(value) == reference.is_valid(value)
    tree = Tree(file="sound.yaml", value=value)
    parts: tuple[Part, ...] = ("defaults", "schedule", "run", "settings")
    for part in parts:
        assert is_valid(part, value) == (violations(part, tree, (), value) == [])


@pytest.mark.parametrize("text", ["0 9 * * 1\n", "a\n"])
def test_a_last_newline_is_no_part_of_a_pattern(text: str) -> None:
    """To Python's `$` it would be; no field of ours takes one."""
    value: Json = {"schedules": {"a": {"action": text, "cron": text, "was": text, "inputs": [{}]}}}
    assert not is_resource_file(value)
