"""Fingerprints of what is declared: the same, whether they are made now, in the last pass, or come from the cache."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdsync.cachefile import CacheFile
from cdsync.config import load
from cdsync.config.folder import FolderFiles
from cdsync.config.load import load_from, load_settings, read_root
from cdsync.core.fingerprint import OfContent
from cdsync.core.model import DesiredState, MissingSecret
from cdsync.core.work import Callback, Reference
from cdsync.references import References
from cdsync.seals import Seals, seal
from tests.core.values import KEY, address, applied, desired, schedule, work

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CANARY = "canary-7d1f"
OTHER_KEY = bytes(32)
WRONG = OfContent("wrong", "wrong")
CALLBACK = """\
schedules:
  called: {action: a, cron: 0 9 * * 1, inputs: [{n: 3}], callback: {url: https://e.com, headers: {x: {env: TOKEN}}}}
"""
FILES = {
    "cdsync.yaml": "",
    "team.yaml": """\
defaults: {parameters: {most: 5}}
schedules:
  one: {action: a, cron: 0 9 * * 1, inputs: [{n: 1}, {n: "1"}]}
  two: {action: a, cron: 0 9 * * 1, inputs: [{n: 2}], identity_ids: [123e4567-e89b-12d3-a456-426614174000]}
runs:
  one: {action: a, inputs: [{n: 9}]}
""",
    "listed.yaml": "schedules:\n  listed: {action: a, cron: 0 9 * * 1, inputs: {file: rows.csv}}\n",
    "rows.csv": "n\n1\n",
    "callback.yaml": CALLBACK,
}


def references(root: Path, **environment: str) -> References:
    """Where references are looked up in these tests."""
    return References(root=root, environment=environment)


def test_one_missing_secret_holds_up_its_own_resource_alone(tmp_path: Path) -> None:
    """What can be resolved is sealed; what cannot has a message instead of fingerprints."""
    there = schedule("there", work=work(callback=Callback(url="https://x", headers={"A": Reference("env", "TOKEN")})))
    missing = schedule("missing", work=work(callback=Callback(url=Reference("env", "NOWHERE"))))
    sealed = seal(desired(there, missing), references(tmp_path, TOKEN=CANARY), key=KEY)

    assert sealed.fingerprints.keys() == {address("there")}
    reason = MissingSecret("the environment variable NOWHERE is not set", "export NOWHERE=...")
    assert sealed.unresolved == {address("missing"): reason}
    assert CANARY not in repr(sealed)


def test_a_secret_that_was_turned_over_is_a_change(tmp_path: Path) -> None:
    """The fingerprint is of the value, so that a rotated token reaches the account."""
    resource = schedule(work=work(callback=Callback(url="https://x", headers={"A": Reference("env", "TOKEN")})))
    old, new = (seal(desired(resource), references(tmp_path, TOKEN=value), key=KEY) for value in ("old", "new"))
    before, after = old.fingerprints[address()], new.fingerprints[address()]

    assert {field for field in before if before[field] != after[field]} == {"callback.headers"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with whatever a fingerprint is made of."""
    root = tmp_path / "root"
    root.mkdir()
    for name, text in FILES.items():
        (root / name).write_text(text)
    return root


def sealed(root: Path, *, cache: Path | None, key: bytes = KEY, token: str = CANARY) -> DesiredState:
    """What a root declares, sealed by a command that has just started."""
    declared = load(root, now=NOW, cache=cache).desired
    return Seals(root=root, cache=cache).seal(declared, references(root, TOKEN=token), key=key, owned={})


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"team.yaml": FILES["team.yaml"].replace("n: 1", "n: 7")},
        {"team.yaml": FILES["team.yaml"].replace("most: 5", "most: 6")},
        {"team.yaml": FILES["team.yaml"].replace("123e", "124e")},
        {"rows.csv": "n\n2\n"},
        {"listed.yaml": FILES["listed.yaml"].replace("rows.csv", "team.csv"), "team.csv": "n\n5\n"},
        {"callback.yaml": CALLBACK.replace("e.com", "f.com")},
        {"callback.yaml": CALLBACK.replace("n: 3", "n: 4")},
        {"team.yaml": FILES["listed.yaml"], "listed.yaml": FILES["team.yaml"]},
    ],
)
def test_what_comes_from_the_cache_is_what_would_be_made(root: Path, tmp_path: Path, change: Mapping[str, str]) -> None:
    """Before and after whatever may change; in the second reading of each, all that can be is taken from the cache."""
    cache = tmp_path / "cache"
    for _ in range(2):
        assert sealed(root, cache=cache) == sealed(root, cache=None)
    for name, text in change.items():
        (root / name).write_text(text)
    for _ in range(2):
        assert sealed(root, cache=cache) == sealed(root, cache=None)
    assert CANARY.encode() not in b"".join(path.read_bytes() for path in cache.iterdir())


