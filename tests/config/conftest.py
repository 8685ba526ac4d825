"""Config roots on disk, written as a team would write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdsync.config import Configuration, load
from cdsync.errors import ConfigError

NOW = datetime(2026, 1, 1, tzinfo=UTC)

Files = Mapping[str, str | bytes]


@pytest.fixture
def root_of(tmp_path: Path) -> Callable[[Files], Path]:
    """Writes files below a config root, with an empty cdsync.yaml unless they bring their own."""

    def write(files: Files) -> Path:
        root = tmp_path / "root"
        own_settings = any(file.startswith("cdsync.yaml") for file in files)
        for file, content in files.items() if own_settings else {"cdsync.yaml": "", **files}.items():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


@pytest.fixture
def loaded(root_of: Callable[[Files], Path]) -> Callable[[Files], Configuration]:
    """Loads files that are right."""
    return lambda files: load(root_of(files), now=NOW)


@pytest.fixture
def refused(root_of: Callable[[Files], Path]) -> Callable[[Files], list[str]]:
    """Loads files that are wrong; gives every problem as it is shown."""

    def messages(files: Files) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(root_of(files), now=NOW)
        return [str(problem) for problem in caught.value.problems]

    return messages


@pytest.fixture
def frozen_now() -> datetime:
    """The instant from which daylight-saving changes are looked for."""
    return NOW
