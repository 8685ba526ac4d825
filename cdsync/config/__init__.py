"""YAML files -> settings and desired state, every resource with the place where it is declared.

The contract of the package:

- `load` reads a config root once and completely. What it returns is right in every respect that can be told offline;
  else it raises one `ConfigError` with every problem of every file, each with file, line, column, address, fault and
  way out. No other exception leaves it for anything that files may hold.
- Nothing outside of the root is read, and no reference to a secret is resolved. Values of `api.key` and of `callback`
  are in no message.
- The package knows neither the API nor the store, and owns yaml and jsonschema.
"""

from __future__ import annotations

from cdsync.config.load import Configuration, load, load_settings
from cdsync.config.schema import schema_names, schema_text
from cdsync.config.starter import starter_files

__all__ = ["Configuration", "load", "load_settings", "schema_names", "schema_text", "starter_files"]
