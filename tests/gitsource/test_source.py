"""The declaration as a repository has it: seen, fetched, held to the rules, remembered, and mended when damaged."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from cdsync.core.gitnames import HEAD
from cdsync.errors import CommitRefused, ConfigError, GitDamaged, GitError, GitUnreachable
from tests.gitsource.upstream import RUN, Machine, Upstream, git

ONE = {"a.yaml": RUN.format("one")}
TWO = {"a.yaml": RUN.format("two")}
ROWS = "runs: {{{}: {{action: a, inputs: {{file: {}}}}}}}\n"


def verbs(runs: list[list[str]]) -> list[str]:
    """What git was told to do, run by run."""
    return [words[0] for words in runs]


def test_a_push_is_seen_and_remembered(upstream: Upstream, machine: Machine) -> None:
    """What is pushed is what is declared, by the full id of its commit; the settings are the machine's own."""
    commit = upstream.push({"cdsync.yaml": "owner: somebody\n", **ONE, "sub/rows.csv": "u\n1\n"})

    async def scenario() -> None:
        found = await machine.latest()
        assert found.commit == commit
        assert found.configuration.settings == machine.settings
        assert list(found.configuration.files) == ["a.yaml", "cdsync.yaml"]
        assert not await machine.source.moved()
        later = upstream.push({"a.yaml": None, "b/c.yml": "runs: {x: {action: a, inputs: {file: ../sub/rows.csv}}}\n"})
        assert await machine.source.moved()
        found = await machine.latest()
        assert (found.commit, await machine.good()) == (later, found)
        (resource,) = found.configuration.desired.resources.values()
        assert list(resource.work.inputs) == [{"u": "1"}]

    asyncio.run(scenario())


def test_only_a_look_is_taken_while_nothing_moves(upstream: Upstream, machine: Machine) -> None:
    """Asking again costs one ls-remote, and so does the first look after a restart but for reading what is here."""
    runs = machine.record()

    async def scenario() -> None:
        upstream.push({**ONE, "b.yaml": "runs: {r: {action: a, inputs: {file: rows.csv}}}\n", "rows.csv": "u\n1\n"})
        await machine.latest()
        first = verbs(runs())
        assert first[0] == "ls-remote"
        assert (first.count("fetch"), first.count("ls-tree"), first.count("cat-file")) == (1, 1, 3)
        await machine.latest()
        await machine.source.moved()
        await machine.latest()
        assert verbs(runs()) == ["ls-remote"] * 3
        machine.restart()
        await machine.latest()
        assert "fetch" not in verbs(runs())

    asyncio.run(scenario())


def test_a_bad_commit_is_read_once_and_the_good_one_stays(upstream: Upstream, machine: Machine) -> None:
    """What is wrong with a commit is told each time, without reading it again; a further commit mends it."""
    runs = machine.record()

    async def scenario() -> None:
        good = upstream.push(ONE)
        await machine.latest()
        upstream.push({"a.yaml": "runs: 3\n"})
        for _ in range(2):
            runs()
            with pytest.raises(ConfigError) as caught:
                await machine.latest()
            assert str(caught.value) == "a.yaml:1:7: runs is a number; expected an object of runs by name"
        assert verbs(runs()) == ["ls-remote"]
        machine.restart()
        kept = await machine.good()
        assert kept is not None
        assert kept.commit == good
        upstream.push(TWO)
        assert await machine.names() == ["two"]

    asyncio.run(scenario())


def test_the_last_good_commit_survives_a_remote_that_is_gone(upstream: Upstream, machine: Machine) -> None:
    """After a restart without the remote, what was good is still there; without any, that is said."""

    async def scenario() -> None:
        assert await machine.good() is None
        commit = upstream.push(ONE)
        await machine.latest()
        upstream.bare.rename(upstream.bare.with_suffix(".away"))
        machine.restart()
        with pytest.raises(GitUnreachable) as caught:
            await machine.latest()
        assert "git could not look at the remote" in str(caught.value)
        assert caught.value.remedy == "see whether daemon.git.url is right"
        kept = await machine.good()
        assert kept is not None
        assert kept.commit == commit

    asyncio.run(scenario())


