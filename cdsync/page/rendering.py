"""Templates and the style sheet: everything escaped, whoever wrote it, with control characters shown as escapes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cdsync.core.revisions import short_revision
from cdsync.page import words
from cdsync.render.lines import counted, printable

TEMPLATES = Path(__file__).parent / "templates"


def rendered(template: str, **values: object) -> str:
    """The page of a template; a value that a template misses is an error."""
    return _environment().get_template(template).render(**values)


def compiled() -> tuple[str, ...]:
    """Compile every template, so that the first page is made as soon as all others; gives their names."""
    names = tuple(_environment().list_templates(extensions=["j2"]))
    for name in names:
        _environment().get_template(name)
    return names


@cache
def stylesheet() -> str:
    """The one style sheet of all pages."""
    return (TEMPLATES / "style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finished,
        auto_reload=False,
    )
    made.filters.update(counted=counted, stamp=_stamp, moment=words.moment, distance=words.distance, taken=words.taken)
    made.filters.update(short=short_revision)
    made.globals.update(run_tone=words.run_tone, result_tone=words.result_tone)
    return made


def _finished(value: object) -> object:
    """What is written of a value: a text of others cannot steer a browser's direction of writing, or hide anything."""
    return printable(value) if type(value) is str else value


def _stamp(at: datetime) -> str:
    """A time for machines."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
