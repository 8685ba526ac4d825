"""What an examination found, as lines of text and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cdsync.core.findings import Finding, Grade
from cdsync.render.lines import Line, printable

STYLE = {Grade.OK: "create", Grade.WARN: "blocked", Grade.FAIL: "failed"}


def doctor_lines(findings: tuple[Finding, ...]) -> list[Line]:
    """A line per finding, `grade: what: detail; what to do`, and the count of each grade."""
    lines = [Line(printable(_sentence(row)), STYLE[row.grade]) for row in findings]
    counts = Counter(row.grade for row in findings)
    summary = ", ".join(f"{counts[grade]} {grade.value}" for grade in Grade if counts[grade])
    return [*lines, Line(), Line(f"{summary}.", "title")]


def _sentence(row: Finding) -> str:
    way_out = f"; {row.remedy}" if row.remedy else ""
    return f"{row.grade.value}: {row.what}: {row.detail}{way_out}"


def doctor_document(findings: tuple[Finding, ...]) -> dict[str, Any]:
    """The findings as plain data."""
    return {
        "format_version": 1,
        "findings": [
            {"grade": row.grade.value, "what": row.what, "detail": row.detail, "remedy": row.remedy} for row in findings
        ],
    }
