"""cdsync keeps the schedules and runs of a Captain Data (Edges) account as YAML declares them."""

from __future__ import annotations

__version__ = "0.1.0"
