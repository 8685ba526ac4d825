"""The settings of a config root as values, and the rule by which flags and the environment win over the file.

Nothing here reads a file: `config` does, and fills these in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from cdsync.core.gitnames import HEAD
from cdsync.core.policy import Policy
from cdsync.core.urls import Endpoint
from cdsync.core.work import Reference

DialectName: TypeAlias = Literal["auto", "manage", "rest"]
EventName: TypeAlias = Literal["failed", "attention", "drift", "applied"]
Verification: TypeAlias = Literal["none", "ssh", "gpg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """How to reach the API. `timeout` bounds one request; `settle` is how long a lost write may take to show up.

    `key` is a reference, or the value of CDSYNC_API_KEY, which is why it is left out of the representation.
    """

    base_url: str = "https://api.captaindata.com"
    dialect: DialectName = "auto"
    prefix: str = "/v4"
    key: Reference | str = field(default=Reference("env", "CAPTAIN_DATA_API_KEY"), repr=False)
    requests_per_minute: int = 60
    timeout: timedelta = timedelta(seconds=30)
    settle: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitSettings:
    """The repository that the declaration comes from, and how it is reached and believed.

    `path` is the folder of the declaration in it. `timeout` bounds each run of git, `poll` lies between two looks at
    the remote. Paths of files are absolute; `token` and `ssh_key` are only ever references.
    """

    url: str
    ref: str = HEAD
    path: str = "."
    poll: timedelta = timedelta(seconds=60)
    timeout: timedelta = timedelta(seconds=60)
    verify: Verification = "none"
    allowed_signers: Path | None = None
    keyring: Path | None = None
    allow_rewind: bool = False
    username: str = "git"
    token: Reference | None = None
    ssh_key: Reference | None = None
    known_hosts: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSettings:
    """How the daemon works.

    Without `git` the declaration is the config root itself. `interval` lies between the end of one pass and the
    beginning of the next. Without `token` nobody may ask for a pass over HTTP, without `webhook_secret` no hook is
    believed. `refresh` is how often the status page reloads itself; `trusted_header` is the header by which a proxy on
    this machine says that it knows who asks.
    """

    interval: timedelta = timedelta(seconds=60)
    listen: Endpoint | None = None
    token: Reference | None = None
    webhook_secret: Reference | None = None
    git: GitSettings | None = None
    refresh: timedelta = timedelta(seconds=15)
    trusted_header: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who is told of which events. The URL may itself be a secret, and so is left out of the representation."""

    url: str | Reference = field(repr=False)
    on: tuple[EventName, ...] = ("failed", "attention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything of `cdsync.yaml`; `root`, `state` and `results` are absolute."""

    root: Path
    api: ApiSettings = field(default_factory=ApiSettings)
    policy: Policy = field(default_factory=Policy)
    daemon: DaemonSettings = field(default_factory=DaemonSettings)
    notify: tuple[Subscription, ...] = ()
    state: Path
    results: Path

    @property
    def references(self) -> tuple[Reference, ...]:
        """Where the secrets are that let cdsync in, or others in to cdsync: API, listener, repository."""
        git = self.daemon.git
        named = (
            self.api.key,
            self.daemon.token,
            self.daemon.webhook_secret,
            *((git.token, git.ssh_key) if git is not None else ()),
        )
        return tuple(value for value in named if isinstance(value, Reference))

    @property
    def longest_request(self) -> timedelta:
        """How long the longest of all single requests may take: to the API, or by a run of git."""
        return max(self.api.timeout, self.daemon.git.timeout if self.daemon.git else timedelta())

    @property
    def account(self) -> str:
        """Where the API is, and as whom cdsync acts there: what a saved plan is good for."""
        return f"{self.api.base_url.rstrip('/')}{self.api.prefix} as {self.policy.owner}"


def with_environment(settings: Settings, environment: Mapping[str, str], *, api_url: str | None = None) -> Settings:
    """Let CDSYNC_API_URL, CDSYNC_API_KEY and CDSYNC_STATE win over the file; under systemd state and results move home.

    The order is flag, CDSYNC_* variable, the file, $STATE_DIRECTORY (only where the file is silent, which the reader
    of the file decides by setting `state` to the default path below the root).
    """
    api = settings.api
    if url := api_url or environment.get("CDSYNC_API_URL"):
        api = replace(api, base_url=url)
    if key := environment.get("CDSYNC_API_KEY"):
        api = replace(api, key=key)
    state = settings.state
    if path := environment.get("CDSYNC_STATE"):
        state = Path(path).absolute()
    elif state == default_state(settings.root) and (directory := environment.get("STATE_DIRECTORY")):
        state = Path(directory.split(":")[0]) / "state.db"
    results = settings.results
    if results == default_results(settings.root) and (directory := environment.get("STATE_DIRECTORY")):
        results = Path(directory.split(":")[0]) / "results"
    return replace(settings, api=api, state=state, results=results)


def cache_folder(environment: Mapping[str, str]) -> Path | None:
    """Where what can be read again is kept: $CDSYNC_CACHE (empty: nowhere), else the user's folder for such things."""
    if (own := environment.get("CDSYNC_CACHE")) is not None:
        return Path(own).absolute() if own else None
    if (caches := environment.get("XDG_CACHE_HOME")) and Path(caches).is_absolute():
        return Path(caches) / "cdsync"
    home = environment.get("HOME")
    return Path(home) / ".cache" / "cdsync" if home else None


def default_state(root: Path) -> Path:
    """Where the state of a root lies when nothing else is said."""
    return root / ".cdsync" / "state.db"


def default_results(root: Path) -> Path:
    """Where the results of live runs go when nothing else is said."""
    return root / "results"