def test_a_rewritten_history_is_not_followed(upstream: Upstream, machine: Machine) -> None:
    """A commit that does not descend from the last good one is refused, also after a restart, until it is allowed."""

    async def scenario() -> None:
        first = upstream.push(ONE)
        good = upstream.push(TWO)
        await machine.latest()
        git(upstream.work, "reset", "-q", "--hard", first)
        upstream.send()
        for _ in range(2):
            with pytest.raises(CommitRefused) as caught:
                await machine.latest()
            assert str(caught.value) == (
                f"commit {first[:12]} is no descendant of {good[:12]}, the last good one: its history was rewritten"
            )
            machine.restart()
        other = upstream.push({"a.yaml": RUN.format("other")})
        with pytest.raises(CommitRefused):
            await machine.latest()
        machine.git = replace(machine.git, allow_rewind=True)
        machine.restart()
        assert (await machine.latest()).commit == other

    asyncio.run(scenario())


def test_many_commits_and_merges_are_no_rewrite(upstream: Upstream, machine: Machine) -> None:
    """However the new commit descends from the good one, along a branch that began before it too, it is followed."""

    async def scenario() -> None:
        old = upstream.push({"old.yaml": RUN.format("old")})
        upstream.push(ONE)
        await machine.latest()
        git(upstream.work, "checkout", "-q", "-b", "side", old)
        upstream.commit({"side.yaml": RUN.format("side")})
        git(upstream.work, "checkout", "-q", "main")
        for number in range(3):
            upstream.commit({f"n{number}.yaml": RUN.format(f"n{number}")})
        git(upstream.work, "merge", "-q", "-m", "merge", "side")
        upstream.send()
        assert await machine.names() == ["n0", "n1", "n2", "old", "one", "side"]

    asyncio.run(scenario())


def test_what_is_followed_may_be_a_tag_or_a_commit(upstream: Upstream, machine: Machine) -> None:
    """A tag leads to its commit, annotated or not, and a commit is fetched by its id; nothing is asked for it again."""
    commit = upstream.push(ONE)
    upstream.push(TWO)
    for name, options in (("light", ()), ("heavy", ("-a", "-m", "x")), ("nested", ("-a", "-m", "x"))):
        git(upstream.work, "tag", *options, name, "heavy" if name == "nested" else commit)
    git(upstream.work, "push", "-q", "--tags", "origin")

    async def scenario() -> None:
        for ref in ("light", "refs/tags/heavy", "nested", commit, "refs/heads/main~1"[:15]):
            machine.git = replace(machine.git, ref=ref)
            machine.restart()
            found = await machine.latest()
            assert (found.commit == commit) == (ref != "refs/heads/main")
        machine.git = replace(machine.git, ref=commit)
        machine.restart()
        runs = machine.record()
        assert (await machine.latest()).commit == commit
        await machine.latest()
        assert set(verbs(runs())) & {"ls-remote", "fetch"} == set()

    asyncio.run(scenario())


def test_a_ref_that_is_not_there_is_told(upstream: Upstream, machine: Machine) -> None:
    """An empty repository, a branch that was deleted, and a name of two things are each named."""

    async def told(ref: str = HEAD) -> str:
        machine.git = replace(machine.git, ref=ref)
        machine.restart()
        with pytest.raises(GitError) as caught:
            await machine.latest()
        return str(caught.value)

    async def scenario() -> None:
        assert await told() == "the repository is empty, or the branch that it shows first does not exist"
        commit = upstream.push(ONE)
        upstream.push(TWO, to="v1")
        assert await told(ref="gone") == "the repository has no branch or tag 'gone'"
        git(upstream.work, "tag", "v1", commit)
        git(upstream.work, "push", "-q", "--tags", "origin")
        assert await told(ref="v1") == "'v1' is a branch and a tag"
        assert "git could not fetch" in await told(ref="0" * 40)
        git(upstream.bare, "update-ref", "-d", "refs/heads/main")
        assert await told(ref="main") == "the repository has no branch or tag 'main'"

    asyncio.run(scenario())


