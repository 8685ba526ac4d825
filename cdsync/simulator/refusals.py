"""How the API says no: one exception, carrying the flat error body of the vendor's error reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """An answer other than success."""

    def __init__(self, status: int, message: str, *, label: str, scope: str, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.label = label
        self.scope = scope
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The six fields of an error, as documented."""
        return error_body(self.status, self.message, label=self.label, scope=self.scope)


class ConnectionDropped(Exception):
    """The connection ends here without a full answer.

    A real server closes its TCP connection instead; an in-process test transport maps this to its own network error.
    """


def error_body(status: int, message: str, *, label: str, scope: str) -> dict[str, Any]:
    """The flat error object of the API."""
    return {
        "error_label": label,
        "error_scope": scope,
        "error_ref": f"{scope}-{status}",
        "message": message,
        "status_code": status,
        "params": {},
    }


def bad_input(message: str) -> Refusal:
    """400: the request itself is wrong."""
    return Refusal(400, message, label="BAD_INPUT", scope="input")


def not_found(message: str) -> Refusal:
    """404: no such path or object."""
    return Refusal(404, message, label="STATUS_404", scope="input")


def wrong_state(message: str) -> Refusal:
    """422: the object exists but cannot do that now."""
    return Refusal(422, message, label="INVALID_TRANSITION", scope="input")
