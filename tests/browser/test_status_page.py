"""The status page of a running daemon, in a real browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from starlette.applications import Starlette

from cdsync.core.records import HistoryEntry
from cdsync.core.urls import Endpoint
from cdsync.daemon.listener import listening
from cdsync.daemon.pages import Window, page_routes
from cdsync.page.snapshot import Snapshot
from cdsync.simulator import RunningSimulator, running
from tests.browser.account import LISTENING, SECRETS, declare_example, disturb, force
from tests.browser.chromium import AXE, BROWSER, DRIVER, chromium, complaints, needs, prefer, requested, size
from tests.browser.crowd import ENTRIES, crowded
from tests.cli.process import Shell
from tests.daemon.process import Daemon, daemon
from tests.page.account import row, snapshot

PATIENCE = 30

SOON = 5000
"""Milliseconds in which a large page is there also on a machine that is busy; it takes a tenth of that."""


@pytest.fixture
def browser() -> Iterator[Chrome]:
    """A browser, or a word that there is none."""
    needs(BROWSER and DRIVER, "chromium with chromedriver")
    with chromium() as found:
        yield found


@contextmanager
def example(root: Path, *, refresh: str = "1s") -> Iterator[tuple[str, RunningSimulator, Daemon]]:
    """A daemon that keeps the example account, with pages that reload so often: its address, its API, itself."""
    with running() as simulator:
        shell = Shell(root, simulator.url, SECRETS)
        shell.write("cdsync.yaml", LISTENING.replace("refresh: 1s", f"refresh: {refresh}"))
        declare_example(shell)
        with daemon(shell) as keeper:
            url = str(keeper.wait_for("listener.started")["url"])
            keeper.wait_for_pass("applied")
            yield url, simulator, keeper
            assert keeper.end() == 0


@contextmanager
def served(page: Snapshot, entries: Sequence[tuple[int, HistoryEntry]] = ()) -> Iterator[str]:
    """The pages of one unchanging account, served as the daemon does, in a thread."""
    window = Window(
        snapshot=lambda: page,
        history=lambda _wanted, _size: entries,
        host="127.0.0.1",
        token=lambda: None,
        trusted_header=lambda: None,
    )
    ready: Future[str] = Future()
    ended: Future[asyncio.Event] = Future()

    async def serve() -> None:
        end = asyncio.Event()
        async with listening(Starlette(routes=page_routes(window)), Endpoint("127.0.0.1", 0)) as taken:
            ended.set_result(end)
            ready.set_result(f"http://{taken}")
            await end.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="pages")
    thread.start()
    try:
        yield ready.result(timeout=PATIENCE)
    finally:
        loop.call_soon_threadsafe(ended.result().set)
        thread.join()
        loop.close()


def axe(browser: Chrome) -> list[str]:
    """The serious and critical faults that axe finds on the page."""
    needs(AXE.is_file(), "axe-core (make browser)")
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    assert found["passes"]
    return [
        f"{row['id']}: {[node['html'] for node in row['nodes'][:3]]}"
        for row in found["violations"]
        if row["impact"] in {"serious", "critical"}
    ]


def wider_than_screen(browser: Chrome) -> bool:
    """Whether the page scrolls sideways."""
    found: bool = browser.execute_script(
        "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return found


BROKEN_WORDS = """
const found = [];
const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  for (const word of node.data.matchAll(/[A-Za-z_]+/g)) {
    if (word[0].length > 20) continue;
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    if (new Set([...range.getClientRects()].map(rect => Math.round(rect.top))).size > 1) found.push(word[0]);
  }
}
return found;
"""
"""Words of ordinary length that stand on two lines."""


def background(browser: Chrome) -> str:
    """The colour behind the page."""
    found: str = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    return found


def test_a_run_is_seen_to_stop_and_to_go_on_without_a_reload_by_hand(tmp_path: Path, browser: Chrome) -> None:
    """The page reloads itself: RUNNING, then STOPPED and what to do, then resumed."""
    with example(tmp_path) as (url, simulator, _):

        def shows(text: str) -> None:
            WebDriverWait(browser, PATIENCE, ignored_exceptions=[Exception]).until(
                lambda page: text in page.find_element(By.TAG_NAME, "main").text
            )

        force(simulator, 0, "RUNNING")
        browser.get(f"{url}/run/backfill-q4")
        shows("RUNNING")
        # It stays stopped as long as the API wants it to wait.
        later = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
        force(simulator, 0, "STOPPED", label="PROXY_ERROR", message="The proxy did not answer", postponed_until=later)
        shows("STOPPED")
        shows("The proxy did not answer")
        force(simulator, 0, "STOPPED", label="PROXY_ERROR", message="The proxy did not answer")
        shows("resumed 1 of 3 times")
        assert complaints(browser) == []
        assert {urlsplit(found).netloc for found in requested(browser) if found.startswith("http")} == {
            urlsplit(url).netloc
        }


def test_every_page_is_readable_by_everybody(tmp_path: Path, browser: Chrome) -> None:
    """No serious fault by axe, light or dark, wide or narrow; nothing scrolls sideways; the dark page is dark."""
    with example(tmp_path, refresh="1h") as (url, simulator, keeper):
        disturb(simulator)
        keeper.wait_for_pass("applied")
        keeper.wait_for("pass.finished")
        browser.get(f"{url}/?refresh=off")
        size(browser, 1200, 900)
        colours = set()
        for scheme in ("light", "dark"):
            prefer(browser, scheme)
            colours.add(background(browser))
            assert axe(browser) == []
        assert colours == {"rgb(247, 248, 250)", "rgb(15, 19, 24)"}
        for path in ("/?refresh=off", "/history", "/schedule/weekday-leads", "/run/event-speakers", "/run/nobody"):
            size(browser, 360, 740)
            browser.get(f"{url}{path}")
            assert not wider_than_screen(browser), path
            assert axe(browser) == [], path
        found = [line for line in complaints(browser) if "/run/nobody" not in line]
        assert found == []


def test_every_column_has_room_for_its_words(browser: Chrome) -> None:
    """From a phone to a wide screen no ordinary word is broken, nothing scrolls sideways, and no field is empty."""
    with served(crowded(), ENTRIES) as url:
        for path in ("/?refresh=off", "/history", "/schedule/weekday-leads"):
            browser.get(f"{url}{path}")
            for width in (360, 500, 640, 780, 900, 930, 1000, 1050, 1100, 1200, 1300):
                size(browser, width, 900)
                assert not wider_than_screen(browser), (path, width)
                assert browser.execute_script(BROKEN_WORDS) == [], (path, width)
                facts = browser.find_elements(By.CSS_SELECTOR, ".facts > div")
                # There are four, so that of one, two or four in a row none is empty.
                in_first_row = [fact for fact in facts if fact.rect["y"] == facts[0].rect["y"]]
                assert len(in_first_row) in {0, 1, 2, 4}, (path, width)


def test_a_thousand_schedules_are_shown(browser: Chrome) -> None:
    """The page comes at once, a page of them at a time, and each can be found by its name."""
    with served(snapshot(*(row(f"s{number:03}") for number in range(1000)))) as url:
        browser.get(f"{url}/?refresh=off")
        answered = browser.execute_script("return performance.getEntriesByType('navigation')[0].responseEnd")
        assert answered < SOON
        assert len(browser.find_elements(By.CSS_SELECTOR, "section[aria-labelledby=schedules] tbody tr")) == 100
        browser.find_element(By.ID, "q").send_keys("s777\n")
        WebDriverWait(browser, PATIENCE).until(lambda page: "q=s777" in page.current_url)
        (found,) = browser.find_elements(By.CSS_SELECTOR, "section[aria-labelledby=schedules] tbody tr")
        assert "weekdays at 09:00 Europe/Paris" in found.text
        assert complaints(browser) == []
