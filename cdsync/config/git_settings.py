"""`daemon.git` of `cdsync.yaml` -> GitSettings, and what a JSON Schema cannot say about it.

What would silently protect nothing is refused: signers without verify, or a token for a URL that takes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cdsync.config.fields import reference
from cdsync.config.places import shortened
from cdsync.config.yaml_nodes import Tree
from cdsync.core.gitnames import path_fault, ref_fault, repository_fault, transport_of
from cdsync.core.policy import parse_duration
from cdsync.core.work import Json, Reference
from cdsync.errors import Problem
from cdsync.settings import GitSettings

_SIGNERS = {"ssh": "allowed_signers", "gpg": "keyring"}
_TRANSPORTS = {"token": "https", "username": "https", "ssh_key": "ssh", "known_hosts": "ssh"}
_FILES = ("allowed_signers", "keyring", "known_hosts")


def git_problems(tree: Tree, section: Mapping[str, Json]) -> Iterator[Problem]:
    """What is wrong with a section that has the right shape."""
    for key, message in _faults(section):
        yield tree.problem(("daemon", "git", key), f"daemon.git.{key} {message}")


def _faults(section: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    url = section.get("url")
    if not isinstance(url, str):
        return
    if fault := repository_fault(url):
        yield "url", f"is {fault}"
    for key, fault_of in (("ref", ref_fault), ("path", path_fault)):
        value = section.get(key)
        if isinstance(value, str) and (fault := fault_of(value)):
            yield key, f"is {shortened(value)!r}, {fault}"
    for key in _FILES:
        value = section.get(key)
        if isinstance(value, str) and ('"' in value or not value.isprintable()):
            yield key, f"is {shortened(value)!r}, a path that ssh cannot be given; expected one without quotes"
    if not repository_fault(url):
        yield from _misplaced(section, "https" if transport_of(url) == "http" else transport_of(url))
    yield from _unverified(section)


def _misplaced(section: Mapping[str, Json], transport: str) -> Iterator[tuple[str, str]]:
    for key, wanted in _TRANSPORTS.items():
        if key in section and wanted != transport:
            yield key, f"goes with a URL of {wanted} only; expected none for this one"


def _unverified(section: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    verify = section.get("verify", "none")
    for kind, key in _SIGNERS.items():
        if verify == kind and key not in section:
            yield "verify", f"is {kind}, but nobody may sign; expected {key} beside it"
        elif verify != kind and key in section:
            yield key, f"is not looked at while verify is {verify}; expected verify: {kind} beside it"


def git_settings(value: Json, root: Path) -> GitSettings:
    """The settings of a section without problems; paths are taken from the config root."""
    section: Mapping[str, Any] = value if isinstance(value, dict) else {}
    usual = GitSettings(url="")
    texts = {key: section[key] for key in ("ref", "path", "verify", "username", "allow_rewind") if key in section}
    return GitSettings(
        url=section["url"],
        poll=_duration(section, "poll", usual.poll),
        timeout=_duration(section, "timeout", usual.timeout),
        token=_reference(section, "token"),
        ssh_key=_reference(section, "ssh_key"),
        **texts,
        **{key: root / section[key] for key in _FILES if key in section},
    )


def _duration(section: Mapping[str, Any], key: str, usual: timedelta) -> timedelta:
    return parse_duration(section[key]) if key in section else usual


def _reference(section: Mapping[str, Any], key: str) -> Reference | None:
    return reference(section[key]) if key in section else None
