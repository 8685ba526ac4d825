"""Writes docs/configuration.md from the JSON Schemas and docs/commands.md from the command line itself.

So neither reference can differ from what is checked and done. Run it after a change: python docs/generate.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cdsync.cli.root import COMMANDS, cli

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "configuration.md"
COMMANDS_PAGE = TOP / "docs" / "commands.md"

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

What was read once is kept in `$XDG_CACHE_HOME/cdsync` (`~/.cache/cdsync`), with digests under the state's key, so that
a file that has not changed is neither read as YAML nor gone through again; `CDSYNC_CACHE` names another folder, and an
empty one keeps nothing. Nothing depends on what lies there: it may be deleted at any time, is believed only as far as
its digest and its owner are right, and is readable by you alone, because it holds what the declaration holds.
"""


COMMANDS_HEAD = """# Commands

Made from the command line by `python docs/generate.py`; do not edit. `cdsync COMMAND --help` prints the same.

Exit codes: 0 done, nothing pending; 1 error; 2 changes pending (`plan --detailed-exitcode`); 3 applied in part;
4 refused by a guard. Standard output carries the result only, so that `--format json` is always one document; warnings,
progress and logs go to standard error, and progress only to a terminal. The JSON documents of `plan`, `next` and
`validate` have a schema: `cdsync schema plan`, `cdsync schema next`, `cdsync schema validate`.

## Completion

Commands, flags, and the addresses of your declaration are completed, without a key and without the network. Load the
script of your shell once for each session:

```sh
eval "$(_CDSYNC_COMPLETE=bash_source cdsync)"                   # in ~/.bashrc
eval "$(_CDSYNC_COMPLETE=zsh_source cdsync)"                    # in ~/.zshrc, after compinit
_CDSYNC_COMPLETE=fish_source cdsync | source                    # in ~/.config/fish/config.fish
```

The addresses are those of the folder that you are in, of `-C DIR`, or of `CDSYNC_CONFIG`.
"""


def commands_page() -> str:
    """The text of docs/commands.md."""
    root = click.Context(cli, info_name="cdsync", terminal_width=80, **cli.context_settings)
    parts = [COMMANDS_HEAD, f"## cdsync\n\n```text\n{cli.get_help(root)}\n```\n"]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        if command is not None:
            text = command.get_help(click.Context(command, parent=root, info_name=name))
            parts.append(f"## cdsync {name}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


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
    COMMANDS_PAGE.write_text(commands_page(), encoding="utf-8")
