"""The pages for who may not look: they tell how to be let in, and nothing about the account."""

from __future__ import annotations

from cdsync.page.rendering import rendered


def refused_page(title: str, text: str) -> str:
    """A page with one sentence."""
    return rendered("refused.html.j2", title=title, text=text)
