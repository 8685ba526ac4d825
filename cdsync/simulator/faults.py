"""Things that go wrong on request: which of them, on which requests, how many times.

A fault is data. The first one that matches a request and is not used up interferes with it; where in the handling of
the request it does so is decided in `app` and, for listings, in `listing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from cdsync.simulator.refusals import bad_input

Kind = Literal[
    "status",
    "non_json",
    "rate_limit",
    "slow",
    "drop_before",
    "drop_after",
    "partial",
    "stale_listing",
    "shifting_listing",
    "unknown_fields",
]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(slots=True, kw_only=True)
class Fault:
    """One kind of trouble.

    Attributes:
        kind: what happens.
        method: only requests with this method; None: all.
        path: glob of whole paths.
        times: how many requests it hits before it is used up.
        skip: how many matching requests pass first.
        after: for `status`, `non_json` and `slow`: the request takes effect first. Without it a slow one takes effect
            after the delay, even if the client has given up by then.
        code: status code of `status` and `non_json`.
        label, message: error body of `status`.
        seconds: the delay of `slow` in real time, the Retry-After of `rate_limit`.
        writes: how many writes `stale_listing` has not seen yet.
        change: whether `shifting_listing` inserts a foreign row before the offset or removes one.
    """

    kind: Kind
    method: str | None = None
    path: str = "*"
    times: int = 1
    skip: int = 0
    after: bool = False
    code: int = 0
    label: str = "UNKNOWN_ERROR"
    message: str = "An injected fault"
    seconds: float = 1.0
    writes: int = 1
    change: Literal["insert", "remove"] = "insert"

    def matches(self, method: str, path: str) -> bool:
        """Whether this fault is about such a request and not used up."""
        return self.times > 0 and self.method in {None, method} and fnmatchcase(path, self.path)


@dataclass(slots=True)
class Faults:
    """The faults in force, oldest first."""

    active: list[Fault] = field(default_factory=list)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, if any; it is used up by one."""
        for fault in self.active:
            if not fault.matches(method, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times == 0:
                self.active.remove(fault)
            return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """The faults in force, for the control API."""
        return [asdict(fault) for fault in self.active]


def read_faults(body: object) -> list[Fault]:
    """Read the body of `POST /_sim/faults`: one fault or a list of them.

    Raises:
        Refusal: an unknown kind or field.
    """
    return [_read_fault(item) for item in (body if isinstance(body, list) else [body])]


TYPES: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}


def _read_fault(item: object) -> Fault:
    known = {spec.name: str(spec.type) for spec in fields(Fault)}
    if not isinstance(item, Mapping) or item.get("kind") not in KINDS:
        raise bad_input(f"a fault needs a 'kind', one of {', '.join(KINDS)}")
    unknown = sorted(set(item) - set(known))
    if unknown:
        raise bad_input(f"a fault has no field {unknown[0]!r}; it has {', '.join(known)}")
    for name, value in item.items():
        if not isinstance(value, TYPES.get(known[name], (str, type(None)))):
            raise bad_input(f"field {name!r} of a fault cannot be {value!r}")
    return Fault(**item)
