"""Where the files shipped beside the code are found: in a wheel inside the package, in a checkout next to it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

PACKAGE = Path(__file__).resolve().parent

IN_CHECKOUT = {"schema": Path("schema"), "examples": Path("examples", "config")}


def shipped(kind: Literal["schema", "examples"]) -> Path:
    """The folder of the JSON Schemas, or that of the example configuration.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for folder in (PACKAGE / kind, PACKAGE.parent / IN_CHECKOUT[kind]):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"this installation of cdsync has no folder {kind!r}; install it again")
