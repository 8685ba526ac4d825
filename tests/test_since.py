"""What changed in a config root since a commit, in real git work trees."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdsync.config import load
from cdsync.core.origin import Since
from cdsync.errors import CdsyncError
from cdsync.since import since
from tests.cli.process import schedules_yaml

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Repository:
    """A git work tree with a config root in a folder of it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.root = top / "accounts" / "main"
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("cdsync.yaml", "")

    def git(self, *arguments: str) -> str:
        """Run git, as somebody."""
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(self.top), *who, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()

    def write(self, name: str, text: str) -> None:
        """Write a file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self) -> str:
        """Commit all; gives the id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def since(self, ref: str) -> Since:
        """What changed since a commit."""
        return since(ref, load(self.root, now=NOW))

    def changed(self, ref: str = "main") -> set[str]:
        """The addresses that changed since a commit."""
        return {str(address) for address in self.since(ref).addresses}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two files with two schedules each and a run with a file of inputs, committed, and a branch to work on."""
    made = Repository(tmp_path)
    (tmp_path / "outside.yaml").write_text("no: root\n", encoding="utf-8")
    made.write("a.yaml", schedules_yaml(a1="0 9 * * 1", a2="0 9 * * 2"))
    made.write("team/b.yaml", schedules_yaml(b1="0 9 * * 3", b2="0 9 * * 4"))
    made.write(
        "runs.yaml", "runs:\n  r1: {action: x, inputs: {file: leads/r1.csv}}\n  r2: {action: x, inputs: [{a: 1}]}\n"
    )
    made.write("leads/r1.csv", "url\nhttps://example.com/1\n")
    made.commit()
    made.git("checkout", "--quiet", "-b", "work")
    return made


def test_nothing_changed_is_nothing(repository: Repository) -> None:
    """Changes outside of the root are none of its own."""
    (repository.top / "outside.yaml").write_text("other: text\n", encoding="utf-8")
    found = repository.since("main")
    assert (found.files, found.addresses) == ((), frozenset())


@pytest.mark.parametrize("committed", [True, False])
def test_a_changed_file_counts_for_all_that_it_declares(repository: Repository, committed: bool) -> None:
    """Committed or not, a file that differs stands for its resources and no others."""
    repository.write("team/b.yaml", schedules_yaml(b1="5 9 * * 3", b2="0 9 * * 4"))
    if committed:
        repository.commit()
    found = repository.since("main")
    assert found.files == ("team/b.yaml",)
    assert {str(address) for address in found.addresses} == {"schedule/b1", "schedule/b2"}


def test_a_new_file_counts_before_git_knows_it(repository: Repository) -> None:
    """An untracked file is a change like any other; what git ignores is not."""
    repository.write("new.yaml", schedules_yaml(n1="0 9 * * 5"))
    repository.write(".gitignore", "ignored.yaml\n")
    repository.write("ignored.yaml", schedules_yaml(i1="0 9 * * 6"))
    assert repository.changed() == {"schedule/n1"}


def test_a_file_of_inputs_counts_for_the_resource_that_reads_it(repository: Repository) -> None:
    """Other inputs are another declaration."""
    repository.write("leads/r1.csv", "url\nhttps://example.com/2\n")
    found = repository.since("main")
    assert found.files == ("leads/r1.csv",)
    assert {str(address) for address in found.addresses} == {"run/r1"}


def test_what_is_no_longer_declared_comes_from_the_change_too(repository: Repository) -> None:
    """A removal has no place in a file any more, but the file that had it has changed, or is gone."""
    repository.write("a.yaml", schedules_yaml(a1="0 9 * * 1"))
    (repository.root / "team" / "b.yaml").unlink()
    found = repository.since("main")
    assert found.files == ("a.yaml", "team/b.yaml")
    assert {str(address) for address in found.addresses} == {f"schedule/{name}" for name in ("a1", "a2", "b1", "b2")}


def test_what_moved_to_an_unchanged_name_is_not_a_removal(repository: Repository) -> None:
    """A schedule that another file declares now belongs to the change by that file."""
    repository.write("a.yaml", schedules_yaml(a1="0 9 * * 1"))
    repository.write("c.yaml", schedules_yaml(a2="0 9 * * 2"))
    assert repository.changed() == {"schedule/a1", "schedule/a2"}


def test_changes_of_the_other_branch_are_not_ours(repository: Repository) -> None:
    """Compared is where the histories part, not where the other branch has gone since."""
    repository.git("checkout", "--quiet", "main")
    repository.write("a.yaml", schedules_yaml(a1="30 9 * * 1", a2="0 9 * * 2"))
    repository.commit()
    repository.git("checkout", "--quiet", "work")
    repository.write("team/b.yaml", schedules_yaml(b1="5 9 * * 3", b2="0 9 * * 4"))
    repository.commit()
    assert repository.changed() == {"schedule/b1", "schedule/b2"}


def test_a_file_behind_a_link_counts(repository: Repository) -> None:
    """A change of what a link leads to is a change of what is declared through it."""
    repository.write("shared/real.txt", schedules_yaml(s1="0 9 * * 5"))
    (repository.root / "linked.yaml").symlink_to("shared/real.txt")
    repository.commit()
    repository.git("branch", "--force", "main", "work")
    repository.write("shared/real.txt", schedules_yaml(s1="0 8 * * 5"))
    assert repository.changed() == {"schedule/s1"}


def test_a_broken_file_then_does_not_keep_from_comparing_now(repository: Repository) -> None:
    """What was declared then is read as far as it can be."""
    repository.write("a.yaml", "schedules: [not, a, mapping\n")
    broken = repository.commit()
    repository.write("a.yaml", schedules_yaml(a1="0 9 * * 1"))
    assert repository.changed(broken) == {"schedule/a1"}


@pytest.mark.parametrize("ref", ["nowhere", "--output=owned", "-p", "", "main..work", "main\0x"])
def test_what_names_no_commit_is_a_clear_error(repository: Repository, ref: str) -> None:
    """A misspelt ref is told, and an option never reaches git as one."""
    with pytest.raises(CdsyncError) as caught:
        repository.since(ref)
    assert str(caught.value) == f"--since {ref!r} names no commit"
    assert sorted(path.name for path in repository.top.iterdir()) == [".git", "accounts", "outside.yaml"]


def test_a_folder_outside_of_git_says_so(tmp_path: Path) -> None:
    """There is nothing to compare with."""
    (tmp_path / "cdsync.yaml").write_text("", encoding="utf-8")
    with pytest.raises(CdsyncError, match="is in no git work tree"):
        since("main", load(tmp_path, now=NOW))


def test_a_history_that_is_not_there_says_how_to_get_it(repository: Repository) -> None:
    """A shallow clone, or a branch of other beginnings, cannot be compared."""
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.write("a.yaml", schedules_yaml(a1="0 9 * * 1"))
    repository.commit()
    with pytest.raises(CdsyncError, match="has no history in common") as caught:
        repository.since("main")
    assert caught.value.remedy == "fetch more of it: git fetch --unshallow (in CI: fetch-depth: 0)"
