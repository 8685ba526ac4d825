"""The feed of a repository: when it looks, and what it goes by."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import pytest

from cdsync.assembly import Surroundings, declaration
from cdsync.daemon.git_feed import GitFeed
from cdsync.daemon.triggers import Cause
from cdsync.errors import CdsyncError, ConfigError, GitUnreachable
from tests.gitsource.upstream import RUN, Machine, Upstream, settings_for

ONE, TWO = ({"a.yaml": RUN.format(name)} for name in ("one", "two"))


class Followed:
    """A root whose settings name a repository, and a feed of it; every run of git is written down."""

    def __init__(self, folder: Path) -> None:
        self.upstream = Upstream.at(folder / "there")
        self.machine = Machine(folder / "here", settings_for(self.upstream))
        self.runs = self.machine.record()
        self.root = self.machine.settings.root
        self.around = Surroundings(root=self.root, environment=self.machine.environment)
        self.write()

    def write(self, **more: str | int) -> None:
        """Write the settings."""
        git = {"url": str(self.upstream.bare), "poll": "1s", **more}
        (self.root / "cdsync.yaml").write_text(f"daemon: {{git: {json.dumps(git)}}}\n", encoding="utf-8")

    @property
    def verbs(self) -> list[str]:
        """What git was told since this was asked last."""
        return [words[0] for words in self.runs()]


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    """A root that follows a repository with one commit."""
    made = Followed(tmp_path)
    made.upstream.push(ONE)
    return made


def test_changes_are_told_once_and_cost_a_look_each(followed: Followed) -> None:
    """While nothing moves, nothing is told; a push is, and so is a remote that is back."""

    async def scenario() -> None:
        feed = GitFeed(followed.around)
        first = await feed.latest()
        followed.runs()
        async with aclosing(feed.changes()) as changes:
            told = asyncio.ensure_future(anext(changes))
            await asyncio.wait({told}, timeout=2.5)
            assert not told.done()
            assert set(followed.verbs) == {"ls-remote"}
            commit = followed.upstream.push(TWO)
            assert await told is Cause.COMMIT
            second = await feed.latest()
            assert (second.revision, second.revision != first.revision) == (commit, True)
            away = followed.upstream.bare.rename(followed.upstream.bare.with_suffix(".away"))
            with pytest.raises(GitUnreachable):
                await feed.latest()
            told = asyncio.ensure_future(anext(changes))
            away.rename(followed.upstream.bare)
            assert await told is Cause.COMMIT

    asyncio.run(scenario())


def test_the_settings_of_the_machine_are_read_for_each_look(followed: Followed, tmp_path: Path) -> None:
    """Another repository, ref or interval is taken up without a restart; settings that are wrong are told as such."""
    other = Upstream.at(tmp_path / "other")
    other.push(TWO)

    async def scenario() -> None:
        feed = GitFeed(followed.around)
        await feed.latest()
        followed.write(url=str(other.bare))
        (address,) = (await feed.latest()).configuration.desired.resources
        assert address.name == "two"
        text = (followed.root / "cdsync.yaml").read_text(encoding="utf-8")
        (followed.root / "cdsync.yaml").write_text(text + "owner: somebody\n", encoding="utf-8")
        assert (await feed.latest()).configuration.settings.policy.owner == "somebody"
        (followed.root / "cdsync.yaml").write_text("owner: A\n", encoding="utf-8")
        with pytest.raises(ConfigError):
            await feed.latest()
        (followed.root / "cdsync.yaml").write_text("", encoding="utf-8")
        with pytest.raises(CdsyncError, match=r"daemon\.git is gone from the settings"):
            await feed.latest()

    asyncio.run(scenario())


def test_no_commit_can_change_what_the_machine_decides(followed: Followed) -> None:
    """Address, key, owner, limits and state of a pass are the machine's, whatever the repository's settings say."""
    theirs = "api: {base_url: https://elsewhere.example.com, key: {env: HOME}}\nowner: eve\nstate: x.db\n"
    followed.upstream.push({"cdsync.yaml": f"{theirs}policy: {{max_removals: 100%}}\nnotify: []\n"})

    async def scenario() -> None:
        settings = (await GitFeed(followed.around).latest()).configuration.settings
        assert settings.root == followed.root
        assert settings.api.base_url == "https://api.captaindata.com"
        assert (settings.policy.owner, str(settings.api.key)) == ("cdsync", "{env: CAPTAIN_DATA_API_KEY}")
        assert settings.state == followed.root / ".cdsync" / "state.db"
        followed.upstream.push({"cdsync.yaml": "polcy: {}\n"})
        with pytest.raises(ConfigError, match="unknown key 'polcy'"):
            await GitFeed(followed.around).latest()

    asyncio.run(scenario())


def test_commands_are_about_what_the_daemon_took_up(followed: Followed) -> None:
    """A root of settings alone means the last good commit; one that declares something means itself."""

    async def scenario() -> None:
        with pytest.raises(CdsyncError, match="no commit of its repository was taken up yet"):
            await declaration(followed.around)
        delivery = await GitFeed(followed.around).latest()
        followed.upstream.push(TWO)
        assert await declaration(followed.around) == (delivery.configuration, delivery.revision)
        (followed.root / "own.yaml").write_text(RUN.format("own"), encoding="utf-8")
        configuration, revision = await declaration(followed.around)
        assert ([address.name for address in configuration.desired.resources], revision) == (["own"], None)

    asyncio.run(scenario())
