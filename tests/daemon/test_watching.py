"""Which changes below a root are told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cdsync.daemon.watching import is_part, watch
from cdsync.errors import CdsyncError

PATIENCE = 30


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/root/schedules.yaml", True),
        ("/root/team/leads.csv", True),
        ("/root/..data", True),
        ("/root/..2026_11_25/a.yaml", True),
        ("/root/.git/index", False),
        ("/root/.cdsync/state.db-wal", False),
        ("/root/team/.a.yaml.swp", False),
        ("/elsewhere/a.yaml", True),
    ],
)
def test_what_may_be_part_of_a_declaration_matters(path: str, expected: bool) -> None:
    """Hidden files are none of it, but for the names by which Kubernetes swaps a folder."""
    assert is_part(Path(path), Path("/root")) is expected


def test_a_change_is_told(tmp_path: Path) -> None:
    """Soon after it has come to rest."""

    async def story() -> None:
        told = asyncio.ensure_future(anext(watch(tmp_path)))
        while not told.done():
            # The watch may not have begun with the first of them.
            (tmp_path / "a.yaml").write_text("runs: {}", encoding="utf-8")
            await asyncio.wait({told}, timeout=0.2)
        assert told.result() is None

    asyncio.run(asyncio.wait_for(story(), PATIENCE))


def test_another_folder_in_its_place_ends_the_watch(tmp_path: Path) -> None:
    """A deployment that renames a new folder over the old one is noticed, and watched anew."""

    async def story() -> None:
        root, new = tmp_path / "root", tmp_path / "new"
        root.mkdir()
        new.mkdir()

        changes = watch(root)
        told = asyncio.ensure_future(anext(changes))
        await asyncio.wait({told}, timeout=0.3)
        root.rename(tmp_path / "old")
        new.rename(root)
        await told
        assert [change async for change in changes] == []

    asyncio.run(asyncio.wait_for(story(), PATIENCE))


def test_a_folder_that_is_not_there_cannot_be_watched(tmp_path: Path) -> None:
    """It is an error for a person, and the daemon looks again later."""

    async def story() -> None:
        with pytest.raises(CdsyncError, match="cannot be watched"):
            await anext(watch(tmp_path / "gone"))

    asyncio.run(asyncio.wait_for(story(), PATIENCE))
