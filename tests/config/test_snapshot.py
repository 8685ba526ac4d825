"""A config root in memory is read as a folder with the same files is."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdsync.config import Configuration, load, load_from, read_root
from cdsync.config.reading import MOST_BYTES
from cdsync.config.snapshot import Item, SnapshotFiles
from cdsync.errors import ConfigError
from cdsync.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN = "runs:\n  {}: {{action: a, inputs: [{{}}]}}\n"
ROWS = "runs:\n  {}: {{action: a, inputs: {{file: {}}}}}\n"

Files = Mapping[str, str | bytes]
RootOf = Callable[[Files], Path]


def settings_of(root: Path) -> Settings:
    """The settings of a machine."""
    return Settings(root=root, state=root / "state.db", results=root / "results")


def loaded_from(
    items: Mapping[str, Item], contents: Mapping[str, bytes], *, root: Path = Path("/srv"), above: tuple[str, ...] = ()
) -> Configuration:
    """Load a root in memory the way a source does: names first, then each content that is needed, and no other."""
    files = SnapshotFiles(items, above=above)
    files.add({path: contents[path] for path in files.sources([*files.yaml_files()[0], "cdsync.yaml"])})
    reading = read_root(files)
    files.add({path: contents[path] for path in files.sources(reading.named)})
    return load_from(reading, settings=settings_of(root), now=NOW)


def in_memory(root: Path) -> Configuration:
    """A folder as a root in memory."""
    items, contents = {}, {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            inner = str(path.relative_to(root))
            if path.is_symlink():
                items[inner] = Item(kind="link", target=str(path.readlink()))
            elif path.is_file():
                contents[inner] = path.read_bytes()
                items[inner] = Item(size=len(contents[inner]))
    return loaded_from(items, contents, root=root)


def told(load_it: Callable[[], Configuration]) -> object:
    """What a load comes to: what is declared, or every problem."""
    try:
        configuration = load_it()
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return configuration.desired, configuration.files, configuration.warnings


def same(root: Path) -> object:
    """What a folder declares, once it is certain that it declares the same in memory."""
    on_disk = told(lambda: load(root, now=NOW))
    assert told(lambda: in_memory(root)) == on_disk
    return on_disk


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"a.yaml": RUN.format("a"), "b/c/d.yml": RUN.format("d"), ".h/x.yaml": "["}, id="any_depth"),
        pytest.param({"cdsync.yaml": "polcy: {}\n", "a.yaml": "runs: 3\n"}, id="faults_in_two_files"),
        pytest.param({"cdsync.yaml": "state: ../x\n"}, id="a_state_outside"),
        pytest.param({"cdsync.yaml": "state: b\n", "b/c.yaml": ""}, id="a_state_that_is_a_folder"),
        pytest.param({"cdsync.yml": "", "cdsync.yaml": "", "b/cdsync.yaml": ""}, id="two_settings_files"),
        pytest.param({"cdsync.yaml/x.txt": ""}, id="settings_that_are_a_folder"),
        pytest.param({"a.yaml": ROWS.format("r", ".r.csv"), ".r.csv": "u\n1\n"}, id="inputs_in_a_hidden_file"),
        pytest.param({"b/a.yaml": ROWS.format("r", "../c/r.json"), "c/r.json": "[{}]"}, id="inputs_beside"),
        pytest.param({"a.yaml": ROWS.format("r", "rows.yml"), "rows.yml": "- {u: 1}\n"}, id="inputs_in_yaml"),
        pytest.param({"a.yaml": ROWS.format("r", "gone.csv")}, id="inputs_that_are_missing"),
        pytest.param({"a.yaml": ROWS.format("r", "../r.csv")}, id="inputs_outside"),
        pytest.param({"a.yaml": ROWS.format("r", "..")}, id="inputs_that_are_the_folder_above"),
        pytest.param({"a.yaml": ROWS.format("r", "d.csv"), "d.csv/x": ""}, id="inputs_that_are_a_folder"),
        pytest.param({"a.yaml": ROWS.format("r", "a.yaml/x.csv")}, id="inputs_below_a_file"),
        pytest.param({"a.yaml": "#" * (MOST_BYTES + 1)}, id="a_file_too_large"),
        pytest.param({"a.yaml": b"\xff"}, id="bytes_that_are_no_text"),
        pytest.param({"a\nb.yaml": "runs: 3\n", os.fsdecode(b"\xff.yaml"): "runs: 3\n"}, id="odd_names"),
    ],
)
def test_files_mean_the_same_in_a_folder_and_in_memory(root_of: RootOf, files: Files) -> None:
    """Where the files of a root are kept makes no difference to what they declare, or to what is wrong with them."""
    same(root_of(files))


def test_links_mean_the_same_in_a_folder_and_in_memory(root_of: RootOf) -> None:
    """Links within the root are followed once, into hidden folders and back up as well; broken ones are told."""
    root = root_of({"..data/a.yaml": RUN.format("a"), "real/b.yaml": RUN.format("b"), ".work/c.yaml": RUN.format("c")})
    (root / "a.yaml").symlink_to("..data/a.yaml")
    (root / "again").symlink_to("real")
    (root / "loop").symlink_to(".")
    (root / "current").symlink_to(".work/../.work/.")
    (root / "real/up").symlink_to("../.work")
    (root / "i.yaml").write_text(ROWS.format("r", "rows.csv"))
    (root / ".rows").write_text("u\n1\n")
    (root / "rows.csv").symlink_to("..data/../.rows")
    assert len(same(root)[0].resources) == 4  # type: ignore[index]
    (root / "gone.yaml").symlink_to("nowhere/x")
    (root / "self.yaml").symlink_to("self.yaml")
    (root / "through.yaml").symlink_to("i.yaml/x")
    (root / "beyond.yaml").symlink_to("nowhere/../i.yaml")
    (root / "notes").symlink_to("nowhere")
    assert same(root) == [
        "beyond.yaml:1:1: the file cannot be read: No such file or directory",
        "gone.yaml:1:1: the file cannot be read: No such file or directory",
        "self.yaml:1:1: the file cannot be read: Too many levels of symbolic links",
        "through.yaml:1:1: the file cannot be read: Not a directory",
    ]


def test_links_that_leave_the_root_are_refused_in_memory_as_well(root_of: RootOf, tmp_path: Path) -> None:
    """A link of a tree cannot reach the disk of the machine that reads it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text(RUN.format("a"))
    (outside / "a.csv").write_text("url\nx\n")
    root = root_of({"i.yaml": ROWS.format("r", "rows.csv")})
    (root / "a.yaml").symlink_to(outside / "a.yaml")
    (root / "b.yaml").symlink_to("../outside/a.yaml")
    assert len(same(root)) == 3  # type: ignore[arg-type]
    (root / "folder").symlink_to("../outside")
    (root / "rows.csv").symlink_to("../outside/a.csv")
    with pytest.raises(ConfigError) as caught:
        in_memory(root)
    expected = "a link that leads outside the config root; expected a"
    assert [str(problem) for problem in caught.value.problems] == [
        f"a.yaml:1:1: {expected} file below it",
        f"b.yaml:1:1: {expected} file below it",
        f"folder:1:1: {expected} file or folder below it",
        "i.yaml:2:33: run/r: inputs.file: 'rows.csv' leads outside the config root; expected a file below it",
        f"rows.csv:1:1: {expected} file or folder below it",
    ]


