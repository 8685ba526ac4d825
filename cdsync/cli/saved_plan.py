"""A plan that was saved and reviewed: read again, and held against one made now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdsync.core.actions import Plan
from cdsync.core.plan import fingerprint_of_plan
from cdsync.errors import CdsyncError, StalePlan
from cdsync.render.plan_json import FORMAT_VERSION, as_json, checksum_of, plan_document
from cdsync.render.plan_text import shown

SHOWN = 5
"""How many rows that differ are shown of each plan."""


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What applying a saved plan needs of it: what it decided, for which account, and what it was confined to.

    `rows` are what it decided as sentences, to tell where a plan made now differs.
    """

    fingerprint: str
    account: str
    targets: tuple[str, ...]
    rows: tuple[str, ...] = ()


def read_saved_plan(path: Path) -> SavedPlan:
    """Read what `plan -o` wrote.

    Raises:
        CdsyncError: it cannot be read, or is no plan of this version.
    """
    remedy = "make it anew: cdsync plan -o FILE"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CdsyncError(f"{path}: the plan cannot be read: {error.strerror}", remedy=remedy) from error
    except (ValueError, RecursionError) as error:
        raise CdsyncError(f"{path}: no plan, because it is no JSON: {error}", remedy=remedy) from error
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        raise CdsyncError(f"{path}: no plan of format_version {FORMAT_VERSION}", remedy=remedy)
    fingerprint, account = document.get("fingerprint"), document.get("account")
    targets = document.get("targets", [])
    if not isinstance(fingerprint, str) or not isinstance(account, str) or not isinstance(targets, list):
        raise CdsyncError(f"{path}: a plan without its fingerprint, account or targets", remedy=remedy)
    if document.get("checksum") != checksum_of(document):
        raise CdsyncError(f"{path}: the plan was changed after it was saved", remedy=remedy)
    return SavedPlan(fingerprint, account, tuple(map(str, targets)), tuple(_sentences(document)))


def refuse_if_stale(saved: SavedPlan, plan: Plan, *, account: str) -> None:
    """Compare a saved plan with one made now.

    Raises:
        StalePlan: they decide something else, or are about different accounts.
    """
    if account != saved.account:
        raise StalePlan(
            f"the saved plan is for {saved.account}, and this is {account}; nothing was done",
            remedy="use the same settings as for the plan, or make the plan anew",
        )
    now = fingerprint_of_plan(plan)
    if now != saved.fingerprint:
        fresh = json.loads(as_json(plan_document(plan, account=account)))
        message = f"the saved plan {saved.fingerprint} is stale: a plan made now, as shown, is {now}; nothing was done"
        raise StalePlan(
            "\n".join([message, *_differences(saved.rows, tuple(_sentences(fresh)))]),
            remedy="review the new plan, save it, and apply that",
        )


def _differences(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[str]:
    """The rows that only one of two plans has, a line each."""
    for where, rows, others in (("the saved plan", old, new), ("the plan made now", new, old)):
        alone = [row for row in rows if row not in others]
        yield from (f"  only in {where}: {row}" for row in alone[:SHOWN])
        if len(alone) > SHOWN:
            yield f"  only in {where}: and {len(alone) - SHOWN} more"


def _sentences(document: Mapping[str, Any]) -> Iterator[str]:
    """What a plan decides, a sentence for each row; of what it does not do, only that and why."""
    for row in document.get("actions", ()):
        uid = f" {row['uid']}" if row["uid"] else ""
        changes = "; ".join(map(_change, row["changes"]))
        yield f"{row['address']}: {row['action']}{uid} ({row['reason']})" + (f": {changes}" if changes else "")
    for row in document.get("blocked", ()):
        yield f"{row['address']}: left alone ({row['reason']})"


def _change(change: Mapping[str, Any]) -> str:
    before = "" if change["before"] is None else f"{shown(change['before'])} -> "
    return f"{change['path']}: {before}{shown(change['after'])}"
