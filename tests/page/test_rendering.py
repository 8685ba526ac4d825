"""Templates, and what is done before the first page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cdsync.page.rendering import TEMPLATES, compiled

FIRST_PAGE = """
from jinja2 import Environment
from cdsync.page.overview import Wish, overview_page
from cdsync.page.rendering import compiled
from tests.page.account import row, snapshot

compiled()
Environment.compile = None  # whoever compiles from here on fails
print(len(overview_page(snapshot(row()), Wish())))
"""


def test_every_template_is_compiled_before_the_first_page() -> None:
    """So that nobody waits for the compiler, whichever page is asked for first."""
    assert set(compiled()) == {path.name for path in TEMPLATES.glob("*.j2")}
    top = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", FIRST_PAGE], cwd=top, capture_output=True, check=True, timeout=60)

    assert int(done.stdout) > 0
