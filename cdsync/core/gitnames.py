"""Which URLs, refs and paths of a git repository may be used: none that git, ssh or a shell could take for an option.

What is wrong is said without the URL itself, which may hold a secret by mistake.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from cdsync.core.urls import is_loopback

Transport: TypeAlias = Literal["https", "http", "ssh", "file"]

HEAD = "HEAD"
"""The ref that stands for the branch that the remote shows first."""

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f]+")
_SCHEME = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9+.-]*):(?://|:)")
_HOST = r"[A-Za-z0-9][A-Za-z0-9.-]*"
_USER = r"[A-Za-z0-9_][A-Za-z0-9._+-]*"
_SCP = re.compile(rf"(?:{_USER}@)?{_HOST}:[^:@-][^@]*")
_SSH_PLACE = re.compile(rf"(?:{_USER}@)?(?:{_HOST}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")
_FORBIDDEN_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")

_EXPECTED = "expected https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, or the absolute path of a repository"


def repository_fault(url: str) -> str | None:
    """Why git may not be sent to a URL; None if it may."""
    if not _VISIBLE.fullmatch(url) or url.startswith("-"):
        return f"no URL; {_EXPECTED}"
    if url.startswith("/"):
        return None
    scheme = _SCHEME.match(url)
    if scheme is None:
        return None if _SCP.fullmatch(url) else f"no URL; {_EXPECTED}"
    return _url_fault(scheme["name"], url)


def _url_fault(scheme: str, url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"no URL; {_EXPECTED}"
    if not url.startswith(f"{scheme}://") or scheme not in {"https", "http", "ssh", "file"}:
        return f"a URL that begins with {scheme}:; {_EXPECTED}"
    if parts.password is not None or (parts.username is not None and scheme != "ssh"):
        return "a URL with a user or password in it; expected username and token beside it"
    if parts.query or parts.fragment or len(parts.path) < 2:
        return f"no URL of a repository; {_EXPECTED}"
    if scheme == "file":
        return None if not parts.netloc else "a file URL with a host; expected file:///PATH"
    if scheme == "ssh":
        return _ssh_fault(parts)
    if not host or (scheme == "http" and not is_loopback(host)):
        return f"{scheme}://{host or ''}; expected https, or plain http to loopback only"
    return None


def _ssh_fault(parts: SplitResult) -> str | None:
    sound = _SSH_PLACE.fullmatch(parts.netloc) and not parts.path.startswith("/-")
    return None if sound else f"no URL for ssh; {_EXPECTED}"


def transport_of(url: str) -> Transport:
    """How git reaches a URL that has no fault."""
    if url.startswith(("/", "file://")):
        return "file"
    if url.startswith("https://"):
        return "https"
    return "http" if url.startswith("http://") else "ssh"


def is_commit(ref: str) -> bool:
    """Whether a ref is a full commit id."""
    return _COMMIT.fullmatch(ref) is not None


def ref_fault(ref: str) -> str | None:
    """Why a text cannot be a branch, a tag, a full ref or a full commit id; None if it can (git-check-ref-format)."""
    names = ref.split("/")
    sound = (
        not _FORBIDDEN_IN_REF.search(ref)
        and not ref.startswith("-")
        and not ref.endswith(".")
        and ref != "@"
        and all(name and not name.startswith(".") and not name.endswith(".lock") for name in names)
    )
    return None if sound else "no name of git; expected a branch, a tag or a full commit id"


def path_fault(path: str) -> str | None:
    """Why a text cannot be a folder of a repository; None if it can."""
    sound = (
        path.isprintable()
        and path != ""
        and not path.startswith(("/", "-"))
        and "\\" not in path
        and ".." not in path.split("/")
    )
    return None if sound else "no folder of a repository; expected a path relative to its top, such as accounts/eu"
