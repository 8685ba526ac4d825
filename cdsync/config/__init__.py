"""YAML files -> settings and desired state, every resource with the place where it is declared.

The contract of the package:

- `load` reads a config root once and completely. What it returns is right in every respect that can be told offline;
  else it raises one `ConfigError` with every problem of every file, each with file, line, column, address, fault and
  way out. No other exception leaves it for anything that files may hold.
- A root may be a folder, or be held in memory (`SnapshotFiles`): then `read_root` and `load_from` do what `load` does,
  in two steps, because which contents are needed is known only once the documents are read.
- Nothing outside of the root is read, and no reference to a secret is resolved. Values of `api.key` and of `callback`
  are in no message.
- The package knows neither the API nor the store, and owns yaml and jsonschema.
"""

from __future__ import annotations

from cdsync.config.load import (
    Configuration,
    Reading,
    declared_addresses,
    declares_anything,
    load,
    load_from,
    load_settings,
    read_root,
    unchanged,
)
from cdsync.config.schemas import schema_names, schema_text
from cdsync.config.snapshot import Item, SnapshotFiles
from cdsync.config.starter import starter_files

__all__ = [
    "Configuration",
    "Item",
    "Reading",
    "SnapshotFiles",
    "declared_addresses",
    "declares_anything",
    "load",
    "load_from",
    "load_settings",
    "read_root",
    "schema_names",
    "schema_text",
    "starter_files",
    "unchanged",
]