def test_a_name_of_a_ref_is_not_matched_like_a_pattern(upstream: Upstream, machine: Machine) -> None:
    """A branch whose name ends like the one that is followed does not stand in for it."""
    upstream.push(ONE, to="refs/heads/main")
    machine.git = replace(machine.git, ref="main")
    machine.restart()
    with pytest.raises(GitError, match="no branch or tag 'main'"):
        asyncio.run(machine.latest())


def test_the_declaration_may_stand_in_a_folder(upstream: Upstream, machine: Machine) -> None:
    """Only what is below the path counts; a path that is not there, or without YAML, is never an empty declaration."""
    upstream.push({"conf/eu/a.yaml": RUN.format("eu"), "conf/us/a.yaml": "[", "docs/x.txt": "", "file": ""})

    async def scenario() -> None:
        machine.git = replace(machine.git, path="./conf//eu/")
        machine.restart()
        assert await machine.names() == ["eu"]
        for path, fault in (("conf/e", "no folder 'conf/e'"), ("file", "no folder 'file'"), ("docs", "no YAML file")):
            machine.git = replace(machine.git, path=path)
            machine.restart()
            with pytest.raises(GitError, match=fault):
                await machine.latest()

    asyncio.run(scenario())


def test_links_and_submodules_of_a_commit_cannot_reach_the_machine(upstream: Upstream, machine: Machine) -> None:
    """A link is followed within the tree and nowhere else; a submodule is not passed over."""
    outside = machine.folder / "outside.yaml"
    outside.write_text(RUN.format("outside"), encoding="utf-8")
    upstream.write({".hidden.yaml": RUN.format("linked")})
    (upstream.work / "in.yaml").symlink_to(".hidden.yaml")

    async def scenario() -> None:
        upstream.push()
        assert await machine.names() == ["linked"]
        (upstream.work / "out.yaml").symlink_to(outside)
        (upstream.work / "up.yaml").symlink_to("../" * 20 + str(outside))
        (upstream.work / "long.yaml").symlink_to("x" * 4000)
        commit = git(upstream.work, "rev-parse", "HEAD")
        git(upstream.work, "update-index", "--add", "--cacheinfo", f"160000,{commit},more")
        git(upstream.work, "add", "out.yaml", "up.yaml", "long.yaml")
        git(upstream.work, "commit", "-q", "-m", "links")
        upstream.send()
        with pytest.raises(ConfigError) as caught:
            await machine.latest()
        assert [str(problem) for problem in caught.value.problems] == [
            "long.yaml:1:1: the file cannot be read: No such file or directory",
            "more:1:1: a submodule, whose files are in another repository; expected the files themselves",
            "out.yaml:1:1: a link that leads outside the config root; expected a file below it",
            "up.yaml:1:1: a link that leads outside the config root; expected a file below it",
        ]

    asyncio.run(scenario())


def test_a_blob_that_is_too_large_is_refused_unread(upstream: Upstream, machine: Machine) -> None:
    """Its size is known before anything of it is read; what nobody declares may be as large as it likes."""
    large = b"#" * (20 * 1024 * 1024)
    upstream.push({"large.yaml": large, "rows.yaml": ROWS.format("x", "large.yaml")})
    runs = machine.record()
    with pytest.raises(ConfigError) as caught:
        asyncio.run(machine.latest())
    assert [str(problem) for problem in caught.value.problems] == [
        "large.yaml:1:1: the file is larger than 10 MiB; split it",
        "large.yaml:1:1: run/x: the file is larger than 10 MiB; split it",
    ]
    assert [words for words in runs() if words[0] == "cat-file" and words[1] == "--batch"] == [["cat-file", "--batch"]]


