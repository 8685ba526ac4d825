"""What git complains of -> what a person is told: the essence of it, and what to do. Nothing secret passes."""

from __future__ import annotations

from collections.abc import Mapping

from cdsync.config.reading import printable
from cdsync.errors import GitUnreachable
from cdsync.gitsource.access import Access

_LONGEST = 300
_NOISE = ("hint:", "warning:", "remote: Enumerating", "remote: Counting", "remote: Compressing", "remote: Total")

_REMEDIES: Mapping[str, str] = {
    "Host key verification failed": "put the key of the host into the file that daemon.git.known_hosts names",
    "Permission denied (publickey": "let daemon.git.ssh_key be a key that may read the repository",
    "Load key": "let daemon.git.ssh_key be a private key that only the user of the daemon may read",
    "could not read Username": "set daemon.git.token to a token that may read the repository",
    "could not read Password": "set daemon.git.token to a token that may read the repository",
    "Authentication failed": "see whether the token of daemon.git.token is valid and may read the repository",
    "returned error: 401": "see whether the token of daemon.git.token is valid and may read the repository",
    "returned error: 403": "see whether the token of daemon.git.token is valid and may read the repository",
    "returned error: 404": "see whether daemon.git.url is right, and the token may read the repository",
    "returned error: 30": "let daemon.git.url be the address that the server redirects to",
    "dubious ownership": "let the user of the daemon own the repository, or name it by another URL",
    "not our ref": "let daemon.git.ref be a branch or a tag; this remote does not give single commits",
    "unadvertised object": "let daemon.git.ref be a branch or a tag; this remote does not give single commits",
    "does not appear to be a git repository": "see whether daemon.git.url is right",
    "not found": "see whether daemon.git.url is right, and the repository may be read",
    "No space left on device": "make room where the state is kept",
    "transport '": "let daemon.git.url name the repository itself",
}
_OTHERWISE = "see whether the remote can be reached; the next pass tries again"


def essence(complaint: str, access: Access) -> str:
    """The lines of a complaint that say what is wrong, as one line that may be shown."""
    lines = [line.strip() for line in access.without_secrets(complaint).splitlines()]
    telling = [line for line in lines if line and not line.startswith(_NOISE)]
    text = printable("; ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in telling))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def unreachable(doing: str, complaint: str, access: Access) -> GitUnreachable:
    """The error for a remote that did not do what it was asked for."""
    remedy = next((advice for words, advice in _REMEDIES.items() if words in complaint), _OTHERWISE)
    return GitUnreachable(
        f"git could not {doing}: {essence(complaint, access) or 'it does not say why'}", remedy=remedy
    )
