"""Whether each reference to a secret leads to one, without ever showing it."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from cdsync.assembly import Surroundings, references_of
from cdsync.core.findings import Finding, fail, ok, warn
from cdsync.core.urls import url_fault
from cdsync.core.work import Reference
from cdsync.errors import UnresolvedReference
from cdsync.references import References
from cdsync.settings import Settings


def look_at_key(settings: Settings, around: Surroundings) -> Iterator[Finding]:
    """The key of the API."""
    key = settings.api.key
    if isinstance(key, Reference):
        yield from _look(f"key {key}", key, references_of(settings, around))
    else:
        yield ok("key", "given by CDSYNC_API_KEY")


def look_at_secrets(settings: Settings, around: Surroundings) -> Iterator[Finding]:
    """What the daemon's listener and its notifications need."""
    references = references_of(settings, around)
    daemon = settings.daemon
    named = [("token", daemon.token), ("webhook_secret", daemon.webhook_secret)]
    named += [("git.token", daemon.git.token)] if daemon.git else []
    for name, reference in named:
        if reference is not None:
            yield from _look(f"daemon.{name} {reference}", reference, references)
    for number, subscription in enumerate(settings.notify):
        if isinstance(subscription.url, Reference):
            yield from _look_at_url(f"notify[{number}].url {subscription.url}", subscription.url, references)


def _look(what: str, reference: Reference, references: References) -> Iterator[Finding]:
    try:
        references.resolve(reference)
    except UnresolvedReference as error:
        yield fail(what, str(error), error.remedy)
        return
    if reference.source == "file" and _readable_by_others(reference, references):
        yield warn(what, "found, but others on this machine can read the file", "chmod 600 it")
    else:
        yield ok(what, "found")


def _look_at_url(what: str, reference: Reference, references: References) -> Iterator[Finding]:
    for finding in _look(what, reference, references):
        fault = url_fault(references.resolve(reference)) if finding.grade != "fail" else None
        yield fail(what, f"it is {fault}") if fault else finding


def _readable_by_others(reference: Reference, references: References) -> bool:
    mode = (references.root / reference.name).stat().st_mode
    return bool(mode & (stat.S_IRGRP | stat.S_IROTH))
