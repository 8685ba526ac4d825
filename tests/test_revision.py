"""The commit of a declaration: found from wherever it is in a work tree, and none outside of one."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cdsync.revision import revision_of


def git(root: Path, *arguments: str) -> str:
    """Run git as somebody."""
    somebody = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    command = ["git", "-C", str(root), *somebody, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def work_tree(folder: Path) -> str:
    """Commit a config root in a folder of a new repository; gives its commit."""
    (folder / "leads").mkdir(parents=True)
    (folder / "leads" / "cdsync.yaml").write_text("", encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return git(folder, "rev-parse", "HEAD")


def test_the_commit_of_a_work_tree_is_told_from_anywhere_in_it(tmp_path: Path) -> None:
    """The config root may be any folder of the work tree, also by way of a link."""
    commit = work_tree(tmp_path / "repository")
    (tmp_path / "link").symlink_to(tmp_path / "repository" / "leads")

    assert revision_of(tmp_path / "repository") == commit
    assert revision_of(tmp_path / "repository" / "leads") == commit
    assert revision_of(tmp_path / "link") == commit


def test_what_is_not_committed_is_told(tmp_path: Path) -> None:
    """History never claims a commit for what was only edited; edits elsewhere do not matter."""
    commit = work_tree(tmp_path)
    (tmp_path / "notes").write_text("", encoding="utf-8")

    assert revision_of(tmp_path / "leads") == commit
    (tmp_path / "leads" / "cdsync.yaml").write_text("owner: us", encoding="utf-8")
    assert revision_of(tmp_path / "leads") == f"{commit}-dirty"


def test_outside_of_a_work_tree_there_is_no_commit(tmp_path: Path) -> None:
    """Neither a folder without git has one, nor one that only looks as if."""
    assert revision_of(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert revision_of(tmp_path) is None
