"""The settings of a repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from cdsync.config import load_settings
from cdsync.core.work import Reference
from cdsync.settings import GitSettings

Files = Mapping[str, str | bytes]
Refused = Callable[[Files], list[str]]
RootOf = Callable[[Files], Path]


def git(section: str) -> Files:
    """A settings file with this section."""
    return {"cdsync.yaml": f"daemon:\n  git: {section}\n"}


def test_a_url_is_enough(root_of: RootOf) -> None:
    """All else has a default, and without the section there is no repository."""
    assert load_settings(root_of(git("{url: https://git.example.com/a.git}"))).daemon.git == GitSettings(
        url="https://git.example.com/a.git"
    )
    assert load_settings(root_of({})).daemon.git is None


def test_every_key_has_its_meaning(root_of: RootOf) -> None:
    """Paths are taken from the config root, and secrets are references."""
    root = root_of(
        git(
            "{url: 'git@example.com:a/b.git', ref: v1, path: accounts/eu, poll: 5m, timeout: 2m, verify: ssh,"
            " allowed_signers: signers, allow_rewind: true, ssh_key: {credential: deploy}, known_hosts: /etc/hosts}"
        )
    )
    assert load_settings(root).daemon.git == GitSettings(
        url="git@example.com:a/b.git",
        ref="v1",
        path="accounts/eu",
        poll=timedelta(minutes=5),
        timeout=timedelta(minutes=2),
        verify="ssh",
        allowed_signers=root / "signers",
        allow_rewind=True,
        ssh_key=Reference("credential", "deploy"),
        known_hosts=Path("/etc/hosts"),
    )
    root = root_of(git("{url: https://e.com/a, username: deploy, token: {env: T}, verify: gpg, keyring: keys.asc}"))
    assert load_settings(root).daemon.git == GitSettings(
        url="https://e.com/a", username="deploy", token=Reference("env", "T"), verify="gpg", keyring=root / "keys.asc"
    )


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        pytest.param(
            "{ref: main}",
            [
                "2:3: daemon.git has no 'url'; expected https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, or "
                "the absolute path of a repository"
            ],
            id="no_url",
        ),
        pytest.param(
            "{url: 'https://u:s3cret@e.com/a'}",
            ["2:14: daemon.git.url is a URL with a user or password in it; expected username and token beside it"],
            id="a_password_in_the_url",
        ),
        pytest.param(
            "{url: '--upload-pack=touch x', ref: '-x', path: ../..}",
            [
                "2:14: daemon.git.url is no URL; expected https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, or "
                "the absolute path of a repository",
                "2:44: daemon.git.ref is '-x', no name of git; expected a branch, a tag or a full commit id",
                "2:56: daemon.git.path is '../..', no folder of a repository; expected a path relative to its top, "
                "such as accounts/eu",
            ],
            id="options_for_values",
        ),
        pytest.param(
            "{url: https://e.com/a, token: s3cret, ssh_key: s3cret}",
            [
                "2:38: daemon.git.token is wrong (its value is not shown); expected a reference: {env: NAME}, "
                "{file: PATH} or {credential: NAME}; never the value itself",
                "2:55: daemon.git.ssh_key is wrong (its value is not shown); expected a reference to a private key: "
                "{file: PATH} or {credential: NAME}; never the key itself",
            ],
            id="secrets_written_down",
        ),
        pytest.param(
            "{url: https://e.com/a, ssh_key: {env: K}}",
            [
                "2:40: daemon.git.ssh_key is an object; expected a reference to a private key: {file: PATH} or "
                "{credential: NAME}; never the key itself"
            ],
            id="a_key_from_the_environment",
        ),
        pytest.param(
            "{url: https://e.com/a, ssh_key: {file: k}, known_hosts: h}",
            [
                "2:40: daemon.git.ssh_key goes with a URL of ssh only; expected none for this one",
                "2:64: daemon.git.known_hosts goes with a URL of ssh only; expected none for this one",
            ],
            id="ssh_things_over_https",
        ),
        pytest.param(
            "{url: '/srv/a.git', token: {env: T}, username: x}",
            [
                "2:35: daemon.git.token goes with a URL of https only; expected none for this one",
                "2:55: daemon.git.username goes with a URL of https only; expected none for this one",
            ],
            id="a_token_for_a_folder",
        ),
        pytest.param(
            "{url: https://e.com/a, verify: ssh, keyring: k}",
            [
                "2:39: daemon.git.verify is ssh, but nobody may sign; expected allowed_signers beside it",
                "2:53: daemon.git.keyring is not looked at while verify is ssh; expected verify: gpg beside it",
            ],
            id="the_signers_of_the_other_kind",
        ),
        pytest.param(
            "{url: https://e.com/a, allowed_signers: s}",
            ["2:48: daemon.git.allowed_signers is not looked at while verify is none; expected verify: ssh beside it"],
            id="signers_that_nobody_is_held_to",
        ),
        pytest.param(
            "{url: https://e.com/a, verify: yes, allow_rewind: 1, poll: 0s, timeout: 1, username: 'a:b'}",
            [
                "2:39: yes is a boolean to YAML 1.1 and a text to YAML 1.2; write true or false, or put it in quotes",
                "2:58: daemon.git.allow_rewind is 1; expected true or false",
                "2:67: daemon.git.poll is '0s'; expected a duration of at least 1s, such as 30s, 5m, 2h or 1d",
                "2:80: daemon.git.timeout is 1; expected a duration of at least 1s, such as 30s, 5m, 2h or 1d",
                "2:93: daemon.git.username is 'a:b'; expected a user name without a colon",
            ],
            id="values_of_the_wrong_kind",
        ),
        pytest.param(
            "{url: 'a@b:c', known_hosts: 'a\"b'}",
            ["2:36: daemon.git.known_hosts is 'a\"b', a path that ssh cannot be given; expected one without quotes"],
            id="a_path_that_breaks_out_of_quotes",
        ),
    ],
)
def test_wrong_settings_are_refused(refused: Refused, section: str, expected: list[str]) -> None:
    """Each fault is told at its place, no secret with it; what would silently protect nothing is a fault as well."""
    found = refused(git(section))
    assert found == [f"cdsync.yaml:{message}" for message in expected]
    assert "s3cret" not in "".join(found)
