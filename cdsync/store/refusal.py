"""The commit that the daemon refuses, as a fact of the state: for who looks from beside it, and for its next start."""

from __future__ import annotations

import json
from datetime import datetime

from cdsync.core.records import RefusedCommit
from cdsync.store.codec import encode_time
from cdsync.store.store import Store

FACT = "refused_commit"


def refused_commit(store: Store) -> RefusedCommit | None:
    """The newest commit if it was refused; None if none is, or what is remembered makes no sense.

    Raises:
        StoreError: the state cannot be read.
    """
    text = store.fact(FACT)
    if text is None:
        return None
    try:
        found = json.loads(text)
        return RefusedCommit(
            commit=str(found["commit"]),
            problems=tuple(map(str, found["problems"])),
            since=datetime.fromisoformat(found["since"]),
            remedy=found["remedy"],
        )
    except (ValueError, LookupError, TypeError):
        # It only tells people; the next look at the repository writes it anew.
        return None


def remember_refused(store: Store, refused: RefusedCommit | None) -> None:
    """Remember which commit is refused, None for none; nothing is written as long as it is the same.

    Raises:
        StoreError: the state cannot be read or written.
    """
    if refused == refused_commit(store):
        return
    record = refused and {
        "commit": refused.commit,
        "problems": refused.problems,
        "since": encode_time(refused.since),
        "remedy": refused.remedy,
    }
    store.remember(FACT, json.dumps(record) if record else None)
