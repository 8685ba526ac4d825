"""What an examination found, as text and as JSON."""

from __future__ import annotations

from cdsync.core.findings import fail, ok, warn
from cdsync.render.doctor import doctor_document, doctor_lines

FINDINGS = (ok("key", "found"), warn("clock", "it is off", "set it"), fail("api", "no\x1b[31m connection"))


def test_a_line_says_what_how_and_what_to_do() -> None:
    """One per finding, and the count of each grade; nothing in them steers a terminal."""
    assert [line.text for line in doctor_lines(FINDINGS)] == [
        "ok: key: found",
        "warn: clock: it is off; set it",
        "fail: api: no\\x1b[31m connection",
        "",
        "1 ok, 1 warn, 1 fail.",
    ]


def test_the_document_has_every_finding() -> None:
    """With its format's version."""
    assert doctor_document(FINDINGS[1:2]) == {
        "format_version": 1,
        "findings": [{"grade": "warn", "what": "clock", "detail": "it is off", "remedy": "set it"}],
    }
