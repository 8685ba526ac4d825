"""Makes the pictures of the status page in docs/images: a real daemon, the simulator, and a real browser.

Run it after a change of the page: make screenshots
"""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).parents[1]
sys.path.insert(0, str(TOP))

from selenium.webdriver import Chrome  # noqa: E402 # the house is found first

from cdsync.simulator import running  # noqa: E402
from tests.browser.account import LISTENING, SECRETS, declare_example, disturb  # noqa: E402
from tests.browser.chromium import chromium, prefer, size  # noqa: E402
from tests.cli.process import Shell  # noqa: E402
from tests.daemon.process import daemon  # noqa: E402

IMAGES = TOP / "docs" / "images"
LARGEST = 200_000
"""Bytes of one picture."""


@contextmanager
def _example(root: Path) -> Iterator[str]:
    """The address of a daemon that keeps an account in which something has happened."""
    with running() as simulator:
        shell = Shell(root, simulator.url, SECRETS)
        shell.write("cdsync.yaml", LISTENING)
        declare_example(shell)
        with daemon(shell) as keeper:
            url = str(keeper.wait_for("listener.started")["url"])
            keeper.wait_for("pass.finished")
            disturb(simulator)
            for _ in range(3):
                keeper.wait_for("pass.finished")
            yield url
            keeper.end()


def _picture(browser: Chrome, url: str, name: str, *, width: int, height: int, dark: bool = False) -> None:
    size(browser, width, height, scale=2 if width < 500 else 1)
    prefer(browser, "dark" if dark else "light")
    browser.get(url)
    data = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": False})["data"]
    picture = base64.b64decode(data)
    if len(picture) > LARGEST:
        raise SystemExit(f"{name} has {len(picture)} bytes; expected at most {LARGEST}")
    (IMAGES / name).write_bytes(picture)


def main() -> None:
    """Make every picture."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _example(Path(folder)) as url, chromium() as browser:
        still = f"{url}/?refresh=off"
        _picture(browser, still, "page-light.png", width=1200, height=1400)
        _picture(browser, still, "page-dark.png", width=1200, height=1400, dark=True)
        _picture(browser, still, "page-phone.png", width=360, height=900)
        _picture(browser, f"{url}/schedule/weekday-leads", "page-resource.png", width=1200, height=1000)
        _picture(browser, f"{url}/history", "page-history.png", width=1200, height=700)


if __name__ == "__main__":
    main()
