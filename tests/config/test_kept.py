"""Documents kept from an earlier reading: the same as the YAML in every respect, whatever happens to the file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
import yaml

from cdsync.cachefile import CacheFile
from cdsync.config import Configuration, load, unchanged
from cdsync.config.folder import FolderFiles
from cdsync.config.kept import Documents
from cdsync.config.reading import read_text
from cdsync.config.yaml_nodes import Tree
from cdsync.errors import ConfigError
from tests.config.conftest import NOW

RootOf = Callable[[Mapping[str, str | bytes]], Path]

TEAM = """\
defaults: {timezone: Europe/Paris, cron: "30 2 * * *"}
schedules:
  leads: {action: search, inputs: [{q: "ä, 1.0e+3", n: 1.5}]}
  tight: {action: search, cron: "*/2 * * * *", inputs: [{}]}
runs:
  once: {action: visit, inputs: {file: rows.yaml}}
"""
PLAIN = """\
defaults: {timezone: Europe/Paris}
schedules:
  plain: {action: search, cron: "30 2 * * *", inputs: [{}], was: before}
"""
FILES = {
    "team.yaml": TEAM,
    "rows.yaml": "- {url: https://example.com}\n- {}\n",
    "other.yaml": "schedules: {}\n",
    "plain.yaml": PLAIN,
}


@pytest.fixture
def root(root_of: RootOf) -> Path:
    """A root with warnings, defaults and inputs in a file of their own."""
    return root_of(FILES)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder that is not there yet."""
    return tmp_path / "cache" / "cdsync"


def reading(root: Path, cache: Path | None) -> Configuration | tuple[str, ...]:
    """What a root declares, or what is wrong with it."""
    try:
        return load(root, now=NOW, cache=cache)
    except ConfigError as error:
        return tuple(map(str, error.problems))


def kept(cache: Path) -> Path:
    """The one file of a cache folder."""
    (found,) = cache.iterdir()
    return found


def is_known(root: Path, cache: Path, file: str) -> bool:
    """Whether the document of a file is taken from the cache."""
    return read_text(FolderFiles(root), file).sha256 in Documents.of(root, cache, day=NOW.date())._kept


def test_what_is_kept_is_what_is_read(root: Path, cache: Path) -> None:
    """The second reading takes the documents from the cache, and gives the same down to the places of its warnings."""
    plain = load(root, now=NOW)
    assert len(plain.warnings) == 4
    assert load(root, now=NOW, cache=cache) == plain
    assert is_known(root, cache, "team.yaml")
    assert load(root, now=NOW, cache=cache) == plain


def test_it_lies_in_the_cache_for_this_user_alone(root: Path, cache: Path) -> None:
    """Nothing is added to the root, and nobody else may read what a declaration holds."""
    load(root, now=NOW, cache=cache)
    assert sorted(path.name for path in root.iterdir()) == ["cdsync.yaml", *sorted(FILES)]
    assert cache.stat().st_mode & 0o777 == 0o700
    assert kept(cache).stat().st_mode & 0o777 == 0o600


def test_only_what_has_changed_is_read_again(root: Path, cache: Path) -> None:
    """A changed file is taken as it is now; what is no longer there is no longer kept."""
    load(root, now=NOW, cache=cache)
    (root / "other.yaml").write_text("schedules:\n  new: {action: a, cron: 0 9 * * 1, inputs: [{}]}\n")
    assert not is_known(root, cache, "other.yaml")
    assert load(root, now=NOW, cache=cache) == load(root, now=NOW)
    size = kept(cache).stat().st_size
    (root / "other.yaml").unlink()
    load(root, now=NOW, cache=cache)
    assert kept(cache).stat().st_size < size


@pytest.mark.parametrize(
    "more",
    [
        "schedules:\n  leads: {action: a, cron: 0 9 * * 1, inputs: [{}]}\n",
        "runs:\n  other: {action: a, was: once, inputs: [{}]}\n",
        "runs:\n  other: {action: a, inputs: {file: team.yaml}}\n",
        "runs:\n  other: {action: a, inputs: {file: plain.yaml}}\n",
        "runs:\n  other: {action: a, input: [{}]}\n",
        "schedules:\n  plain: {action: a, cron: 0 9 * * 1, inputs: [{}]}\n",
        "schedules:\n  other: {action: a, cron: 0 9 * * 1, inputs: [{}], was: plain}\n",
        "schedules:\n  other: {action: a, cron: 0 9 * * 1, inputs: [{}], was: before}\n",
        "schedules:\n  before: {action: a, cron: 0 9 * * 1, inputs: [{}]}\n",
        "runs: [\n",
    ],
)
def test_faults_are_told_at_the_same_places(root: Path, cache: Path, more: str) -> None:
    """Also those that lie in a document which is not read as YAML this time."""
    load(root, now=NOW, cache=cache)
    (root / "more.yaml").write_text(more)
    told = reading(root, None)
    assert isinstance(told, tuple)
    assert reading(root, cache) == told
    assert reading(root, cache) == told


