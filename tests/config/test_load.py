"""The one loader: whole roots, every problem at once, and nothing but a ConfigError whatever the files hold."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cdsync.config import Configuration, load, load_settings
from cdsync.errors import CdsyncError, ConfigError
from cdsync.shipped import shipped

Files = Mapping[str, str | bytes]
Loaded = Callable[[Files], Configuration]
Refused = Callable[[Files], list[str]]
RootOf = Callable[[Files], Path]

RUN = "runs:\n  {}: {{action: a, inputs: [{{}}]}}\n"


def test_every_problem_of_every_file_is_told_at_once(refused: Refused) -> None:
    """One look at the messages is enough to repair everything; they come in the order of their places."""
    files = {
        "cdsync.yaml": "owner: A\n",
        "b.yaml": "runs: [\n",
        "a.yaml": "schedules:\n  x: {action: act, cron: x, inputs: [{}], protect: yes}\n  y: 3\n",
        "c/d.yaml": "runs:\n  x: {action: act, inputs: {file: gone.csv}, zzz: yes}\n",
    }
    assert refused(files) == [
        "a.yaml:2:26: schedule/x: cron 'x' has 1 fields; expected five: minute, hour, day of month, month, day of week",
        "a.yaml:2:52: schedule/x: yes is a boolean to YAML 1.1 and a text to YAML 1.2; "
        "write true or false, or put it in quotes",
        "a.yaml:3:6: schedule/y: it is a number; expected an object of fields",
        "b.yaml:2:1: no value was found here; check for a bracket too many, or one not closed",
        "c/d.yaml:2:35: run/x: inputs.file: 'gone.csv' does not exist; looked for c/gone.csv below the config root",
        "c/d.yaml:2:46: run/x: unknown key 'zzz'; expected one of: action, callback, identity_ids, identity_mode, "
        "inputs, mode, parameters, protect, resume, schedule_at, timezone, was",
        "c/d.yaml:2:51: run/x: yes is a boolean to YAML 1.1 and a text to YAML 1.2; "
        "write true or false, or put it in quotes",
        "cdsync.yaml:1:8: owner is 'A'; expected a label of at most 64 letters a-z, digits, dots, "
        "underscores and dashes, starting with a letter or digit",
    ]


def test_a_folder_without_settings_is_no_root(tmp_path: Path, frozen_now: datetime) -> None:
    """A wrong folder is never taken for an empty declaration, which would prune everything."""
    for refuse in (lambda: load(tmp_path, now=frozen_now), lambda: load_settings(tmp_path)):
        with pytest.raises(CdsyncError) as caught:
            refuse()
        assert str(caught.value) == f"{tmp_path} has no cdsync.yaml, so it is no config root"
        assert caught.value.remedy == f"run 'cdsync init {tmp_path}' to start one, or name another folder with -C"


def test_settings_under_another_ending_are_told_to_be_renamed(tmp_path: Path, frozen_now: datetime) -> None:
    """`cdsync.yml` is a slip that gets the right advice."""
    (tmp_path / "cdsync.yml").write_text("")
    with pytest.raises(CdsyncError) as caught:
        load(tmp_path, now=frozen_now)
    assert caught.value.remedy == "rename cdsync.yml to cdsync.yaml"


def test_a_root_that_is_no_folder(tmp_path: Path, frozen_now: datetime) -> None:
    """A missing folder and a file in its place are told apart."""
    (tmp_path / "file").write_text("")
    start = f"run 'cdsync init {tmp_path / 'gone'}' to start one, or name another folder with -C"
    for name, fault, remedy in (
        ("gone", "does not exist", start),
        ("file", "is no folder", f"name the folder that it is in: -C {tmp_path}"),
    ):
        with pytest.raises(CdsyncError) as caught:
            load(tmp_path / name, now=frozen_now)
        assert str(caught.value) == f"{tmp_path / name} {fault}; expected a config root"
        assert caught.value.remedy == remedy


def test_a_root_named_by_a_link_is_a_root(root_of: RootOf, tmp_path: Path, frozen_now: datetime) -> None:
    """A root may itself be a link, as deployments make them."""
    root_of({"a.yaml": RUN.format("x")})
    (tmp_path / "current").symlink_to("root")
    assert len(load(tmp_path / "current", now=frozen_now).desired.resources) == 1


def test_the_same_files_give_the_same_configuration(root_of: RootOf, frozen_now: datetime) -> None:
    """Loading depends on nothing but the files: two loads are equal, and in the same order."""
    root = root_of({f"{name}.yaml": RUN.format(name) for name in ("c", "a", "b")})
    one, two = load(root, now=frozen_now), load(root, now=frozen_now)
    assert one == two
    assert [address.name for address in one.desired.resources] == ["a", "b", "c"]
    assert list(one.files) == ["a.yaml", "b.yaml", "c.yaml", "cdsync.yaml"]


def test_ten_thousand_schedules_are_read_in_seconds(loaded: Loaded) -> None:
    """Nothing grows with the square of the number of resources."""
    entry = "  s{0}: {{action: a, cron: '{1} 9 * * *', inputs: [{{url: x{0}}}], was: old{0}}}\n"
    text = "schedules:\n" + "".join(entry.format(number, number % 60) for number in range(10_000))
    assert len(loaded({"a.yaml": text}).desired.resources) == 10_000


def test_the_examples_load_without_a_warning() -> None:
    """What newcomers copy is right, whenever they look at it."""
    for month in range(0, 36, 5):
        configuration = load(shipped("examples"), now=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=30 * month))
        kinds = [address.kind.value for address in configuration.desired.resources]
        assert (kinds.count("schedule"), kinds.count("run")) == (10, 4)
        assert configuration.warnings == ()


_PIECES = st.sampled_from(
    [
        *(b"schedules:\n", b"runs:\n", b"defaults:\n", b"  x:\n", b"    cron: '0 9 * * *'\n", b"    action: act\n"),
        *(b"    inputs: [{u: x}]\n", b"    inputs: {file: rows.csv}\n", b"    was: y\n", b"    resume: ", b"headers: "),
        *(b"    schedule_at: 2026-12-01T08:00:00+01:00\n", b"    callback: {url: ", b"https://e.com", b"*a", b"&a "),
        *(
            b"{",
            b"}",
            b"[",
            b"]",
            b": ",
            b", ",
            b"- ",
            b"? ",
            b"<<: ",
            b"!!str ",
            b"'",
            b'"',
            b"\n",
            b"\t",
            b"#",
            b"|\n",
        ),
        *(b"12:30", b"yes", b"on", b"0123", b"1e999", b".nan", b"null", b"25%", b"5m", b"\\ud800", b"%YAML 1.1\n"),
        *(b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"---\n", b"...\n", b"url\n"),
        *(b"api: ", b"key: ", b"env: X\n", b"state: ", b"policy: "),
    ]
)
_CONTENT = st.binary(max_size=200) | st.lists(_PIECES, max_size=40).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(
    settings_file=_CONTENT, resources=_CONTENT, rows=_CONTENT, ending=st.sampled_from(["csv", "jsonl", "json", "yml"])
)
@example(settings_file=b"", resources=b"runs: {x: {action: a, inputs: {file: '\\x00'}}}", rows=b"", ending="csv")
@example(settings_file=b'state: "\\0"', resources=b"", rows=b"", ending="csv")
@example(settings_file=b"", resources=b"", rows=b'[{"a": "\\ud800"}]', ending="json")
@example(settings_file=b"", resources=b'runs: {x: {callback: {headers: {"A\\nB": 3}}}}', rows=b"", ending="csv")
@example(settings_file=b'"a\\nb": 3', resources=b'"a\\nb": 3', rows=b'"a\nb","a\nb"', ending="csv")
@example(settings_file=b"", resources=b"", rows=b"a,b\n\x00,\x00\n", ending="csv")
def test_whatever_the_files_hold_ends_well(settings_file: bytes, resources: bytes, rows: bytes, ending: str) -> None:
    """Any bytes in any file give a configuration or a ConfigError whose every message can be printed on one line."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "cdsync.yaml").write_bytes(settings_file)
        (root / "a.yaml").write_bytes(resources)
        (root / "rows.csv").write_bytes(rows)
        (root / "b.yaml").write_text(f"runs: {{r: {{action: a, inputs: {{file: .rows.{ending}}}}}}}\n")
        (root / f".rows.{ending}").write_bytes(rows)
        try:
            configuration = load(root, now=datetime(2026, 1, 1, tzinfo=UTC))
        except ConfigError as error:
            problems = error.problems
        else:
            problems = configuration.warnings
            assert repr(configuration).encode()
            assert json.dumps([resource.work.inputs for resource in configuration.desired.resources.values()]).encode()
        for problem in problems:
            assert str(problem).encode().splitlines() == [str(problem).encode()]
            assert problem.line >= 1
            assert problem.column >= 1
