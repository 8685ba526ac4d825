"""Logs go to standard error: for people on a terminal, as JSON lines for programs. Event names are constant."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger

LEVELS = ("debug", "info", "warning", "error")


def configure(*, log_format: str | None, level: str) -> None:
    """Set up logging for this process; `log_format` is `console`, `json`, or None for what fits."""
    log_format = log_format or ("console" if sys.stderr.isatty() else "json")
    final = structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            final,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger() -> FilteringBoundLogger:
    """The logger of this process, as it is configured when it is called."""
    bound: FilteringBoundLogger = structlog.get_logger()
    return bound