def test_doubts_are_told_at_the_same_places(root: Path, cache: Path) -> None:
    """Also those about fields whose places nobody has asked for before."""
    (root / "doubts.yaml").write_text(
        "defaults: {callback: {url: https://example.com, headers: {x: {env: NOWHERE}}}}\n"
        "runs:\n"
        '  past: {action: a, inputs: [{}], schedule_at: "2020-01-01T00:00:00Z"}\n'
        "  own: {action: a, inputs: [{n: 1}], callback: {url: {env: NEITHER}}}\n"
    )
    told = load(root, now=NOW, environment=()).warnings
    assert [str(row)[:18] for row in told if row.file == "doubts.yaml"] == [
        "doubts.yaml:1:62: ",
        "doubts.yaml:3:48: ",
        "doubts.yaml:4:54: ",
    ]
    for _ in range(2):
        assert load(root, now=NOW, environment=(), cache=cache).warnings == told
    assert tree_of(root, cache, "doubts.yaml", day=NOW.date()).checked is not None


def test_a_document_that_has_moved_is_known_by_its_new_name(root: Path, cache: Path) -> None:
    """What is kept of it names the file that it was in."""
    load(root, now=NOW, cache=cache)
    (root / "plain.yaml").rename(root / "moved.yaml")
    for _ in range(2):
        assert load(root, now=NOW, cache=cache) == load(root, now=NOW)
    assert tree_of(root, cache, "moved.yaml", day=NOW.date()).checked is not None


def test_a_fault_is_found_in_a_kept_document(root: Path, cache: Path) -> None:
    """What depends on other files is looked at each time, with the place of the very field."""
    (root / "team.yaml").write_text(TEAM + "  gone: {action: a, was: before, inputs: {file: more.csv}}\n")
    (root / "more.csv").write_text("a\n1\n")
    load(root, now=NOW, cache=cache)
    (root / "more.csv").unlink()
    assert is_known(root, cache, "team.yaml")
    assert reading(root, cache) == (
        "team.yaml:7:49: run/gone: inputs.file: 'more.csv' does not exist; looked for more.csv below the config root",
    )


def tree_of(root: Path, cache: Path, file: str, *, day: date) -> Tree:
    """The document of a file as another reading finds it."""
    return Documents.of(root, cache, day=day).read(read_text(FolderFiles(root), file))


def test_a_document_is_checked_once_a_day(root: Path, cache: Path) -> None:
    """Its warnings look ahead from a day, and time zones change; one that names other files is checked each time."""
    load(root, now=NOW, cache=cache)
    today, tomorrow = NOW.date(), (NOW + timedelta(days=1)).date()
    checked = tree_of(root, cache, "plain.yaml", day=today).checked
    assert checked is not None
    (warning,) = checked.warnings
    assert (warning.file, warning.address) == ("plain.yaml", "schedule/plain")
    assert tree_of(root, cache, "team.yaml", day=today).checked is None
    assert tree_of(root, cache, "plain.yaml", day=tomorrow).checked is None
    later = NOW + timedelta(days=300)
    assert load(root, now=later, cache=cache) == load(root, now=later)
    assert tree_of(root, cache, "plain.yaml", day=later.date()).checked is not None


def test_nothing_is_checked_in_a_root_that_is_refused(root: Path, cache: Path) -> None:
    """What was found out about a file beside one that is wrong is not concluded from an unfinished look."""
    (root / "wrong.yaml").write_text("schedules: 7\n")
    assert isinstance(reading(root, cache), tuple)
    assert tree_of(root, cache, "plain.yaml", day=NOW.date()).checked is None
    (root / "wrong.yaml").unlink()
    assert reading(root, cache) == reading(root, None)


