"""What an answer means: a JSON value, or one of our errors, with nothing in it that was sent as a secret.

A server may repeat what it was sent in its messages. What was sent as a secret is known here, exactly and by field, so
that it can be kept out of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from math import isfinite
from typing import Any

import httpx
import msgspec

from cdsync.api.masking import masked
from cdsync.api.moments import moment_of
from cdsync.errors import ApiError, NotFound, Rejected, Unauthorized


def raise_for_status(response: httpx.Response, *, fault: type[ApiError], secrets: Collection[str]) -> None:
    """Turn a status that is no success into an error; `fault` is what a failure on the server's side is.

    Raises:
        ApiError: as drawn in `errors`.
    """
    status = response.status_code
    if httpx.codes.is_success(status) and status != httpx.codes.PARTIAL_CONTENT:
        return
    secrets = _secrets_in(response, secrets)
    facts = _error_facts(response, secrets)
    where = f"{response.request.method} {response.request.url.path}"
    said = facts["message"] or masked(_text_of(response), secrets)
    message = f"{where}: HTTP {status}: {said}" if said else f"{where}: HTTP {status}"
    if facts["label"]:
        message += f" ({facts['label']})"
    label, scope, ref = facts["label"], facts["scope"], facts["ref"]
    if status in {401, 403}:
        remedy = "check api.key; cdsync has concluded nothing from it"
        raise Unauthorized(message, status=status, remedy=remedy, label=label, scope=scope, ref=ref)
    if status == 404:
        raise NotFound(message, status=status, label=label, scope=scope, ref=ref)
    if 300 <= status < 400:
        remedy = "set api.base_url to where the API really is; cdsync never sends the key to another address"
        raise Rejected(f"{where}: HTTP {status}: it redirects", status=status, remedy=remedy)
    kind = fault if status >= 500 or status in {206, 408} else Rejected
    raise kind(message, status=status, label=label, scope=scope, ref=ref, postponed_until=postponed_until(response))


def json_of(content: bytes) -> Any:
    """The value of a JSON text. NaN and Infinity, which are no JSON but are sent, are None, and so is a number too
    large.

    Raises:
        ValueError, RecursionError: it is none.
    """
    try:
        return msgspec.json.decode(content)
    except (ValueError, RecursionError):
        return json.loads(content, parse_constant=lambda _: None, parse_float=_finite)


def decoded(
    response: httpx.Response,
    *,
    fault: type[ApiError],
    secrets: Collection[str],
    decode: Callable[[bytes], Any] = json_of,
) -> Any:
    """The JSON value of an answer, or what `decode` makes of its bytes; None of one that has no content.

    Raises:
        ApiError: `fault`, when it is no JSON.
    """
    if response.status_code == httpx.codes.NO_CONTENT:
        return None
    try:
        return decode(response.content)
    except (ValueError, RecursionError) as error:
        where = f"{response.request.method} {response.request.url.path}"
        said = masked(_text_of(response), _secrets_in(response, secrets))
        raise fault(
            f"{where}: HTTP {response.status_code}, but no JSON: {said!r}", status=response.status_code
        ) from error


def _finite(text: str) -> float | None:
    number = float(text)
    return number if isfinite(number) else None


def refuse_in_disguise(response: httpx.Response, *, fault: type[ApiError], secrets: Collection[str]) -> None:
    """Turn a success whose body is the API's error into what it is; see `raise_for_status`.

    Raises:
        ApiError: it has an `error_label`; `fault` when the body speaks of the server's side.
    """
    body = _error_body(response)
    if not body.get("error_label"):
        return
    facts = _error_facts(response, _secrets_in(response, secrets))
    told = body.get("status_code")
    status = told if isinstance(told, int) and 400 <= told < 600 else response.status_code
    where = f"{response.request.method} {response.request.url.path}"
    kind = fault if status >= 500 or status == 408 else Rejected
    raise kind(
        f"{where}: HTTP {response.status_code}, but refused: {facts['message'] or ''} ({facts['label']})",
        status=status,
        label=facts["label"],
        scope=facts["scope"],
        ref=facts["ref"],
        postponed_until=postponed_until(response),
    )


def postponed_until(response: httpx.Response) -> datetime | None:
    """When the API wants to be asked again, by the body of its refusal (API contract section 5: `params`)."""
    body = _error_body(response)
    params = body.get("params")
    named = params.get("postponed_until") if isinstance(params, dict) else None
    return moment_of(named) or moment_of(body.get("postponed_until"))


def _secrets_in(response: httpx.Response, secrets: Collection[str]) -> tuple[str, ...]:
    """What an answer must not be quoted with: these, and of what was sent the callback's headers and its URL."""
    sent = response.request.content
    callback = json.loads(sent).get("callback") if sent else None
    if not isinstance(callback, Mapping):
        return tuple(secrets)
    headers = callback.get("headers")
    values = [*headers.values()] if isinstance(headers, Mapping) else []
    return (*secrets, *(str(value) for value in (*values, callback.get("url")) if value))


def _error_body(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _error_facts(response: httpx.Response, secrets: Collection[str]) -> dict[str, str | None]:
    """Label, scope, ref and message of the API's flat error body, wherever they are given."""
    body = _error_body(response)
    facts = {
        "label": body.get("error_label") or body.get("label"),
        "scope": body.get("error_scope"),
        "ref": body.get("error_ref"),
        "message": body.get("message") or None,
    }
    return {key: masked(str(value), secrets) if value is not None else None for key, value in facts.items()}


def _text_of(response: httpx.Response) -> str:
    """The body as text, whatever charset it claims."""
    return response.content.decode("utf-8", "replace")
