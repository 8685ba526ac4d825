"""What Prometheus reads: counted as it happens, and shown as it stands when it is asked for.

Every label is one of a few: no address, no UID and no message ever becomes one, so that an account of any size gives
the same number of series.
"""

from __future__ import annotations

import platform
from collections import Counter as Tally
from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from cdsync import __version__
from cdsync.api import Call
from cdsync.core.actions import BlockedReason
from cdsync.core.events import Event, Failed, Progressed, Started, Succeeded, Unresolved
from cdsync.core.status import Health
from cdsync.daemon.health import Verdict
from cdsync.daemon.standing import PassRecord, Result, Standing

PASS_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
REMOTES = ("active", "paused", "cancelled", "completed", "gone", "launched", "-")
OTHER = "other"


class Metrics:
    """The numbers of one daemon, in a registry of their own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # they would double the number of series, and say nothing more
        self._registry = CollectorRegistry()
        self._passes = self._counter("passes", "Passes that came to their end, by result.", "result")
        self._actions = self._counter("actions", "Actions, by kind and by what became of them.", "kind", "result")
        self._requests = self._counter(
            "api_requests", "Requests to the API; status none is one whose answer was lost.", "method", "status"
        )
        self._limited = self._counter("api_rate_limited", "Requests that the API refused with 429.")
        self._told = self._counter(
            "notifications", "Notifications, by event and by what became of them.", "event", "result"
        )
        self._seconds = Histogram(
            "cdsync_pass_duration_seconds", "How long passes took.", buckets=PASS_SECONDS, registry=self._registry
        )
        version = Gauge("cdsync_build_info", "The version of cdsync.", ("version", "python"), registry=self._registry)
        version.labels(__version__, platform.python_version()).set(1)
        ProcessCollector(registry=self._registry)
        for result in Result:
            self._passes.labels(result.value)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"cdsync_{name}", text, labels, registry=self._registry)

    def show(self, standing: Callable[[], Standing], verdict: Callable[[], Verdict]) -> None:
        """Show from now on also how things stand."""
        self._registry.register(_Shown(standing, verdict))

    def count_call(self, call: Call) -> None:
        """Count a request that left."""
        self._requests.labels(call.method, str(call.status or "none")).inc()
        if call.status == 429:
            self._limited.inc()

    def count_event(self, event: Event) -> None:
        """Count an action that came to its end."""
        match event:
            case Started() | Progressed():
                return
            case Succeeded():
                outcome = "done"
            case Unresolved():
                outcome = "unknown"
            case Failed(tried=tried):
                outcome = "failed" if tried else "skipped"
        self._actions.labels(event.action.kind.value, outcome).inc()

    def count_pass(self, record: PassRecord) -> None:
        """Count a pass that came to its end."""
        self._passes.labels(record.result.value).inc()
        self._seconds.observe(record.seconds)

    def count_notification(self, event: str, result: str) -> None:
        """Count a notification that was sent, failed, or was left out."""
        self._told.labels(event, result).inc()

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _Shown(Collector):
    """How things stand at the moment of the question."""

    def __init__(self, standing: Callable[[], Standing], verdict: Callable[[], Verdict]) -> None:
        self._standing = standing
        self._verdict = verdict

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked before there is anything to show."""
        return ()

    def collect(self) -> Iterable[Metric]:
        standing, verdict = self._standing(), self._verdict()
        yield _gauge("cdsync_healthy", "Whether the daemon gets on: 1 or 0.", float(verdict.healthy))
        yield _gauge("cdsync_ready", "Whether a pass has ended well since the start: 1 or 0.", float(verdict.ready))
        yield _gauge("cdsync_consecutive_failures", "Passes that failed in a row.", standing.failures)
        yield from _about_configuration(standing)
        yield from _about_times(standing)
        yield from _about_account(standing)


def _about_configuration(standing: Standing) -> Iterable[Metric]:
    good = standing.delivery is not None and standing.fault is None
    yield _gauge("cdsync_configuration_good", "Whether the newest configuration is in force: 1 or 0.", float(good))
    if standing.accepted_at is not None:
        help_text = "When the configuration in force was taken up."
        yield _gauge("cdsync_configuration_accepted_timestamp_seconds", help_text, standing.accepted_at.timestamp())
    if standing.delivery is not None:
        revision = {"revision": standing.delivery.revision or ""}
        yield InfoMetricFamily("cdsync_configuration", "The revision of the configuration in force.", value=revision)
        declared = len(standing.delivery.configuration.desired.resources)
        yield _gauge("cdsync_declared_resources", "Resources of the configuration in force.", declared)


def _about_times(standing: Standing) -> Iterable[Metric]:
    last = standing.last.began if standing.last else None
    moments: tuple[tuple[str, str, datetime | None], ...] = (
        ("start", "When the daemon started.", standing.started),
        ("last_pass", "When the last pass began.", last),
        ("last_good_pass", "When the last pass began that decided anything.", standing.good_at),
        ("next_pass", "When the next pass is due.", standing.next_at),
    )
    for name, text, moment in moments:
        if moment is not None:
            yield _gauge(f"cdsync_{name}_timestamp_seconds", text, moment.timestamp())


def _about_account(standing: Standing) -> Iterable[Metric]:
    looked = standing.looked
    if looked is None:
        return
    yield _gauge("cdsync_drift_rows", "Fields that the last look found moved on the account.", len(looked.drift))
    yield _gauge("cdsync_pending_actions", "Actions that the last look left to do.", looked.pending_actions)
    blocked = Tally(row.reason.value for row in looked.blocked)
    yield _by("cdsync_blocked", "Rows left alone, by reason.", "reason", blocked, [row.value for row in BlockedReason])
    health = Tally(row.health.value for row in looked.rows)
    yield _by("cdsync_resources", "Resources, by health.", "health", health, [row.value for row in Health])
    remote = Tally(row.remote if row.remote in REMOTES else OTHER for row in looked.rows)
    yield _by("cdsync_resources_remote", "Resources, by state on the account.", "state", remote, [*REMOTES, OTHER])
    if fires := [row.next_fire for row in looked.rows if row.next_fire is not None]:
        text = "When the next schedule fires: the soonest of all."
        yield _gauge("cdsync_next_fire_timestamp_seconds", text, min(fires).timestamp())


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by(name: str, text: str, label: str, counts: Tally[str], known: Iterable[str]) -> Metric:
    """A number for every value that the label can have, so that none is missing before it first occurs."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for value in known:
        family.add_metric([value], counts[value])
    return family
