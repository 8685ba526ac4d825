"""A real browser: Debian's chromium, headless, each time with a profile of its own that is thrown away."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

BROWSER = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
REQUIRED = os.environ.get("CDSYNC_TEST_BROWSER") == "required"
"""Whether a machine without a browser is a fault, as it is where it is decided if a change is good."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def needs(what: object, name: str) -> None:
    """Skip a test where something that it needs is not installed; fail where it has to be."""
    if not what and REQUIRED:
        pytest.fail(f"{name} is not installed, and CDSYNC_TEST_BROWSER=required")
    if not what:
        pytest.skip(f"{name} is not installed")


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser for the duration of a block; it notes every request and everything on its console."""
    with tempfile.TemporaryDirectory(prefix="cdsync-browser-", ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = str(BROWSER)
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        browser = Chrome(options=options, service=ChromeService(str(DRIVER)))
        try:
            browser.set_page_load_timeout(30)
            yield browser
        finally:
            browser.quit()


def size(browser: Chrome, width: int, height: int, *, scale: float = 1) -> None:
    """Give the page so many CSS pixels."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def prefer(browser: Chrome, scheme: str) -> None:
    """Let the person prefer `light` or `dark`."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def _log(browser: Chrome, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.get_log(kind)  # type: ignore[no-untyped-call] # selenium leaves it so
    return found


def requested(browser: Chrome) -> list[str]:
    """The URLs that the browser has asked for since the last time."""
    events: list[dict[str, Any]] = [json.loads(row["message"])["message"] for row in _log(browser, "performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


def complaints(browser: Chrome) -> list[str]:
    """What the console says, but for what is no fault."""
    return [row["message"] for row in _log(browser, "browser") if row["level"] in {"SEVERE", "WARNING"}]
