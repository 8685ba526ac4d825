"""What an execution does, apart from when: the action, its inputs, whose identity it uses, where results go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cdsync.core.values import value_class

if TYPE_CHECKING:
    Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
else:
    # What goes by annotations to make values cannot follow one into itself.
    Json = Any

IdentityMode: TypeAlias = Literal["direct", "auto", "managed"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointer to a secret, `{env: X}`, `{file: P}` or `{credential: N}`; it never holds the value."""

    source: Literal["env", "file", "credential"]
    name: str

    def __str__(self) -> str:
        return f"{{{self.source}: {self.name}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """Where results are delivered. The values of headers are sensitive, and so is the URL when it is a reference."""

    url: str | Reference = field(repr=False)
    headers: Mapping[str, str | Reference] = field(default_factory=dict, repr=False)
    on: Literal["all", "final"] = "all"

    def references(self) -> Iterator[tuple[tuple[str, ...], Reference]]:
        """Its references, each with its path from here."""
        if isinstance(self.url, Reference):
            yield ("url",), self.url
        for name, value in self.headers.items():
            if isinstance(value, Reference):
                yield ("headers", name), value


@value_class(frozen=True, slots=True, kw_only=True)
class Work:
    """What an execution does, apart from when: the part that schedules and runs have in common.

    `inputs` are the API's own objects (1 to 100 for a schedule, 1 to 100,000 for an async run). A schedule's API object
    shows only its `action`; all else is write-only there and compared through fingerprints.
    """

    action: str
    inputs: tuple[Mapping[str, Json], ...]
    parameters: Mapping[str, Json] = field(default_factory=dict)
    identity_mode: IdentityMode = "direct"
    identity_ids: tuple[str, ...] = ()
    callback: Callback | None = None
