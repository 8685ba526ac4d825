"""An answer, asked for and read whole, and no further than any answer of this API goes."""

from __future__ import annotations

import httpx

LARGEST_ANSWER = 64 * 2**20
"""In bytes, unpacked; a page of a hundred rows is far below."""

UNPACKED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
"""Headers that say how an answer travelled, which no longer holds once it is read."""


class TooLarge(Exception):
    """The answer holds more than any answer of this API."""


async def read_bounded(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    """Send a request and give the whole answer, unpacked as it comes, so that a small one cannot become a large one.

    Raises:
        TooLarge: it holds more than any answer of this API.
        httpx.HTTPError: it was not answered, or not to the end.
    """
    answering = await transport.handle_async_request(request)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in answering.aiter_bytes():
            size += len(part)
            if size > LARGEST_ANSWER:
                raise TooLarge(f"it holds more than {LARGEST_ANSWER // 2**20} MiB")
            parts.append(part)
    finally:
        await answering.aclose()
    headers = [(name, value) for name, value in answering.headers.raw if name.lower() not in UNPACKED]
    return httpx.Response(answering.status_code, headers=headers, content=b"".join(parts), request=request)
