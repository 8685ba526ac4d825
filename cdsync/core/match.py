"""Finding the effect of a creation whose answer was lost: by its label, else by what it does and when it was made.

Candidates are only objects that nobody owns. Exactly one is it; several are a question for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from cdsync.core.context import SKEW
from cdsync.core.cron import same_cron
from cdsync.core.echo import loosely, same_moment, same_url
from cdsync.core.fingerprint import SENSITIVE
from cdsync.core.model import RemoteRun, RemoteSchedule
from cdsync.core.progress import LIVE
from cdsync.core.records import Intent
from cdsync.core.work import Json
from cdsync.core.zones import same_timezone

R = TypeVar("R", RemoteSchedule, RemoteRun)

LONGEST_WAY = timedelta(hours=1)
"""How much later than it was written down a request may still take effect: it waits for its turn, and for as long as
the API asks to. What was made later still may be anybody's."""


def matching_schedules(
    intent: Intent, candidates: Iterable[RemoteSchedule], *, labels: bool | None
) -> tuple[RemoteSchedule, ...]:
    """The schedules that this creation may have made, by UID."""
    alike = [remote for remote in candidates if _same_schedule(intent, remote)]
    return tuple(sorted(_narrowed(intent, alike, labels=labels), key=lambda remote: remote.uid))


def matching_runs(intent: Intent, candidates: Iterable[RemoteRun], *, labels: bool | None) -> tuple[RemoteRun, ...]:
    """The runs that this launch may have made, by UID."""
    alike = [remote for remote in candidates if _same_run(intent, remote)]
    return tuple(sorted(_narrowed(intent, alike, labels=labels), key=lambda remote: remote.uid))


def made_late(intent: Intent, remote: RemoteSchedule | RemoteRun) -> bool:
    """Whether a match was made so long after the request that it may well be another's, so that a person must say."""
    if _labelled(intent, remote) or remote.created_at is None:
        return False
    return remote.created_at > intent.sent_at + LONGEST_WAY


def _narrowed(intent: Intent, alike: list[R], *, labels: bool | None) -> list[R]:
    """Where a label was sent, those that carry it; else, unless the API is known to echo labels, those without any.

    What was made late is a match only as long as nothing was made in time.
    """
    labelled = [remote for remote in alike if _labelled(intent, remote)]
    if labelled or (labels and intent.label is not None):
        return labelled
    unlabelled = [remote for remote in alike if remote.label is None]
    return [remote for remote in unlabelled if not made_late(intent, remote)] or unlabelled


def _same_schedule(intent: Intent, remote: RemoteSchedule) -> bool:
    record = intent.record
    if record is None or remote.action != record.action:
        return False
    if _labelled(intent, remote):
        return True
    if not _made_since(intent.sent_at, remote.created_at):
        return False
    if record.cron is None:
        at = remote.next_execution_at
        return remote.cron is None and (at is None or same_moment(at, intent.schedule_at))
    return same_cron(remote.cron, record.cron) and same_timezone(remote.timezone, record.timezone)


def _same_run(intent: Intent, remote: RemoteRun) -> bool:
    record = intent.record
    if record is None or remote.action != record.action or remote.schedule_uid is not None or remote.mode == LIVE:
        return False
    if _labelled(intent, remote):
        return True
    if not _made_since(intent.sent_at, remote.created_at):
        return False
    secret_url = record.synopsis.get("callback.url") == SENSITIVE  # the journal may not hold it, so any will do
    echoed = intent.parameters if remote.parameters is None else remote.parameters
    to_there = secret_url or remote.callback_url is None or same_url(remote.callback_url, intent.callback_url)
    return to_there and contains(echoed, intent.parameters)


def contains(echoed: Mapping[str, Json], sent: Mapping[str, Json]) -> bool:
    """Whether what was sent is among what is shown: the API may add its defaults, and rewrite scalars."""
    return all(loosely(echoed.get(name)) == loosely(value) for name, value in sent.items())


def _labelled(intent: Intent, remote: RemoteSchedule | RemoteRun) -> bool:
    """Whether it carries the label that was sent: then nothing that the API rewrote can hide it."""
    return intent.label is not None and remote.label == intent.label


def _made_since(sent_at: datetime, created_at: datetime | None) -> bool:
    return created_at is None or created_at >= sent_at - SKEW
