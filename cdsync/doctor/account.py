"""The API as it answers now: dialect, key, workspace, clock and rate limit. Reads only, and only a few."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from cdsync.api import Api, Operation
from cdsync.assembly import Surroundings, connection
from cdsync.core.findings import Finding, fail, ok, warn
from cdsync.errors import StoreError
from cdsync.settings import Settings
from cdsync.store import open_reader

SKEW = 10.0
"""Seconds by which two clocks may differ before it is told."""


async def look_at_account(settings: Settings, key: str, around: Surroundings) -> AsyncIterator[Finding]:
    """Ask for one schedule, and say what the answer tells.

    Raises:
        ApiError: there was none.
    """
    async with connection(settings, key, None, around) as api:
        await api.read(Operation.LIST_SCHEDULES, query={"limit": "1"})
        where = f"{settings.api.base_url}{settings.api.prefix}"
        yield ok("api", f"{where} answers, in dialect {api.dialect.name}, and takes the key")
        yield _clock(api)
        yield _rate_limit(api.rate_limit(), settings)
        async for finding in _workspace(api, known=_workspace_of_state(settings)):
            yield finding


def _workspace_of_state(settings: Settings) -> str | None:
    """The workspace that the state belongs to, if it can be read; what is wrong with it is another look's finding."""
    with suppress(StoreError), open_reader(settings.state) as store:
        return store.fact("workspace")
    return None


def _clock(api: Api) -> Finding:
    skew = (api.server_now() - api.local_now()).total_seconds()
    if abs(skew) <= SKEW:
        return ok("clock", f"within {SKEW:.0f} s of the server's")
    direction = "ahead of" if skew > 0 else "behind"
    return warn(
        "clock",
        f"the server's is {abs(skew):.0f} s {direction} this machine's",
        "set the clock (timedatectl set-ntp true); until then a removal waits until both say that its grace is over",
    )


def _rate_limit(told: Mapping[str, str], settings: Settings) -> Finding:
    budget = f"cdsync keeps below {settings.api.requests_per_minute} requests a minute"
    if not told:
        return ok("rate limit", f"the API did not tell its own; {budget}")
    words = ", ".join(f"{name.removeprefix('x-ratelimit-')} {value}" for name, value in sorted(told.items()))
    if told.get("x-ratelimit-remaining", "").strip() == "0":
        return warn("rate limit", f"used up ({words})", "wait, or lower api.requests_per_minute")
    return ok("rate limit", f"{words}; {budget}")


async def _workspace(api: Api, *, known: str | None) -> AsyncIterator[Finding]:
    shown = await api.workspace()
    if shown is None or known is None:
        return
    if shown == known:
        yield ok("workspace", "the key opens the one that the state belongs to")
    else:
        yield fail(
            "workspace",
            f"the key opens {shown}, but the state belongs to {known}",
            "use the key of that workspace, or another state (CDSYNC_STATE) for this one",
        )
