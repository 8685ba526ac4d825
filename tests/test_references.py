"""References to secrets: resolved as found, and never told."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from cdsync.core.work import Callback, Reference
from cdsync.errors import UnresolvedReference
from cdsync.references import References
from tests.core.values import work

CANARY = "canary-7d1f"


def references(root: Path, **environment: str) -> References:
    """Where references are looked up in these tests."""
    return References(root=root, environment=environment)


def refused(where: References, reference: Reference) -> UnresolvedReference:
    """The error with which a reference is refused."""
    with pytest.raises(UnresolvedReference) as caught:
        where.resolve(reference)
    return caught.value


def test_a_literal_is_its_own_value(tmp_path: Path) -> None:
    """Only a reference is looked up."""
    assert references(tmp_path).resolve("{env: X}") == "{env: X}"


@pytest.mark.parametrize("value", ["0012345678", "1e3", "true", "null", " padded ", "2026-01-01", "a=b:c", "é"])
def test_a_value_is_a_string_exactly_as_found(tmp_path: Path, value: str) -> None:
    """No source casts, trims or parses it."""
    (tmp_path / "token").write_text(value, encoding="utf-8")
    where = references(tmp_path, TOKEN=value, CREDENTIALS_DIRECTORY=str(tmp_path))

    assert where.resolve(Reference("env", "TOKEN")) == value
    assert where.resolve(Reference("file", "token")) == value
    assert where.resolve(Reference("credential", "token")) == value


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_last_line_break_of_a_file_is_not_part_of_its_value(tmp_path: Path, end: str) -> None:
    """Editors and `echo` add one, and no secret has one."""
    (tmp_path / "token").write_bytes(f"{CANARY}{end}".encode())

    assert references(tmp_path).resolve(Reference("file", "token")) == CANARY


def test_a_file_is_below_the_root_or_where_it_says(tmp_path: Path) -> None:
    """A relative path does not depend on the working folder."""
    (tmp_path / "secrets").mkdir()
    token = tmp_path / "secrets" / "token"
    token.write_text(CANARY, encoding="utf-8")

    assert references(tmp_path).resolve(Reference("file", "secrets/token")) == CANARY
    assert references(tmp_path / "other").resolve(Reference("file", str(token))) == CANARY


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    """The message says which one, and the remedy how to set it."""
    error = refused(references(tmp_path), Reference("env", "TOKEN"))

    assert str(error) == "the environment variable TOKEN is not set"
    assert error.remedy == "export TOKEN=..."


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """By the reference as it is declared, and by what the system says."""
    error = refused(references(tmp_path), Reference("file", "token"))

    assert str(error) == "the reference {file: token} cannot be read: No such file or directory"


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    """What cannot be read is told like what is not there."""
    (tmp_path / "token").mkdir()

    assert str(refused(references(tmp_path), Reference("file", "token"))) == (
        "the reference {file: token} cannot be read: Is a directory"
    )


def test_a_credential_outside_systemd_says_how_to_pass_it(tmp_path: Path) -> None:
    """The variable that systemd sets is not the user's business."""
    error = refused(references(tmp_path), Reference("credential", "cd-key"))

    assert str(error) == "no credentials were passed, so {credential: cd-key} has no value"
    assert error.remedy == "run under systemd with LoadCredential=cd-key:PATH"


@pytest.mark.parametrize("value", ["", "\n"])
def test_an_empty_value_is_none(tmp_path: Path, value: str) -> None:
    """An empty header or key is a mistake, not a secret."""
    (tmp_path / "token").write_text(value, encoding="utf-8")

    assert str(refused(references(tmp_path), Reference("file", "token"))) == "the reference {file: token} is empty"
    assert str(refused(references(tmp_path, TOKEN=""), Reference("env", "TOKEN"))) == (
        "the reference {env: TOKEN} is empty"
    )


@pytest.mark.parametrize("value", [f"{CANARY}\n{CANARY}", f"{CANARY}\0", f"{CANARY}\n\n", f"\x1b[31m{CANARY}"])
def test_a_value_that_is_no_header_is_refused_without_being_told(tmp_path: Path, value: str) -> None:
    """Line breaks and control characters would end in another header, or in the terminal of whoever looks."""
    (tmp_path / "token").write_text(value, encoding="utf-8")
    error = refused(references(tmp_path), Reference("file", "token"))

    assert str(error) == "the reference {file: token} is not one line of printable text"


def test_bytes_that_are_no_text_are_refused_without_being_told(tmp_path: Path) -> None:
    """Also the error that it comes from, which holds the bytes, is left behind."""
    (tmp_path / "token").write_bytes(b"canary-7d1f\xff")
    error = refused(references(tmp_path), Reference("file", "token"))

    assert str(error) == "the reference {file: token} cannot be read: it is not UTF-8 text"
    assert CANARY not in "".join(traceback.format_exception(error))


def test_no_representation_tells_a_value(tmp_path: Path) -> None:
    """Neither the environment nor a callback shows what is in it, whatever prints them."""
    where = references(tmp_path, TOKEN=CANARY)
    callback = Callback(url="https://example.com/x", headers={"A": Reference("env", "TOKEN"), "B": CANARY})
    resolved = where.resolve_work(work(callback=callback))

    assert resolved.callback is not None
    assert resolved.callback.headers == {"A": CANARY, "B": CANARY}
    assert all(CANARY not in f"{value!r}{value}" for value in (where, callback, resolved, work(callback=callback)))


def test_all_references_of_a_callback_are_resolved(tmp_path: Path) -> None:
    """The URL and each header; all else stays as it is."""
    secret = work(callback=Callback(url=Reference("env", "URL"), headers={"A": Reference("env", "TOKEN")}, on="final"))
    resolved = references(tmp_path, URL="https://example.com/x", TOKEN=CANARY).resolve_work(secret)

    assert resolved.callback == Callback(url="https://example.com/x", headers={"A": CANARY}, on="final")
    assert references(tmp_path).resolve_work(work(callback=None)) == work(callback=None)


def test_the_secrets_of_cdsync_itself_go_to_no_callback(tmp_path: Path) -> None:
    """Whoever may change the declaration cannot have the API key sent elsewhere, by whichever name they call it."""
    (tmp_path / "key").write_text(CANARY, encoding="utf-8")
    (tmp_path / "link").symlink_to("key")
    where = references(tmp_path, API_KEY=CANARY, OTHER="fine", CREDENTIALS_DIRECTORY=str(tmp_path))
    own = (Reference("env", "API_KEY"), Reference("file", "key"))
    where = replace(where, withheld=frozenset(map(where.place_of, own)))
    for reference in (
        *own,
        Reference("file", "./nowhere/../key"),
        Reference("file", "link"),
        Reference("file", str(tmp_path / "key")),
        Reference("credential", "key"),
    ):
        for callback in (Callback(url=reference), Callback(url="https://e.com", headers={"X": reference})):
            with pytest.raises(UnresolvedReference) as caught:
                where.resolve_work(work(callback=callback))
            assert str(caught.value) == (
                f"the reference {reference} leads to a secret of cdsync itself, which no callback may be sent"
            )
            assert caught.value.remedy == "give the callback a secret of its own"
    assert where.resolve(own[0]) == CANARY
    callback = Callback(url="https://e.com", headers={"X": Reference("env", "OTHER")})
    found = where.resolve_work(work(callback=callback)).callback
    assert found is not None
    assert found.headers == {"X": "fine"}
