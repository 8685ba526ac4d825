"""All looks, one after the other, each with what it needs of those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cdsync.assembly import Surroundings, references_of, settings_of
from cdsync.core.findings import Finding, fail, ok
from cdsync.doctor.account import look_at_account
from cdsync.doctor.declaration import look_at_declaration, look_at_git
from cdsync.doctor.files import look_at_folders, look_at_state
from cdsync.doctor.repository import look_at_repository
from cdsync.doctor.secrets import look_at_key, look_at_secrets
from cdsync.errors import CdsyncError, UnresolvedReference
from cdsync.settings import Settings


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to look at, and how."""

    what: str
    make: Callable[[], Iterator[Finding]]


async def examine(around: Surroundings) -> tuple[Finding, ...]:
    """Look at everything, and give what was found, in the order of the looks."""
    try:
        settings = settings_of(around)
    except CdsyncError as error:
        problem = str(error).partition("\n")[0]
        remedy = error.remedy or "cdsync validate shows all problems"
        unread = fail("settings", problem, remedy)
        return (unread, *_made(Look("git", lambda: look_at_git(around.root))))
    findings = [ok("settings", f"{settings.root / 'cdsync.yaml'} is valid")]
    looks = (
        Look("declaration", lambda: look_at_declaration(around)),
        Look("folder", lambda: look_at_folders(settings)),
        Look("state", lambda: look_at_state(settings)),
        *(() if settings.daemon.git else (Look("git", lambda: look_at_git(settings.root)),)),
        Look("key", lambda: look_at_key(settings, around)),
        Look("secret", lambda: look_at_secrets(settings, around)),
    )
    for look in looks:
        findings.extend(_made(look))
    repository = [finding async for finding in look_at_repository(settings, around)]
    return (*findings, *repository, *await _account(settings, around))


def _made(look: Look) -> Iterator[Finding]:
    try:
        yield from look.make()
    except (CdsyncError, OSError) as error:
        remedy = error.remedy if isinstance(error, CdsyncError) else None
        yield fail(look.what, str(error), remedy)


async def _account(settings: Settings, around: Surroundings) -> tuple[Finding, ...]:
    try:
        key = references_of(settings, around).resolve(settings.api.key)
    except UnresolvedReference:
        return (fail("api", "not asked, because there is no key"),)
    try:
        return tuple([finding async for finding in look_at_account(settings, key, around)])
    except CdsyncError as error:
        return (fail("api", str(error), error.remedy),)