def test_a_link_may_leave_and_come_back() -> None:
    """A root below a folder of the tree may be named by its full path; what stands beside it may not be read."""
    run = RUN.format("a").encode()
    items = {
        ".a": Item(size=len(run)),
        "a.yaml": Item(kind="link", target="../../conf/prod/.a"),
        "b.yaml": Item(kind="link", target="../test/b.yaml"),
    }
    with pytest.raises(ConfigError) as caught:
        loaded_from(items, {".a": run}, above=("conf", "prod"))
    assert str(caught.value) == "b.yaml:1:1: a link that leads outside the config root; expected a file below it"
    del items["b.yaml"]
    assert len(loaded_from(items, {".a": run}, above=("conf", "prod")).desired.resources) == 1


def test_a_submodule_is_not_passed_over() -> None:
    """Schedules that may stand in another repository are never taken for removed; a hidden submodule is no part."""
    items = {
        "more": Item(kind="submodule"),
        "b/more.yaml": Item(kind="submodule"),
        ".hidden": Item(kind="submodule"),
        "again": Item(kind="link", target=".hidden"),
    }
    with pytest.raises(ConfigError) as caught:
        loaded_from(items, {})
    fault = "a submodule, whose files are in another repository; expected the files themselves"
    assert [str(problem) for problem in caught.value.problems] == [
        f"again:1:1: {fault}",
        "b/more.yaml:1:1: not a regular file",
        f"more:1:1: {fault}",
    ]


