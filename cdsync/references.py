"""References to secrets, resolved: from the environment, a file, or a systemd credential, as strings exactly as found.

The values live only in the `Work` that this module gives back for one request or one fingerprint; what is wrong with
one is told by the name of the reference alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cdsync.core.urls import url_fault
from cdsync.core.work import Reference, Work
from cdsync.errors import UnresolvedReference


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Where references are looked up; relative files are below `root`.

    `withheld` are the places of secrets that are cdsync's own, as `place_of` gives them: no callback may name one, or
    whoever may change the declaration could have the API key sent to wherever they like.
    """

    root: Path
    withheld: frozenset[str] = field(default=frozenset(), repr=False)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def resolve(self, value: str | Reference) -> str:
        """The value of a reference; a literal is its own.

        A file's last line break is not part of its value.

        Raises:
            UnresolvedReference: there is none, it is empty, or it cannot be a header's value.
        """
        if isinstance(value, str):
            return value
        found = self._look_up(value)
        if not found or not found.isprintable():
            what = "empty" if not found else "not one line of printable text"
            raise UnresolvedReference(f"the reference {value} is {what}", remedy="set it to the secret itself")
        return found

    def _look_up(self, reference: Reference) -> str:
        match reference.source:
            case "env":
                if reference.name not in self.environment:
                    raise UnresolvedReference(
                        f"the environment variable {reference.name} is not set", remedy=f"export {reference.name}=..."
                    )
                return self.environment[reference.name]
            case "file" | "credential":
                return _read(self.path_of(reference), reference)

    def path_of(self, reference: Reference) -> Path:
        """The file that holds the value of a reference, for a program that wants the file itself.

        Raises:
            UnresolvedReference: it is an environment variable, or no credentials were passed.
        """
        if reference.source == "file":
            return self.root / reference.name
        folder = self.environment.get("CREDENTIALS_DIRECTORY")
        if reference.source == "env" or folder is None:
            what = f"{reference} is no file" if folder else f"no credentials were passed, so {reference} has no value"
            raise UnresolvedReference(what, remedy=f"run under systemd with LoadCredential={reference.name}:PATH")
        return Path(folder) / reference.name

    def place_of(self, reference: Reference) -> str:
        """What a reference leads to, the same for two that lead to the same."""
        if reference.source == "env":
            return f"env {reference.name}"
        try:
            return os.path.realpath(self.path_of(reference))
        except (UnresolvedReference, ValueError):
            return str(reference)

    def _resolve_for_others(self, value: str | Reference) -> str:
        if isinstance(value, Reference) and self.withheld and self.place_of(value) in self.withheld:
            raise UnresolvedReference(
                f"the reference {value} leads to a secret of cdsync itself, which no callback may be sent",
                remedy="give the callback a secret of its own",
            )
        return self.resolve(value)

    def resolve_work(self, work: Work) -> Work:
        """The work with every reference of its callback replaced by its value.

        Raises:
            UnresolvedReference: one of them has none.
        """
        if work.callback is None:
            return work
        headers = {name: self._resolve_for_others(value) for name, value in work.callback.headers.items()}
        url = self._resolve_for_others(work.callback.url)
        if fault := url_fault(url):
            raise UnresolvedReference(f"callback.url, by the reference {work.callback.url}, is {fault}")
        return replace(work, callback=replace(work.callback, url=url, headers=headers))


def _read(path: Path, reference: Reference) -> str:
    try:
        if path.is_fifo():
            raise UnresolvedReference(f"the reference {reference} cannot be read: Is a pipe")
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UnresolvedReference(f"the reference {reference} cannot be read: {reason}") from None
