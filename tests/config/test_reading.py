"""Which files belong to a config root."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from cdsync.config import Configuration, load
from cdsync.errors import ConfigError

Files = Mapping[str, str | bytes]
Loaded = Callable[[Files], Configuration]
Refused = Callable[[Files], list[str]]
RootOf = Callable[[Files], Path]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"a.yaml": b"runs:\n  # caf\xe9\n"},
            ["a.yaml:2:8: byte 0xe9 is not UTF-8; save the file as UTF-8"],
            id="bytes_that_are_not_utf8",
        ),
        pytest.param(
            {"a.yaml": b"#" * (10 * 1024 * 1024 + 1)},
            ["a.yaml:1:1: the file is larger than 10 MiB; split it"],
            id="a_file_over_10_mib",
        ),
        pytest.param(
            {"sub/cdsync.yaml": "", "cdsync.yml": ""},
            [
                (
                    "cdsync.yml:1:1: a second settings file; expected only cdsync.yaml at the top, and every "
                    "root in its own folder"
                ),
                (
                    "sub/cdsync.yaml:1:1: a second settings file; expected only cdsync.yaml at the top, and "
                    "every root in its own folder"
                ),
            ],
            id="a_second_settings_file",
        ),
        pytest.param(
            {"cdsync.yaml/x.txt": ""}, ["cdsync.yaml:1:1: not a regular file"], id="a_settings_file_that_is_a_folder"
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    refused: Refused, files: Mapping[str, str | bytes], expected: list[str]
) -> None:
    """A file that cannot be part of the configuration is named, never left out in silence."""
    assert refused(files) == expected


def run(name: str) -> str:
    return f"runs:\n  {name}: {{action: a, inputs: [{{}}]}}\n"


def names(configuration: Configuration) -> list[str]:
    return [address.name for address in configuration.desired.resources]


def test_files_of_any_depth_and_both_endings_are_read(loaded: Loaded) -> None:
    """Every YAML file below the root is read once, hidden ones and other files are not."""
    files = {
        "a.yaml": run("a"),
        "b/c/d/b.yml": run("b"),
        "C.YAML": run("c"),
        ".hidden.yaml": run("hidden"),
        ".git/d.yaml": run("git"),
        "notes.txt": "no: [yaml",
    }
    configuration = loaded(files)
    assert names(configuration) == ["a", "b", "c"]
    read = ("C.YAML", "a.yaml", "b/c/d/b.yml")
    assert configuration.files == {
        **{file: hashlib.sha256(str(files[file]).encode()).hexdigest() for file in read},
        "cdsync.yaml": hashlib.sha256(b"").hexdigest(),
    }


def test_a_byte_order_mark_and_windows_lines_do_no_harm(loaded: Loaded) -> None:
    """Files from editors on Windows are read as they are meant."""
    text = "\ufeff" + run("a").replace("\n", "\r\n")
    assert names(loaded({"a.yaml": text})) == ["a"]


def test_links_within_the_root_are_followed_once(root_of: RootOf, frozen_now: datetime) -> None:
    """A mounted volume whose files are links into a hidden folder is read; a folder seen twice is not read twice."""
    root = root_of({"..data/a.yaml": run("a"), "real/b.yaml": run("b")})
    (root / "a.yaml").symlink_to("..data/a.yaml")
    (root / "again").symlink_to("real")
    (root / "loop").symlink_to(".")
    assert names(load(root, now=frozen_now)) == ["a", "b"]


def test_a_linked_folder_that_is_seen_nowhere_else_is_read(root_of: RootOf, frozen_now: datetime) -> None:
    """A checkout in a hidden folder with a visible link to it belongs to the root."""
    root = root_of({".worktrees/one/a.yaml": run("a")})
    (root / "current").symlink_to(".worktrees/one")
    configuration = load(root, now=frozen_now)
    assert [str(resource.location) for resource in configuration.desired.resources.values()] == ["current/a.yaml:2:3"]


def test_links_that_leave_the_root_are_refused(root_of: RootOf, tmp_path: Path, frozen_now: datetime) -> None:
    """Nothing outside of the root is read, and no link is passed over in silence."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text(run("a"))
    (outside / "a.csv").write_text("url\nx\n")
    root = root_of({"i.yaml": "runs:\n  x: {action: a, inputs: {file: rows.csv}}\n"})
    (root / "a.yaml").symlink_to(outside / "a.yaml")
    (root / "folder").symlink_to(outside)
    (root / "gone.yaml").symlink_to("nowhere")
    (root / "self.yaml").symlink_to("self.yaml")
    (root / "rows.csv").symlink_to(outside / "a.csv")
    with pytest.raises(ConfigError) as caught:
        load(root, now=frozen_now)
    assert [str(problem) for problem in caught.value.problems] == [
        "a.yaml:1:1: a link that leads outside the config root; expected a file below it",
        "folder:1:1: a link that leads outside the config root; expected a folder below it",
        "gone.yaml:1:1: the file cannot be read: No such file or directory",
        "i.yaml:2:33: run/x: inputs.file: 'rows.csv' leads outside the config root; expected a file below it",
        "self.yaml:1:1: the file cannot be read: Too many levels of symbolic links",
    ]


def test_a_file_whose_name_cannot_be_printed_is_named_on_one_line(root_of: RootOf, frozen_now: datetime) -> None:
    """A name of odd bytes is escaped in messages; the file is read like any other."""
    root = root_of({"a\nb.yaml": "runs: 3\n"})
    (root / os.fsdecode(b"\xff.yaml")).write_text("runs: 3\n")
    with pytest.raises(ConfigError) as caught:
        load(root, now=frozen_now)
    assert [str(problem) for problem in caught.value.problems] == [
        "\\udcff.yaml:1:7: runs is a number; expected an object of runs by name",
        "a\\nb.yaml:1:7: runs is a number; expected an object of runs by name",
    ]


def test_two_files_that_are_shown_by_one_name_are_refused(root_of: RootOf, frozen_now: datetime) -> None:
    """Neither may stand for the other: one of both declarations would be lost."""
    names_of_both = ("in\xa0.yaml", "in\\xa0.yaml")
    root = root_of(
        {
            name: f"schedules: {{s{n}: {{action: a, cron: 0 9 * * 1, inputs: [{{}}]}}}}\n"
            for n, name in enumerate(names_of_both)
        }
    )
    with pytest.raises(ConfigError) as caught:
        load(root, now=frozen_now)

    assert [str(problem) for problem in caught.value.problems] == [
        "in\\xa0.yaml:1:1: two files are shown by this name; rename one of them"
    ]


def test_a_folder_that_may_not_be_read_is_told(root_of: RootOf, frozen_now: datetime) -> None:
    """A folder without permission is an error, not an absence of files."""
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    root = root_of({"closed/a.yaml": run("a")})
    (root / "closed").chmod(0)
    with pytest.raises(ConfigError) as caught:
        load(root, now=frozen_now)
    (root / "closed").chmod(0o700)
    assert str(caught.value) == "closed:1:1: the folder cannot be read: Permission denied"


def test_a_fifo_is_not_waited_for(root_of: RootOf, frozen_now: datetime) -> None:
    """Something that is no file ends in a message, not in a process that hangs."""
    root = root_of({})
    os.mkfifo(root / "a.yaml")
    with pytest.raises(ConfigError) as caught:
        load(root, now=frozen_now)
    assert str(caught.value) == "a.yaml:1:1: not a regular file"
