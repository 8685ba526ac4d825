"""How things stand, as the value that pages are made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cdsync.core.model import Address, Kind
from cdsync.core.progress import LiveProgress
from cdsync.core.records import RefusedCommit
from cdsync.daemon.declared import Fault
from cdsync.daemon.health import Verdict
from cdsync.daemon.standing import Standing
from cdsync.daemon.viewing import snapshot_of
from cdsync.errors import CommitRefused, GitUnreachable
from cdsync.page.snapshot import ResultFiles, Snapshot
from cdsync.settings import Settings
from tests.daemon.values import NOW, ROOT, delivery, record, standing, status

SETTINGS = delivery().configuration.settings


def seen(found: Standing, settings: Settings = SETTINGS) -> Snapshot:
    """What pages are made from."""
    verdict = Verdict(healthy=True, ready=True)
    return snapshot_of(found, verdict, settings=settings, now=NOW, live=lambda _: None)


def test_files_of_live_runs_are_named_below_the_root_or_in_full() -> None:
    """As a person finds them, wherever the settings put them; other resources have none."""
    live = LiveProgress(action="act", total=4, begun_at=NOW, active_at=NOW)
    address = Address(Kind.RUN, "hot")
    found = standing(record(rows=(replace(status("hot"), address=address, live=live), status("a"))))

    assert seen(found).results == {address: ResultFiles(rows="results/hot.jsonl", failed="results/hot.failed.jsonl")}
    elsewhere = replace(SETTINGS, results=Path("/elsewhere"))
    assert seen(found, elsewhere).results[address].rows == "/elsewhere/hot.jsonl"
    assert ROOT not in elsewhere.results.parents


def test_a_refused_commit_is_shown_until_one_is_taken_up() -> None:
    """Once while it is the newest fault, and beside that one afterwards."""
    error = CommitRefused("it is not signed")
    error.commit = "a" * 40
    known = RefusedCommit(commit="a" * 40, problems=("it is not signed",), since=NOW)
    away = Fault(error=GitUnreachable("no route"), since=NOW)

    newest = seen(standing(record(), fault=Fault(error=error, since=NOW), refused=known)).refusals
    assert [(refusal.title, refusal.judged) for refusal in newest] == [("Commit aaaaaaaaaaaa is refused", True)]
    later = seen(standing(record(), fault=away, refused=known)).refusals
    assert [(refusal.title, refusal.judged) for refusal in later] == [
        ("The newest configuration cannot be read", False),
        ("Commit aaaaaaaaaaaa is refused", True),
    ]
