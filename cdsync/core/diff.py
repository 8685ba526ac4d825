"""How a declaration differs from what the API shows and from what was last applied, field by field.

What the API shows is compared by meaning (cron, time zone), what it hides by fingerprint. Nothing is compared as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cdsync.core.cron import same_cron
from cdsync.core.fingerprint import HIDDEN_FIELDS, SENSITIVE, canonical, synopsis_of
from cdsync.core.model import Fingerprints, Ownership, RemoteSchedule, Resource, Schedule
from cdsync.core.work import Json
from cdsync.core.zones import same_timezone

HIDDEN_ROOTS = frozenset(field.split(".", 1)[0] for field in HIDDEN_FIELDS)

STATUS_OF_STATE = {"active": "ACTIVE", "paused": "PAUSED"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after. Sensitive values never get in: they stand as `(sensitive)` already."""

    path: str
    before: Json
    after: Json


def diff_schedule(
    desired: Schedule,
    remote: RemoteSchedule,
    owned: Ownership,
    *,
    fingerprints: Fingerprints,
) -> tuple[FieldChange, ...]:
    """The changes that would make the remote schedule as declared, in a fixed order; empty when it is."""
    hidden = diff_hidden(desired, owned, fingerprints=fingerprints, fields=HIDDEN_FIELDS)
    return (*diff_visible(desired, remote), *hidden)


def diff_visible(desired: Schedule, remote: RemoteSchedule) -> tuple[FieldChange, ...]:
    """The changes in what the API shows: action, cron, time zone and state."""
    changes: list[FieldChange] = []
    if remote.action != desired.work.action:
        changes.append(FieldChange("action", remote.action, desired.work.action))
    if not same_cron(remote.cron, desired.cron):
        changes.append(FieldChange("cron", remote.cron, desired.cron))
    if not same_timezone(remote.timezone, desired.timezone):
        changes.append(FieldChange("timezone", remote.timezone, desired.timezone))
    if remote.status != STATUS_OF_STATE.get(desired.state, remote.status):
        changes.append(FieldChange("state", remote.status.lower(), desired.state))
    return tuple(changes)


def declaration_moved(desired: Schedule, owned: Ownership, changes: tuple[FieldChange, ...]) -> bool:
    """Whether the declaration is another than the one last applied, so that a change is not only the remote's."""
    hidden = any(change.path.split(".", 1)[0] in HIDDEN_ROOTS for change in changes)
    return (
        hidden
        or desired.work.action != owned.action
        or desired.state != owned.state
        or not same_cron(desired.cron, owned.cron)
        or not same_timezone(desired.timezone, owned.timezone)
    )


def diff_hidden(
    desired: Resource, owned: Ownership, *, fingerprints: Fingerprints, fields: tuple[str, ...]
) -> tuple[FieldChange, ...]:
    """The hidden fields whose declaration differs from what was last applied.

    A field that the store has no fingerprint of (an older version wrote it) is taken as unchanged.
    """
    if fingerprints == owned.fingerprints:
        return ()
    differing = [
        field
        for field in fields
        if field in fingerprints and owned.fingerprints.get(field, fingerprints[field]) != fingerprints[field]
    ]
    return tuple(_told(desired, owned, differing)) if differing else ()


def _told(desired: Resource, owned: Ownership, differing: list[str]) -> Iterator[FieldChange]:
    """What may be told of fields that differ."""
    synopsis = synopsis_of(desired)
    for field in differing:
        before, after = owned.synopsis.get(field), synopsis.get(field)
        if canonical(before) == canonical(after):
            yield FieldChange(field, before, f"{after if isinstance(after, str) else SENSITIVE}, changed")
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _diff_mapping(field, before, after)
        else:
            yield FieldChange(field, before, after)


def _diff_mapping(path: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[FieldChange]:
    for key in sorted({*before, *after}):
        # Canonical texts, because Python takes 1, 1.0 and True for equal, and null is not the same as absent.
        if canonical([before[key]] if key in before else []) != canonical([after[key]] if key in after else []):
            yield FieldChange(f"{path}.{key}", before.get(key), after.get(key))


def drift_of(remote: RemoteSchedule, owned: Ownership) -> tuple[FieldChange, ...]:
    """How the remote moved away from what cdsync last applied: `before` is what was applied, `after` what is there."""
    moved: list[FieldChange] = []
    if remote.action != owned.action:
        moved.append(FieldChange("action", owned.action, remote.action))
    if not same_cron(remote.cron, owned.cron):
        moved.append(FieldChange("cron", owned.cron, remote.cron))
    if not same_timezone(remote.timezone, owned.timezone):
        moved.append(FieldChange("timezone", owned.timezone, remote.timezone))
    if remote.status != STATUS_OF_STATE.get(owned.state, remote.status):
        moved.append(FieldChange("state", owned.state, remote.status.lower()))
    return tuple(moved)
