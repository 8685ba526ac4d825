"""The routes of the status page: who may look, what is asked for, and the headers that keep a page to itself.

A page is made in a thread, from values that do not change, so that however large it is no pass waits for it. Only the
state is read in the loop, which owns it: a few rows at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from cdsync.core.model import Address
from cdsync.core.records import HistoryEntry, HistoryFilter
from cdsync.core.status import Health
from cdsync.daemon.admission import Admission, admission
from cdsync.errors import CdsyncError
from cdsync.logs import logger
from cdsync.page.history import PAGE, Question, history_page
from cdsync.page.overview import Wish, overview_page
from cdsync.page.refusal import refused_page
from cdsync.page.rendering import compiled, stylesheet
from cdsync.page.resource import HISTORY, missing_page, resource_page
from cdsync.page.snapshot import Snapshot

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

CHALLENGE = {"WWW-Authenticate": 'Basic realm="cdsync", charset="UTF-8"'}

Aside = Callable[[Callable[[], str | None]], Awaitable[str | None]]
"""Makes a page where it does not hold up the loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What the pages are made from. `host` is where is listened; a secret is looked up when it is needed."""

    snapshot: Callable[[], Snapshot]
    history: Callable[[HistoryFilter, int], Sequence[tuple[int, HistoryEntry]]]
    host: str
    token: Callable[[], str | None]
    trusted_header: Callable[[], str | None]
    aside: Aside = asyncio.to_thread


async def prepare() -> None:
    """Do what only the first page would wait for, in a thread of its own: most of a second on a small machine."""
    await asyncio.to_thread(compiled)


def page_routes(window: Window) -> list[BaseRoute]:
    """The routes of every page and of the style sheet."""

    async def overview(request: Request) -> Response:
        wish, snapshot = _wish(request.query_params), window.snapshot()
        text = await window.aside(lambda: overview_page(snapshot, wish))
        return _page(text, snapshot, refreshing=not wish.still)

    async def history(request: Request) -> Response:
        asked = _question(request.query_params)
        snapshot = window.snapshot()
        try:
            wanted = asked.filter()
        except ValueError as error:
            return _page(history_page(snapshot, asked, (), fault=str(error)), snapshot, status=400)
        found = window.history(wanted, PAGE + 1)
        return _page(await window.aside(lambda: history_page(snapshot, asked, found)), snapshot)

    async def resource(request: Request) -> Response:
        snapshot, text = window.snapshot(), request.url.path.removeprefix("/")
        try:
            address = Address.parse(text)
        except ValueError:
            return _page(missing_page(snapshot, text), snapshot, status=404)
        found = [entry for _, entry in window.history(HistoryFilter(address=address), HISTORY)]
        page = await window.aside(lambda: resource_page(snapshot, address, found))
        if page is None:
            return _page(missing_page(snapshot, text), snapshot, status=404)
        return _page(page, snapshot, refreshing=True)

    async def style(_request: Request) -> Response:
        return Response(stylesheet(), media_type="text/css", headers=HEADERS)

    return [
        Route(path, _guarded(endpoint, window))
        for path, endpoint in (
            ("/", overview),
            ("/history", history),
            ("/style.css", style),
            ("/schedule/{name}", resource),
            ("/run/{name}", resource),
        )
    ]


Endpoint = Callable[[Request], Awaitable[Response]]


def _guarded(endpoint: Endpoint, window: Window) -> Endpoint:
    """Let only those in who may look."""

    async def answer(request: Request) -> Response:
        try:
            token = window.token()
        except CdsyncError as error:
            # Without a token to compare with nobody is known by one; the other ways in stay open.
            logger().error("listener.no_secret", error=str(error), remedy=error.remedy)
            token = None
        match admission(
            request.headers,
            peer=request.client.host if request.client else None,
            host=window.host,
            token=token,
            trusted_header=window.trusted_header(),
        ):
            case Admission.WELCOME:
                return await endpoint(request)
            case Admission.MISDIRECTED:
                text = "This page answers to a name of this machine only, such as 127.0.0.1 or localhost."
                return HTMLResponse(refused_page("Another host was asked for", text), status_code=421, headers=HEADERS)
            case Admission.UNKNOWN:
                text = "Give the token of the daemon (daemon.token) as the password; the name does not matter."
                return HTMLResponse(
                    refused_page("A token is needed", text), status_code=401, headers={**HEADERS, **CHALLENGE}
                )

    return answer


def _page(text: str | None, snapshot: Snapshot, *, status: int = 200, refreshing: bool = False) -> Response:
    headers = HEADERS
    if refreshing:
        headers = {**HEADERS, "Refresh": f"{snapshot.refresh.total_seconds():.0f}"}
    return HTMLResponse(text, status_code=status, headers=headers)


def _wish(query: Mapping[str, str]) -> Wish:
    health, page = query.get("health", ""), query.get("page", "")
    return Wish(
        search=query.get("q", "")[:100],
        health=health if health in set(Health) else "",
        page=int(page) if page.isascii() and page.isdecimal() and len(page) < 9 else 1,
        still=query.get("refresh") == "off",
    )


def _question(query: Mapping[str, str]) -> Question:
    address, result, since, before = (
        query.get(name, "")[:200].strip() for name in ("address", "result", "since", "before")
    )
    return Question(address=address, result=result, since=since, before=before)
