"""The routes of the status page: headers, filters, what is not there, and who is not let in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette

from cdsync.core.model import Address, Kind
from cdsync.core.records import HistoryEntry, HistoryFilter
from cdsync.daemon.pages import HEADERS, Window, page_routes
from cdsync.page.history import PAGE
from tests.page.account import NOW, row, snapshot

ENTRY = HistoryEntry(at=NOW, address=Address(Kind.SCHEDULE, "a"), action="create", result="done", why="<b>declared</b>")


@dataclass
class Front:
    """The pages of an account with one schedule, on loopback unless said otherwise."""

    host: str = "127.0.0.1"
    entries: Sequence[tuple[int, HistoryEntry]] = ((1, ENTRY),)
    asked: list[HistoryFilter] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """One request, and its answer."""

        def history(wanted: HistoryFilter, size: int) -> Sequence[tuple[int, HistoryEntry]]:
            self.asked.append(wanted)
            return self.entries[:size]

        window = Window(
            snapshot=lambda: snapshot(row()),
            history=history,
            host=self.host,
            token=lambda: "t0k3n",
            trusted_header=lambda: None,
        )

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(Starlette(routes=page_routes(window)))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/", "/history", "/schedule/a", "/schedule/b", "/style.css", "/history?since=x"])
def test_every_answer_keeps_a_page_to_itself(path: str) -> None:
    """No script, no frame, no other host, no cache; whatever the answer is."""
    answer = Front(entries=()).get(path)

    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_pages_that_change_reload_themselves_until_told_otherwise() -> None:
    """By a header; the history never does."""
    assert Front().get("/").headers["refresh"] == "15"
    assert Front().get("/schedule/a").headers["refresh"] == "15"
    assert "refresh" not in Front().get("/?refresh=off").headers
    assert "refresh" not in Front().get("/history").headers


@pytest.mark.parametrize("path", ["/schedule/b", "/run/a", "/schedule/%3Cscript%3E"])
def test_what_nobody_knows_is_not_found(path: str) -> None:
    """With a page that says so, as text."""
    answer = Front(entries=()).get(path)

    assert answer.status_code == 404
    assert "Nothing is known as" in answer.text
    assert "<script>" not in answer.text


def test_history_is_filtered_by_its_query() -> None:
    """Address, result, and a day, which is one in UTC."""
    front = Front()
    answer = front.get("/history?address=schedule/a&result=done&since=2026-06-01&before=9")

    (wanted,) = front.asked
    assert (str(wanted.address), wanted.result, wanted.before) == ("schedule/a", "done", 9)
    assert wanted.since == NOW.replace(hour=0)
    assert "&lt;b&gt;declared&lt;/b&gt;" in answer.text


@pytest.mark.parametrize("query", ["address=nothing", "since=yesterday", "before=-1", "since=0001-01-01T00:00%2B23:59"])
def test_a_query_that_cannot_be_understood_is_told(query: str) -> None:
    """With the field and what was expected; the state is not asked."""
    front = Front()
    answer = front.get(f"/history?{query}")

    assert answer.status_code == 400
    assert "expected" in answer.text
    assert front.asked == []


def test_a_long_history_is_cut_into_pages() -> None:
    """The link to older lines begins where the page ends, and keeps the filter."""
    entries = tuple((number, ENTRY) for number in range(500, 0, -1))
    answer = Front(entries=entries).get("/history?result=done")

    assert f"/history?result=done&amp;before={500 - PAGE + 1}" in answer.text


def test_who_is_not_known_sees_nothing() -> None:
    """A browser is asked for the token; another name for this machine is not answered at all."""
    front = Front(host="192.0.2.1")
    answer = front.get("/")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert "api.example.com" not in answer.text
    assert front.get("/", Authorization="Bearer t0k3n").status_code == 200
    assert Front().get("/", Host="evil.example.com").status_code == 421