def test_odd_names_and_file_modes_are_read(upstream: Upstream, machine: Machine) -> None:
    """A file may be executable, and its name any bytes; nothing of it is taken for the end of a line."""
    name = os.fsdecode(b"\xff \n\t.yaml")
    upstream.write({name: RUN.format("odd"), "x.yaml": RUN.format("x")})
    (upstream.work / "x.yaml").chmod(0o755)
    upstream.push()
    assert asyncio.run(machine.names()) == ["odd", "x"]


def test_what_is_wrong_in_a_folder_is_told_from_the_top(upstream: Upstream, machine: Machine) -> None:
    """Whoever has the repository open finds the file; and the error knows which commit it is about."""
    machine.git = replace(machine.git, path="infra/eu/")
    machine.restart()
    commit = upstream.push({"infra/eu/team/a.yaml": "runs: 5\n", "a.yaml": "nothing of ours"})
    with pytest.raises(ConfigError) as caught:
        asyncio.run(machine.latest())

    assert str(caught.value) == "infra/eu/team/a.yaml:1:7: runs is a number; expected an object of runs by name"
    assert caught.value.commit == commit


def test_a_sha256_repository_is_read(tmp_path: Path, upstream: Upstream, machine: Machine) -> None:
    """The copy is of the same kind as the repository; a repository that changes its kind is fetched anew."""
    upstream.push(ONE)
    asyncio.run(machine.latest())
    other = tmp_path / "sha256"
    git(tmp_path, "init", "-q", "--object-format=sha256", "-b", "main", str(other))
    (other / "a.yaml").write_text(RUN.format("long"), encoding="utf-8")
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", "x")
    machine.git = replace(machine.git, url=f"file://{other}")
    machine.restart()
    found = asyncio.run(machine.latest())
    assert len(found.commit) == 64
    assert asyncio.run(machine.names()) == ["long"]


LOCKS = ("refs/cdsync/incoming.lock", "shallow.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "index.lock")


def test_locks_that_somebody_left_do_not_wedge_it(upstream: Upstream, machine: Machine) -> None:
    """A git that was killed leaves its locks; the copy is then fetched anew, and the last good commit not forgotten."""

    async def scenario() -> None:
        first = upstream.push(ONE)
        await machine.latest()
        locks = [*LOCKS, *(f"{path.relative_to(machine.copy)}.lock" for path in good_refs(machine))]
        for lock in locks:
            (machine.copy / lock).touch()
        git(upstream.work, "commit", "-q", "--amend", "-m", "another history")
        upstream.send()
        with pytest.raises(CommitRefused):
            await machine.latest()
        git(upstream.work, "reset", "-q", "--hard", first)
        commit = upstream.push(TWO)
        found = await machine.latest()
        assert found.commit == commit
        assert await machine.good() == found
        assert not any((machine.copy / lock).exists() for lock in locks)

    asyncio.run(scenario())


def good_refs(machine: Machine) -> list[Path]:
    """The files in which last good commits are remembered."""
    return [path for path in (machine.copy / "refs/cdsync/good").iterdir() if path.suffix != ".lock"]


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "loose"])
@pytest.mark.parametrize("damage", ["truncated", "emptied", "removed", "garbled"])
def test_damaged_objects_are_fetched_anew(upstream: Upstream, machine: Machine, *, packed: bool, damage: str) -> None:
    """Whatever became of the objects of the copy, the next commit is read, and the history held to the old one."""

    async def scenario() -> None:
        upstream.push(ONE)
        await machine.latest()
        if packed:
            git(machine.copy, "repack", "-q", "-a", "-d")
        spoil(machine.copy, damage)
        commit = upstream.push(TWO)
        assert (await machine.latest()).commit == commit
        kept = await machine.good()
        assert kept is not None
        assert kept.commit == commit
        machine.restart()
        assert await machine.names() == ["two"]

    asyncio.run(scenario())