def test_settings_of_the_root_itself_have_no_say(tmp_path: Path) -> None:
    """Whoever loads a root under settings from elsewhere gets just these; its own are only held to be valid."""
    text = b"owner: somebody-else\napi: {base_url: https://elsewhere.example.com}\n"
    configuration = loaded_from({"cdsync.yaml": Item(size=len(text))}, {"cdsync.yaml": text}, root=tmp_path)
    assert configuration.settings == settings_of(tmp_path)
    assert list(configuration.files) == ["cdsync.yaml"]


def test_a_pointer_of_git_lfs_is_not_taken_for_the_file(root_of: RootOf) -> None:
    """A run is never launched with the three lines that stand for a file that is kept elsewhere."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    assert same(root_of({"a.yaml": ROWS.format("r", "rows.csv"), "rows.csv": pointer})) == [
        "rows.csv:1:1: run/r: a Git LFS pointer instead of the file; expected the file itself, kept by git"
    ]


_NAMES = st.sampled_from(["a", "b", ".h", "..d", "c.yaml", "r.csv", "cdsync.yaml"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_TARGETS = st.lists(st.sampled_from(["a", "b", ".h", "..d", "c.yaml", "r.csv", "..", "."]), max_size=4)
_CONTENTS = st.sampled_from([RUN.format("x"), RUN.format("y"), ROWS.format("z", "b/r.csv"), "u\n1\n", "owner: x\n", ""])


@settings(max_examples=100, deadline=None)
@given(
    files=st.dictionaries(_PATHS, _CONTENTS, max_size=6),
    links=st.dictionaries(_PATHS, _TARGETS.map(lambda parts: "/".join(parts) or "."), max_size=4),
)
def test_any_tree_means_the_same_in_a_folder_and_in_memory(files: dict[str, str], links: dict[str, str]) -> None:
    """Whatever links lead to what, both ways to read a root agree; only a link that leaves it may be told otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        root.mkdir()
        for place, text in {"cdsync.yaml": "", **files}.items():
            if path := free(root, place):
                path.write_text(text)
        for place, target in links.items():
            if path := free(root, place):
                path.symlink_to(target)
        on_disk = told(lambda: load(root, now=NOW))
        memory = told(lambda: in_memory(root))
        leaves = isinstance(memory, list) and any("a link that leads outside" in line for line in memory)
        assert leaves or unreadable(memory) == unreadable(on_disk)


def unreadable(outcome: object) -> object:
    """What a load came to, without why a file cannot be read: Python and Linux differ about `file/..`."""
    reasons = r"(the file cannot be read: .*|not a regular file)$"
    return [re.sub(reasons, "unreadable", line) for line in outcome] if isinstance(outcome, list) else outcome


def free(root: Path, place: str) -> Path | None:
    """The path of a place below a root, with its folders made; None if something else stands in the way."""
    path = root / place
    inner = [path, *path.parents][: len(Path(place).parts)]
    if os.path.lexists(path) or any(above.is_symlink() or above.is_file() for above in inner):
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