def test_a_damaged_file_is_as_good_as_none(root: Path, cache: Path) -> None:
    """Cut off anywhere, or with any byte changed, it is not believed; then it is written anew."""
    plain = load(root, now=NOW, cache=cache)
    whole = kept(cache).read_bytes()
    damaged = [whole[:end] for end in range(0, len(whole), 41)]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 41)]
    for content in (*damaged, whole + b"x", b"\xff\n{}"):
        kept(cache).write_bytes(content)
        assert load(root, now=NOW, cache=cache) == plain
        assert kept(cache).read_bytes() == whole


@pytest.mark.parametrize("line", [b"x", b"%s\tnope\t", b"%s\t1\t", b"%s\t[{},true,[1]]\t", b"%s\t[", b"\xff\t1\t1"])
def test_a_line_that_makes_no_sense_is_as_good_as_none(root: Path, cache: Path, line: bytes) -> None:
    """Also when the digest of all lines is right: anybody can make one."""
    plain = load(root, now=NOW, cache=cache)
    file = CacheFile(kept(cache), depends_on=f"{yaml.__version__} {msgspec.__version__}")
    assert file.read()
    file.write([line.replace(b"%s", sha256((root / "plain.yaml").read_bytes()).hexdigest().encode())])
    assert load(root, now=NOW, cache=cache) == plain


def test_that_of_another_reader_or_user_is_not_taken(root: Path, cache: Path) -> None:
    """A newer cdsync may read the same text otherwise; what somebody else has put there may say anything."""
    load(root, now=NOW, cache=cache)
    whole = kept(cache).read_bytes()
    _, reader, rest = whole.split(b" ", 2)
    kept(cache).write_bytes(b" ".join((b"cdsync", reader[::-1], rest)))
    assert not is_known(root, cache, "team.yaml")
    kept(cache).write_bytes(whole)
    assert is_known(root, cache, "team.yaml")
    if os.geteuid() == 0:
        os.chown(kept(cache), 12345, -1)
        assert not is_known(root, cache, "team.yaml")


def test_where_nothing_can_be_written_nothing_is_kept(root: Path, tmp_path: Path) -> None:
    """A cache is no reason to fail."""
    (tmp_path / "file").write_text("")
    for cache in (tmp_path / "file", tmp_path / "file" / "below", Path("/dev/null/cache")):
        assert load(root, now=NOW, cache=cache) == load(root, now=NOW)
    assert (tmp_path / "file").read_text() == ""


def test_what_aliases_blow_up_is_not_kept(root: Path, cache: Path) -> None:
    """Forty bytes of text may stand for forty thousand of JSON."""
    lines = ["x: &a [" + ",".join("0" * 30) + "]", "y: &b [" + ",".join(["*a"] * 30) + "]"]
    (root / "rows.yaml").write_text("- " + "\n  ".join([*lines, "z: [" + ",".join(["*b"] * 30) + "]"]) + "\n")
    load(root, now=NOW, cache=cache)
    assert kept(cache).stat().st_size < 5_000


def test_many_may_write_at_once(root: Path, cache: Path) -> None:
    """Whoever comes last, the file is whole, and everybody reads what is there."""
    wrong: list[object] = []

    def read() -> None:
        plain = load(root, now=NOW)
        wrong.extend(found for _ in range(20) if (found := load(root, now=NOW, cache=cache)) != plain)

    def unsettle() -> None:
        for _ in range(60):
            load(root, now=NOW, cache=cache)
            for path in cache.glob("*.documents"):
                path.unlink(missing_ok=True)

    threads = [threading.Thread(target=work) for work in (read, read, read, unsettle)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [path for path in cache.iterdir() if path.suffix != ".documents"] == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("team.yaml", TEAM + "\n"),
        ("rows.yaml", None),
        ("other.yaml", None),
        ("new.yaml", ""),
        ("deep/new.yml", ""),
        ("cdsync.yaml", "owner: b\n"),
        ("cdsync.yml", ""),
    ],
)
def test_a_root_that_has_not_changed_is_known_by_its_digests(root: Path, file: str, content: str | None) -> None:
    """Every file that was read counts, and every other that would be read now."""
    (root / "note.txt").write_text("nobody reads this")
    configuration = load(root, now=NOW)
    assert unchanged(configuration, root)
    (root / "note.txt").unlink()
    assert unchanged(configuration, root)
    path = root / file
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_text(content)
    assert not unchanged(configuration, root)
