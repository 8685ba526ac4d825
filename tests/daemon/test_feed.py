"""A folder as a source of declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cdsync.assembly import Surroundings
from cdsync.core.model import Address, Kind
from cdsync.daemon.feed import LOOKS, FolderFeed, Read
from cdsync.errors import ConfigError
from tests.cli.process import Shell, schedules_yaml
from tests.daemon.values import NOW
from tests.virtual_time import run_virtual

A, B = (Address(Kind.SCHEDULE, name) for name in "ab")


class Keeper:
    """Whoever keeps a folder: does the next of its steps before each look at it."""

    def __init__(self, steps: Iterator[Callable[[], None]]) -> None:
        self.looks = 0
        self._steps = steps

    async def look(self, read: Callable[[], Read]) -> Read:
        """Let the next step happen, then read."""
        self.looks += 1
        next(self._steps, lambda: None)()
        return read()


def root(folder: Path) -> Shell:
    """A valid root."""
    user = Shell(folder)
    user.write("cdsync.yaml", "")
    user.write("schedules.yaml", schedules_yaml(a="0 9 * * 1", b="0 9 * * 2"))
    return user


def nothing() -> None:
    """A step that changes nothing."""


def test_half_of_a_change_is_not_taken(tmp_path: Path) -> None:
    """A file that is moved leaves one folder before it arrives in the other; it was never undeclared."""
    user = root(tmp_path)

    def leave() -> None:
        (tmp_path / "schedules.yaml").unlink()

    def arrive() -> None:
        user.write("team/schedules.yaml", schedules_yaml(a="0 9 * * 1", b="0 9 * * 2"))

    async def story(_clock: object) -> None:
        keeper = Keeper(iter([nothing, leave, arrive]))
        feed = FolderFeed(Surroundings(root=tmp_path, environment={}), aside=keeper.look)
        await feed.latest()
        found = await feed.latest()
        assert set(found.configuration.desired.resources) == {A, B}
        assert list(found.configuration.files) == ["cdsync.yaml", "team/schedules.yaml"]
        assert keeper.looks == 4

    run_virtual(story, start=NOW)


def test_a_folder_at_rest_is_read_once(tmp_path: Path) -> None:
    """Only what differs is looked at again."""
    root(tmp_path)

    async def story(_clock: object) -> None:
        keeper = Keeper(iter(()))
        feed = FolderFeed(Surroundings(root=tmp_path, environment={}), aside=keeper.look)
        for _ in range(3):
            await feed.latest()
        assert keeper.looks == 3

    run_virtual(story, start=NOW)


def test_a_folder_that_never_rests_is_taken_as_it_is(tmp_path: Path) -> None:
    """After some looks: it is wrong or right, but it is the declaration."""
    user = root(tmp_path)
    minutes = iter(range(1000))

    def change() -> None:
        user.write("schedules.yaml", schedules_yaml(a=f"{next(minutes) % 60} 9 * * 1"))

    async def story(_clock: object) -> None:
        keeper = Keeper(iter([nothing, *[change] * 1000]))
        feed = FolderFeed(Surroundings(root=tmp_path, environment={}), aside=keeper.look)
        await feed.latest()
        assert set((await feed.latest()).configuration.desired.resources) == {A}
        assert keeper.looks == 2 + LOOKS

    run_virtual(story, start=NOW)


def test_what_is_wrong_and_stays_wrong_is_told(tmp_path: Path) -> None:
    """And what was wrong for a moment is not."""
    user = root(tmp_path)

    def spoil() -> None:
        user.write("schedules.yaml", "schedules: [")

    def mend() -> None:
        user.write("schedules.yaml", schedules_yaml(a="0 9 * * 1"))

    async def story(_clock: object) -> None:
        keeper = Keeper(iter([nothing, spoil, mend, nothing, spoil]))
        feed = FolderFeed(Surroundings(root=tmp_path, environment={}), aside=keeper.look)
        await feed.latest()
        assert set((await feed.latest()).configuration.desired.resources) == {A}
        for _ in range(2):
            with pytest.raises(ConfigError, match=r"schedules\.yaml:"):
                await feed.latest()

    run_virtual(story, start=NOW)


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    """An unchanged folder costs its digests; once a day it is read all the same, because its warnings look ahead."""
    user = root(tmp_path)
    now = [NOW]

    async def story(_clock: object) -> None:
        feed = FolderFeed(Surroundings(root=tmp_path, environment={}, now=lambda: now[0]))
        first = (await feed.latest()).configuration
        assert (await feed.latest()).configuration is first
        now[0] += timedelta(days=1, seconds=1)
        second = (await feed.latest()).configuration
        assert second is not first
        assert second == first
        user.write("more.yaml", schedules_yaml(c="0 9 * * 3"))
        third = (await feed.latest()).configuration
        assert len(third.desired.resources) == 3
        assert (await feed.latest()).configuration is third

    run_virtual(story, start=NOW)
