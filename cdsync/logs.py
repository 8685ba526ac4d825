"""Logs go to standard error: for people on a terminal, as JSON lines for programs. Event names are constant.

Under systemd each line begins with its priority, `<6>` and the like, which journald takes off and files it by.
structlog is slow to import, and most commands log nothing: so it is imported when there is something to log.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

LEVELS = ("debug", "info", "warning", "error")

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""What syslog(3) calls the levels."""


_wanted: list[Callable[[], None]] = []
"""How to set up logging, until something is logged."""


def configure(*, log_format: str | None, level: str, environment: Mapping[str, str] = os.environ) -> None:
    """Set up logging for this process; `log_format` is `console`, `json`, or None for what fits."""
    _wanted[:] = [partial(_configure, log_format=log_format, level=level, environment=environment)]


def _configure(*, log_format: str | None, level: str, environment: Mapping[str, str]) -> None:
    import structlog  # noqa: PLC0415 # it is slow to import

    terminal = sys.stderr.isatty()
    rendering: list[Processor]
    if (log_format or ("console" if terminal else "json")) == "json":
        rendering = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    else:
        rendering = [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    if _is_journal(sys.stderr, environment):
        rendering.append(_with_priority)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger() -> FilteringBoundLogger:
    """The logger of this process, as it is configured when it is called."""
    import structlog  # noqa: PLC0415 # it is slow to import

    while _wanted:
        _wanted.pop()()
    bound: FilteringBoundLogger = structlog.get_logger()
    return bound


def _is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a stream leads to journald itself, which says so by device and inode (systemd.exec(5))."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


def _with_priority(_logger: Any, method: str, line: Any) -> str:
    """Each line of an entry with its priority: a traceback has several."""
    priority = PRIORITIES.get(method, PRIORITIES["error"])
    return "\n".join(f"<{priority}>{part}" for part in str(line).split("\n"))
