"""A repository and a machine that follows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gitsource.upstream import Machine, Upstream, settings_for


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """An empty repository."""
    return Upstream.at(tmp_path / "there")


@pytest.fixture
def machine(tmp_path: Path, upstream: Upstream) -> Machine:
    """A machine that follows the first branch of it."""
    return Machine(tmp_path / "here", settings_for(upstream))