def spoil(copy: Path, damage: str) -> None:
    """Do something to every file of objects."""
    for path in [path for path in (copy / "objects").rglob("*") if path.is_file()]:
        content = path.read_bytes()
        path.chmod(0o644)
        match damage:
            case "truncated":
                path.write_bytes(content[: len(content) // 2])
            case "emptied":
                path.write_bytes(b"")
            case "removed":
                path.unlink()
            case "garbled":
                path.write_bytes(bytes(byte ^ 0xFF for byte in content))


@pytest.mark.parametrize("name", ["HEAD", "objects", "config", "refs", "."])
def test_a_copy_that_is_none_any_more_is_made_anew(upstream: Upstream, machine: Machine, name: str) -> None:
    """A copy that lost a part of itself, or is full of rubbish, does not keep the next commit from being read."""

    async def scenario() -> None:
        upstream.push(ONE)
        await machine.latest()
        lost = machine.copy / name
        if lost.is_dir():
            lost.rename(machine.folder / "lost")
        else:
            lost.write_bytes(b"\0rubbish")
        upstream.push(TWO)
        assert await machine.names() == ["two"]
        machine.restart()
        assert await machine.names() == ["two"]

    asyncio.run(scenario())


def test_a_damaged_copy_without_its_remote_is_told_and_kept(upstream: Upstream, machine: Machine) -> None:
    """A copy is not thrown away before there is another one in its place."""

    async def scenario() -> None:
        first = upstream.push(ONE)
        await machine.latest()
        away = upstream.bare.rename(upstream.bare.with_suffix(".away"))
        spoil(machine.copy, "truncated")
        machine.restart()
        with pytest.raises(GitDamaged):
            await machine.good()
        with pytest.raises(GitUnreachable):
            await machine.latest()
        assert [path.read_text().strip() for path in good_refs(machine)] == [first]
        away.rename(upstream.bare)
        assert (await machine.latest()).commit == first

    asyncio.run(scenario())


def test_a_copy_that_was_being_replaced_is_found_again(upstream: Upstream, machine: Machine) -> None:
    """Power that fails between two renames costs nothing: the former copy is taken up with what it remembers."""

    async def scenario() -> None:
        good = upstream.push(ONE)
        await machine.latest()
        machine.copy.rename(machine.copy.with_name("repository.old"))
        git(upstream.work, "commit", "-q", "--amend", "-m", "another history")
        upstream.send()
        machine.restart()
        with pytest.raises(CommitRefused, match=good[:12]):
            await machine.latest()

    asyncio.run(scenario())


def test_a_disk_that_refuses_is_told(upstream: Upstream, machine: Machine) -> None:
    """What cannot be written ends in a message with a way out, not in a traceback."""
    upstream.push(ONE)
    machine.copy.parent.parent.mkdir(parents=True)
    machine.copy.parent.write_bytes(b"")
    with pytest.raises(GitError, match=r"/git: the copy of the repository cannot be kept: File exists"):
        asyncio.run(machine.latest())
    assert asyncio.run(machine.source.moved())


def test_another_repository_begins_a_memory_of_its_own(tmp_path: Path, upstream: Upstream, machine: Machine) -> None:
    """Whoever changes URL or ref on the machine means it: what was good elsewhere is no history of the new one."""
    upstream.push(ONE)
    other = Upstream.at(tmp_path / "other")
    other.push(TWO)

    async def scenario() -> None:
        await machine.latest()
        machine.git = replace(machine.git, url=f"file://{other.bare}")
        machine.restart()
        assert await machine.good() is None
        assert await machine.names() == ["two"]

    asyncio.run(scenario())
