"""Fingerprints of what is declared: made once for a declaration, as long as nothing of it has changed.

A daemon has them from its last pass. A command has from the cache the digests of the inputs and parameters, which are
the most of the work, by the digests of the files that they were read from.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import msgspec

from cdsync.cachefile import CacheFile
from cdsync.core.fingerprint import OfContent, fingerprint_of
from cdsync.core.model import Address, DesiredState, Fingerprints, Kind, MissingSecret, Ownership
from cdsync.core.work import Work
from cdsync.errors import UnresolvedReference
from cdsync.references import References

Kept: TypeAlias = dict[str, dict[str, OfContent]]
"""Content, as in `DesiredState.contents` -> name of a schedule -> digests."""

_KEPT = msgspec.json.Decoder(Kept)


class Seals:
    """What was sealed last, and what of it is in the cache, if there is a place for it."""

    def __init__(self, *, root: Path | None = None, cache: Path | None = None) -> None:
        self._root = root
        self._cache = cache
        self._last: tuple[bytes, DesiredState] | None = None

    def seal(
        self, desired: DesiredState, references: References, *, key: bytes, owned: Mapping[Address, Ownership]
    ) -> DesiredState:
        """Like `seal`."""
        if self._last is not None and self._last[0] == key:
            sealed = seal(desired, references, key=key, known=self._last[1], owned=owned)
        else:
            file = self._file(key)
            kept = _kept_in(file)
            sealed = seal(desired, references, key=key, kept=kept, owned=owned)
            if file is not None and kept.keys() != set(sealed.contents.values()):
                file.write([msgspec.json.encode(_to_keep(sealed))])
        self._last = key, sealed
        return sealed

    def _file(self, key: bytes) -> CacheFile | None:
        if self._root is None or self._cache is None:
            return None
        # Another state has another key, and other digests of the same.
        return CacheFile.of(self._root, self._cache, "seals", depends_on=hmac.digest(key, b"seals", "sha256").hex())


def seal(
    desired: DesiredState,
    references: References,
    *,
    key: bytes,
    known: DesiredState | None = None,
    kept: Kept | None = None,
    owned: Mapping[Address, Ownership] | None = None,
) -> DesiredState:
    """Add to what is declared the fingerprints of what the API hides; what cannot be resolved blocks its resource.

    `known` was sealed with the same key before: a resource that is still the same one, and refers to no secret, has the
    same fingerprints. `kept` are digests that were made with the same key of the same content. Those fingerprints that
    are as they were applied to what is `owned` are in memory once.
    """
    known, kept, owned = known or DesiredState(), kept or {}, owned or {}
    fingerprints: dict[Address, Fingerprints] = {}
    unresolved: dict[Address, MissingSecret] = {}
    for address, resource in desired.resources.items():
        if known.resources.get(address) is resource and not _refers_to_secrets(resource.work):
            fingerprints[address] = known.fingerprints[address]
            continue
        try:
            work = references.resolve_work(resource.work)
        except UnresolvedReference as error:
            unresolved[address] = MissingSecret(str(error), error.remedy or "set it where cdsync runs")
            continue
        same = kept.get(desired.contents.get(address, ""), {}) if address.kind is Kind.SCHEDULE else {}
        found = fingerprint_of(resource, work, key=key, of_content=same.get(address.name))
        row = owned.get(address)
        fingerprints[address] = row.fingerprints if row is not None and row.fingerprints == found else found
    return replace(desired, fingerprints=fingerprints, unresolved=unresolved)


def _refers_to_secrets(work: Work) -> bool:
    return work.callback is not None and any(work.callback.references())


def _kept_in(file: CacheFile | None) -> Kept:
    try:
        return _KEPT.decode(b"".join(file.read()) or b"{}") if file is not None else {}
    except (ValueError, RecursionError):
        return {}


def _to_keep(sealed: DesiredState) -> Kept:
    found: Kept = {content: {} for content in sealed.contents.values()}
    for address, content in sealed.contents.items():
        if address.kind is Kind.SCHEDULE and (fingerprints := sealed.fingerprints.get(address)) is not None:
            found[content][address.name] = OfContent.among(fingerprints)
    return found