def test_another_key_and_another_secret_count_at_once(root: Path, tmp_path: Path) -> None:
    """Another state has another key; a token that was turned over is a change, although no file is another."""
    cache = tmp_path / "cache"
    before = sealed(root, cache=cache)
    for key, token in ((OTHER_KEY, CANARY), (KEY, "turned over"), (KEY, CANARY)):
        assert sealed(root, cache=cache, key=key, token=token) == sealed(root, cache=None, key=key, token=token)
    assert sealed(root, cache=cache, key=OTHER_KEY).fingerprints[address("one")] != before.fingerprints[address("one")]


def test_only_what_was_kept_of_the_same_content_is_taken(root: Path) -> None:
    """A digest that is in the cache is believed, for the content that it was kept of and for no other."""
    declared, where = load(root, now=NOW).desired, references(root, TOKEN=CANARY)
    kept = {declared.contents[address("one")]: {"one": OfContent("believed", "as well")}, "other": {"two": WRONG}}
    known, found = seal(declared, where, key=KEY), seal(declared, where, key=KEY, kept=kept)

    assert [row for row in known.fingerprints if found.fingerprints[row] != known.fingerprints[row]] == [address("one")]
    assert found.fingerprints[address("one")]["inputs"] == "believed"


def test_what_makes_no_sense_in_the_cache_is_as_good_as_none(root: Path, tmp_path: Path) -> None:
    """Also when its own digest is right: anybody can make one."""
    cache = tmp_path / "cache"
    plain = sealed(root, cache=cache)
    (place,) = cache.glob("*.seals")
    file = CacheFile(place, depends_on=hmac.digest(KEY, b"seals", "sha256").hex())
    assert file.read()
    for line in (b"junk", b"[]", b'{"x": 1}', b'{"x": {"y": ["z"]}}'):
        file.write([line])
        assert sealed(root, cache=cache) == plain


def test_a_file_of_inputs_that_changes_under_the_reading(root: Path, tmp_path: Path) -> None:
    """What is kept is kept of the rows that were read, not of those that came a moment later."""
    cache = tmp_path / "cache"
    (root / "rows.yaml").write_text("- {n: old}\n")
    (root / "listed.yaml").write_text(FILES["listed.yaml"].replace("rows.csv", "rows.yaml"))
    reading = read_root(FolderFiles(root))
    (root / "rows.yaml").write_text("- {n: new}\n")
    declared = load_from(reading, settings=load_settings(root), now=NOW).desired
    before = Seals(root=root, cache=cache).seal(declared, references(root, TOKEN=CANARY), key=KEY, owned={})

    assert before.resources[address("listed")].work.inputs == ({"n": "old"},)
    assert sealed(root, cache=cache) == sealed(root, cache=None)
    assert sealed(root, cache=cache).fingerprints != before.fingerprints


def test_a_file_of_inputs_may_have_any_name(root: Path, tmp_path: Path) -> None:
    """Also one that cannot be printed as it is, and that of another file which looks like it."""
    for name, number in (("in\xa0put.csv", 1), ("in\\xa0put.csv", 2)):
        (root / name).write_text(f"n\n{number}\n")
    (root / "named.yaml").write_text(
        "schedules:\n"
        '  odd: {action: a, cron: 0 9 * * 1, inputs: {file: "in\\_put.csv"}}\n'
        "  even: {action: a, cron: 0 9 * * 1, inputs: {file: 'in\\xa0put.csv'}}\n"
    )
    for _ in range(2):
        assert sealed(root, cache=tmp_path / "cache") == sealed(root, cache=None)
    found = sealed(root, cache=None)
    assert [found.resources[address(name)].work.inputs for name in ("odd", "even")] == [({"n": "1"},), ({"n": "2"},)]
    assert len({found.contents[address(name)] for name in ("odd", "even")}) == 2


def test_a_damaged_cache_is_as_good_as_none(root: Path, tmp_path: Path) -> None:
    """With any byte changed it is not believed, and then written anew."""
    cache = tmp_path / "cache"
    plain = sealed(root, cache=cache)
    (place,) = cache.glob("*.seals")
    whole = place.read_bytes()
    for at in range(0, len(whole), 17):
        place.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert sealed(root, cache=cache) == plain
        assert place.read_bytes() == whole


def test_what_is_as_applied_is_in_memory_once(tmp_path: Path) -> None:
    """The state holds the same fingerprints as long as nothing has changed."""
    same, changed = schedule("same"), schedule("changed", work=work(inputs=({"n": 5},)))
    owned = {row.address: applied(row) for row in (same, schedule("changed"))}
    found = seal(desired(same, changed), references(tmp_path), key=KEY, owned=owned).fingerprints

    assert found[address("same")] is owned[address("same")].fingerprints
    assert found[address("changed")] != owned[address("changed")].fingerprints
