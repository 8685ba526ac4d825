"""What the API never shows again, made comparable: one keyed digest per field, and what a plan may show of it.

The key keeps a state file that leaks from being searched for guessed secrets. The digests decide whether a field has
changed; the synopsis only lets a plan print before and after.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cdsync.core.model import Fingerprints, OneOffRun, Resource, Synopsis
from cdsync.core.work import Callback, Json, Reference, Work

SENSITIVE = "(sensitive)"

HIDDEN_FIELDS = (
    "inputs",
    "parameters",
    "identity_mode",
    "identity_ids",
    "callback.url",
    "callback.headers",
    "callback.on",
)
"""The fields of a declaration that the API takes and never echoes (API contract section 3)."""

_CALLBACK_FIELDS = ("callback.url", "callback.headers", "callback.on")

LAUNCH_FIELDS = ("action", "mode", "schedule_at")
"""What else a launched one-off is compared by: nothing that still exists on the API would show it."""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain)


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, so that equal values have equal bytes."""
    return _ENCODER.encode(value)


class OfContent(NamedTuple):
    """The digests of what a declaration itself holds: they depend on nothing else than its content."""

    inputs: str
    parameters: str

    @classmethod
    def among(cls, fingerprints: Fingerprints) -> OfContent:
        """Those of a resource that was fingerprinted."""
        return cls(fingerprints["inputs"], fingerprints["parameters"])


def fingerprint_of(resource: Resource, work: Work, *, key: bytes, of_content: OfContent | None = None) -> Fingerprints:
    """Digest each hidden field of a resource, whose `work` has its references replaced by their values.

    Inputs are digested row by row, so that 100,000 of them cost no second copy; those `of_content` are taken as they
    are.
    """
    if of_content is None:
        inputs = _digest("inputs", work.inputs, key)
        parameters = _common_digest("parameters", canonical(work.parameters), key)
    else:
        inputs, parameters = of_content
    found = {
        **_common_fingerprints(work.identity_mode, work.identity_ids, key),
        "inputs": inputs,
        "parameters": parameters,
    }
    if work.callback is not None:
        found |= _of_callback(work.callback, key)
    if isinstance(resource, OneOffRun):
        when = resource.schedule_at.timestamp() if resource.schedule_at else None
        values = {"action": work.action, "mode": resource.mode, "schedule_at": when}
        found |= {field: _digest(field, (value,), key) for field, value in values.items()}
    return found


def _of_callback(callback: Callback, key: bytes) -> Fingerprints:
    values: tuple[object, ...] = (callback.url, callback.headers, callback.on)
    return {field: _digest(field, (value,), key) for field, value in zip(_CALLBACK_FIELDS, values, strict=True)}


@lru_cache(maxsize=4096)
def _common_fingerprints(identity_mode: str, identity_ids: tuple[str, ...], key: bytes) -> Fingerprints:
    """What the resources of one identity that have no callback share."""
    return {
        "identity_mode": _digest("identity_mode", (identity_mode,), key),
        "identity_ids": _digest("identity_ids", identity_ids, key),
        **{field: _digest(field, (None,), key) for field in _CALLBACK_FIELDS},
    }


def _digest(field: str, rows: Iterable[object], key: bytes) -> str:
    return _digest_of_texts(field, map(canonical, rows), key)


@lru_cache(maxsize=1024)
def _common_digest(field: str, text: str, key: bytes) -> str:
    """The digest of a value by its text, where many resources have the same; never of a secret."""
    return _digest_of_texts(field, (text,), key)


def _digest_of_texts(field: str, texts: Iterable[str], key: bytes) -> str:
    digest = _begun(field, key).copy()
    for text in texts:
        digest.update(b"\n" + text.encode())
    return digest.hexdigest()[:32]


@lru_cache(maxsize=64)
def _begun(field: str, key: bytes) -> hmac.HMAC:
    return hmac.new(key, field.encode(), hashlib.sha256)


def synopsis_of(resource: Resource) -> Synopsis:
    """What may be shown of each hidden field: references and header values never, inputs only by number and digest."""
    work = resource.work
    shown: dict[str, Json] = {
        "inputs": _inputs_synopsis(work),
        "parameters": dict(work.parameters),
        "identity_mode": work.identity_mode,
        "identity_ids": list(work.identity_ids),
        **_callback_synopsis(work.callback),
    }
    if isinstance(resource, OneOffRun):
        when = resource.schedule_at.isoformat() if resource.schedule_at else None
        shown |= {"action": work.action, "mode": resource.mode, "schedule_at": when}
    return shown


def _inputs_synopsis(work: Work) -> str:
    """How many, and a digest of them, so that a reviewed plan is not another one with as many other inputs."""
    digest = hashlib.sha256()
    for row in work.inputs:
        digest.update(canonical(row).encode())
        digest.update(b"\n")
    count = len(work.inputs)
    return f"{count} input{'' if count == 1 else 's'} (digest {digest.hexdigest()[:8]})"


def _callback_synopsis(callback: Callback | None) -> dict[str, Json]:
    if callback is None:
        return {"callback.url": None, "callback.headers": None, "callback.on": None}
    return {
        "callback.url": SENSITIVE if isinstance(callback.url, Reference) else callback.url,
        "callback.headers": dict.fromkeys(sorted(callback.headers), SENSITIVE),
        "callback.on": callback.on,
    }
