"""What may be given to git: nothing that it, ssh or a shell could take for an option or a command."""

from __future__ import annotations

import pytest

from cdsync.core.gitnames import is_commit, path_fault, ref_fault, repository_fault, transport_of


@pytest.mark.parametrize(
    ("url", "transport"),
    [
        ("https://github.com/acme/schedules.git", "https"),
        ("https://git.example.com:8443/a/b", "https"),
        ("http://127.0.0.1:8080/a.git", "http"),
        ("http://[::1]:8080/a.git", "http"),
        ("ssh://git@github.com/acme/schedules.git", "ssh"),
        ("ssh://git.example.com:2222/srv/a.git", "ssh"),
        ("ssh://git@[2001:db8::1]:22/a.git", "ssh"),
        ("git@github.com:acme/schedules.git", "ssh"),
        ("host.example.com:/srv/a.git", "ssh"),
        ("/srv/git/a.git", "file"),
        ("file:///srv/git/a.git", "file"),
    ],
)
def test_the_usual_addresses_of_repositories_may_be_used(url: str, transport: str) -> None:
    """Each is reached by the one protocol that it names."""
    assert repository_fault(url) is None
    assert transport_of(url) == transport


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("--upload-pack=touch x", "no URL"),
        ("-oProxyCommand=touch x", "no URL"),
        ("ext::sh -c touch", "no URL"),
        ("ext::sh", "a URL that begins with ext:"),
        ("ext://sh", "a URL that begins with ext:"),
        ("fd::17", "a URL that begins with fd:"),
        ("git://example.com/a.git", "a URL that begins with git:"),
        ("ftp://example.com/a.git", "a URL that begins with ftp:"),
        ("HTTPS://example.com/a.git", "a URL that begins with HTTPS:"),
        ("http://example.com/a.git", "http://example.com; expected https, or plain http to loopback only"),
        ("https://user:s3cret@example.com/a.git", "a URL with a user or password in it"),
        ("https://s3cret@example.com/a.git", "a URL with a user or password in it"),
        ("ssh://git:s3cret@example.com/a.git", "a URL with a user or password in it"),
        ("git:s3cret@example.com:a.git", "no URL"),
        ("ssh://-oProxyCommand=s3cret/a.git", "no URL for ssh"),
        ("ssh://git@-oProxyCommand=s3cret/a.git", "no URL for ssh"),
        ("ssh://-l@example.com/a.git", "no URL for ssh"),
        ("ssh://git@example.com/-x", "no URL for ssh"),
        ("ssh://example.com:port/a.git", "no URL"),
        ("git@-oProxyCommand=x:a.git", "no URL"),
        ("-l@example.com:a.git", "no URL"),
        ("git@example.com:-x", "no URL"),
        ("git@example.com::x", "no URL"),
        ("https://example.com/a.git?x=s3cret", "no URL of a repository"),
        ("https://example.com/", "no URL of a repository"),
        ("https:///a.git", "https://; expected https"),
        ("file://host/srv/a.git", "a file URL with a host"),
        ("file://", "no URL of a repository"),
        ("https://example.com/a\nb", "no URL"),
        ("https://[::1/a.git", "no URL"),
        ("../a.git", "no URL"),
        ("a.git", "no URL"),
        ("", "no URL"),
    ],
)
def test_anything_else_is_refused_without_being_shown(url: str, fault: str) -> None:
    """An option, a program, another protocol or a password in a URL goes no further, and into no message."""
    found = repository_fault(url)
    assert found is not None
    assert found.startswith(fault)
    assert "s3cret" not in found


@pytest.mark.parametrize(
    "ref", ["HEAD", "main", "feature/x-1", "v1.2.3", "refs/heads/main", "refs/tags/v1", "a" * 40, "ünï", "a@b"]
)
def test_names_that_git_allows_may_be_followed(ref: str) -> None:
    """Branches, tags, full names and commits."""
    assert ref_fault(ref) is None


@pytest.mark.parametrize(
    "ref",
    [
        *("", "-x", "--upload-pack=touch x", "a b", "a..b", "a~1", "a^{}", "a:b", "a?", "a*", "a[b", "a\\b", "@{-1}"),
        *("@", "a.lock", "a.lock/b", ".a", "a/.b", "a.", "/a", "a/", "a//b", "a\nb", "a\x7f"),
    ],
)
def test_names_that_git_forbids_are_refused(ref: str) -> None:
    """Nothing that means more than one ref, or an option."""
    assert ref_fault(ref) is not None


@pytest.mark.parametrize("path", [".", "accounts/eu", "./a", "a b", ".hidden/x", "ünï", "a/"])
def test_folders_below_the_top_may_be_named(path: str) -> None:
    """A path is relative to the top of the repository."""
    assert path_fault(path) is None


@pytest.mark.parametrize("path", ["", "/etc", "..", "../..", "a/../../b", "-x", "--help", "a\nb", "a\0b", "a\\b"])
def test_folders_outside_are_refused(path: str) -> None:
    """Nor may it be an option, or go over several lines."""
    assert path_fault(path) is not None


def test_only_a_full_id_is_a_commit() -> None:
    """A short one may be the name of a branch."""
    assert is_commit("0123456789abcdef" * 4)
    assert is_commit("0123456789abcdef0123456789abcdef01234567")
    assert not is_commit("0123456")
    assert not is_commit("0123456789ABCDEF0123456789ABCDEF01234567")
