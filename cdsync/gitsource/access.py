"""What lets git in: tokens and keys, from references alone, by its environment and never by its arguments."""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cdsync.core.gitnames import transport_of
from cdsync.core.work import Reference
from cdsync.errors import UnresolvedReference
from cdsync.references import References
from cdsync.settings import GitSettings

HIDDEN = "(sensitive)"

_WITH_USER = re.compile(r"(?<=://)[^/@\s]+@")
_SSH = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "IdentityAgent": "none",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "3",
    "ClearAllForwardings": "yes",
    "PermitLocalCommand": "no",
    "ControlMaster": "no",
    "ControlPath": "none",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Environment variables for git, and the texts in them that may be shown to nobody."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def without_secrets(self, text: str) -> str:
        """A text of git's own, fit to be shown: no secret, no user or password in a URL."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return _WITH_USER.sub("", text)


def access_to(git: GitSettings, references: References) -> Access:
    """What lets git in to the repository of these settings, with its secrets looked up now.

    Raises:
        UnresolvedReference: one of them is not there.
    """
    match transport_of(git.url):
        case "https" | "http":
            return _by_token(git, references)
        case "ssh":
            return Access(environment={"GIT_SSH_VARIANT": "ssh", "GIT_SSH_COMMAND": _ssh(git, references)})
        case _:
            return Access()


def _by_token(git: GitSettings, references: References) -> Access:
    settings = {"http.lowSpeedLimit": "1", "http.lowSpeedTime": str(int(git.timeout.total_seconds()))}
    secrets: tuple[str, ...] = ()
    if git.token is not None:
        token = references.resolve(git.token)
        encoded = b64encode(f"{git.username}:{token}".encode()).decode()
        parts = urlsplit(git.url)
        settings[f"http.{parts.scheme}://{parts.netloc}/.extraHeader"] = f"Authorization: Basic {encoded}"
        secrets = (encoded, token)
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return Access(environment=environment, secrets=secrets)


def _ssh(git: GitSettings, references: References) -> str:
    """The ssh that git calls: without any configuration of the user, and with this key alone."""
    options = {**_SSH, "ConnectTimeout": str(max(1, int(git.timeout.total_seconds())))}
    if git.known_hosts is not None:
        options |= {"UserKnownHostsFile": _quoted(git.known_hosts), "GlobalKnownHostsFile": "/dev/null"}
    if git.ssh_key is not None:
        key = _key_file(git.ssh_key, references)
        options |= {"IdentitiesOnly": "yes", "IdentityFile": _quoted(key)}
    words = ["ssh", "-F", "/dev/null"]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    return shlex.join(words)


def _key_file(reference: Reference, references: References) -> Path:
    path = references.path_of(reference)
    if not path.is_file():
        raise UnresolvedReference(
            f"the reference {reference} leads to no file", remedy="let it lead to a private key that ssh can read"
        )
    return path


def _quoted(path: Path) -> str:
    """A path as the value of an option of ssh, which would expand a percent sign and split at a space."""
    return '"' + str(path).replace("%", "%%") + '"'
