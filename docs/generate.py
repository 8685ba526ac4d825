"""Writes docs/configuration.md from the JSON Schemas, so that the reference cannot differ from what is checked.

Run it after a change of a schema: python docs/generate.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "configuration.md"

HEAD = """# Configuration

Made from the schemas by `python docs/generate.py`; do not edit. `cdsync schema settings` and `cdsync schema resources`
print the schemas for editors, and every file of the examples names its own in a comment.

A config root is a folder with `cdsync.yaml`. Every other `*.yaml` or `*.yml` below it, at any depth but not in hidden
folders, declares resources. A name is unique per kind over all files; `schedule/NAME` and `run/NAME` are addresses.

A *reference* is `{env: NAME}`, `{file: PATH}` (relative to the root) or `{credential: NAME}` (systemd's
LoadCredential). It is allowed for `api.key`, `daemon.token`, `daemon.webhook_secret`, `daemon.git.token`,
`daemon.git.ssh_key`, `notify[].url`, `callback.url` and the values of `callback.headers`. Its value is used as found,
and never printed, logged, planned or stored; those of `api` and `daemon` are given to no callback.

These win over the file: `CDSYNC_CONFIG` (the root), `CDSYNC_API_URL`, `CDSYNC_API_KEY`, `CDSYNC_STATE`.
"""


def page() -> str:
    """The text of docs/configuration.md."""
    settings, resources = (_schema(name) for name in ("settings", "resources"))
    parts = [HEAD, "## Settings: cdsync.yaml\n", _table(_rows(settings, settings))]
    for kind, title in (("schedule", "schedules.NAME"), ("run", "runs.NAME")):
        parts += [f"## {title}\n", _table(_rows(resources["$defs"][kind], resources))]
    parts.append(
        "## defaults\n\nAny field of a schedule or a run but `inputs`, for the resources of the same file. A field\n"
        "that a resource has itself replaces the default as a whole.\n"
    )
    return "\n".join(parts)


def _schema(name: str) -> Any:
    return json.loads((TOP / "schema" / f"{name}.schema.json").read_text(encoding="utf-8"))


def _rows(node: Any, schema: Any, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    required = set(node.get("required", ()))
    for name, inner in node.get("properties", {}).items():
        field = _resolved(inner, schema)
        path = f"{prefix}{name}"
        note = "Required. " if name in required else ""
        yield path, field.get("title", ""), note + inner.get("description", field.get("description", ""))
        if "$ref" not in inner or name in {"prune", "callback", "resume"}:
            yield from _rows(_object_in(field), schema, f"{path}.")
            yield from _rows(_object_in(field.get("items", {})), schema, f"{path}[].")


def _resolved(node: Any, schema: Any) -> Any:
    """The node that a `$ref` points at."""
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def _object_in(node: Any) -> Any:
    """The alternative of a node that has named fields, if one does."""
    choices = [node, *node.get("oneOf", ()), *node.get("anyOf", ())]
    return next((choice for choice in choices if "properties" in choice), {})


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    lines = ["| key | expected | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{path}` | {_cell(title)} | {_cell(text)} |" for path, title, text in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
