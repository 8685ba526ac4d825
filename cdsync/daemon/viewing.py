"""How things stand, as the value that the status page is made from; it decides nothing, and hides nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cdsync.core.actions import Plan
from cdsync.core.model import Address
from cdsync.core.progress import LiveProgress
from cdsync.core.revisions import short_revision
from cdsync.core.status import StatusRow
from cdsync.daemon.health import Verdict
from cdsync.daemon.news import facts_about_resources
from cdsync.daemon.standing import PassRecord, Standing
from cdsync.page.snapshot import Concern, PassView, Refusal, ResultFiles, Snapshot
from cdsync.results import failed_path, results_path
from cdsync.settings import Settings


def snapshot_of(
    standing: Standing,
    verdict: Verdict,
    *,
    settings: Settings,
    now: datetime,
    live: Callable[[Address], LiveProgress | None],
) -> Snapshot:
    """All that the page may show; `live` gives how far a live run has come by now, which may be further than a pass."""
    looked, delivery = standing.looked, standing.delivery
    seen = looked.seen if looked else None
    configuration = delivery.configuration if delivery else None
    return Snapshot(
        now=now,
        account=settings.account,
        started=standing.started,
        refresh=settings.daemon.refresh,
        healthy=verdict.healthy,
        reasons=verdict.reasons,
        revision=delivery.revision if delivery else None,
        accepted_at=standing.accepted_at,
        refusals=tuple(_refusals(standing)),
        warnings=tuple(map(str, configuration.warnings)) if configuration else (),
        last=_pass_view(standing.last) if standing.last else None,
        failures=standing.failures,
        seen_at=looked.began if looked else None,
        next_at=standing.next_at,
        concerns=tuple(
            Concern(subject=fact.subject, message=fact.message, remedy=fact.remedy)
            for fact in facts_about_resources(standing)
        ),
        rows=tuple(_at_present(row, live) for row in looked.rows) if looked else (),
        plan=replace(seen.plan, drift=looked.drift) if looked and seen else Plan(),
        desired=configuration.desired.resources if configuration else {},
        owned=seen.owned.resources if seen else {},
        observed=seen.sight.observed.schedules if seen else {},
        results={row.address: _results(row.address, settings) for row in looked.rows if row.live} if looked else {},
    )


def _at_present(row: StatusRow, live: Callable[[Address], LiveProgress | None]) -> StatusRow:
    """The row with the newest progress, if it is of a live run that goes on."""
    if row.live is None or row.live.finished:
        return row
    return replace(row, live=live(row.address) or row.live)


def _results(address: Address, settings: Settings) -> ResultFiles:
    rows, failed = (place(settings.results, address.name) for place in (results_path, failed_path))
    return ResultFiles(rows=_shown(rows, settings.root), failed=_shown(failed, settings.root))


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _refusals(standing: Standing) -> Iterator[Refusal]:
    kept = standing.delivery is not None
    if (fault := standing.fault) is not None:
        yield Refusal(
            title=f"{fault.words[0].upper()}{fault.words[1:]}",
            judged=fault.judged,
            problems=tuple(str(fault.error).split("\n")),
            since=fault.since,
            remedy=fault.error.remedy,
            kept=kept,
        )
    if (refused := standing.still_refused) is not None:
        yield Refusal(
            title=f"Commit {short_revision(refused.commit)} is refused",
            judged=True,
            problems=refused.problems,
            since=refused.since,
            remedy=refused.remedy,
            kept=kept,
        )


def _pass_view(record: PassRecord) -> PassView:
    return PassView(
        number=record.number,
        result=record.result.value,
        decided=record.result.decided,
        began=record.began,
        seconds=record.seconds,
        causes=tuple(cause.value for cause in record.causes),
        done=record.done,
        failed=record.failed,
        blocked=len(record.blocked),
        drift=len(record.drift),
        left=record.pending_actions,
        calls=record.calls,
        error=str(record.error) if record.error else None,
        remedy=record.error.remedy if record.error else None,
    )
