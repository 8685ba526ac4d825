"""The metrics, read as Prometheus reads them."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from cdsync.api import Call
from cdsync.core.actions import ActionKind, BlockedReason, Plan
from cdsync.core.events import Failed, Started, Succeeded, Unresolved
from cdsync.core.status import Health
from cdsync.daemon.declared import Fault
from cdsync.daemon.health import judge
from cdsync.daemon.metrics import Metrics
from cdsync.daemon.standing import Result, Standing
from cdsync.errors import CdsyncError
from tests.daemon.values import NOW, action, blocked, drift, record, standing, status

Sample = tuple[str, frozenset[tuple[str, str]]]


def read(metrics: Metrics) -> dict[Sample, float]:
    """Every sample of the text format, by name and labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def shown(stands: Standing, *, since_progress: float = 1.0) -> dict[Sample, float]:
    """What is shown of how things stand."""
    metrics = Metrics()
    metrics.show(lambda: stands, lambda: judge(stands, interval=60, since_progress=since_progress))
    return read(metrics)


def key(name: str, **labels: str) -> Sample:
    """The key of a sample."""
    return name, frozenset(labels.items())


def test_what_happens_is_counted() -> None:
    """Requests by method and status, actions by kind and result, passes by result and duration."""
    metrics = Metrics()
    for call in (Call("GET", "/a", 200), Call("GET", "/b", 200), Call("POST", "/a", 429), Call("POST", "/a", None)):
        metrics.count_call(call)
    row = action(kind=ActionKind.UPDATE)
    for event in (
        Started(row),
        Succeeded(row, "u1"),
        Failed(row, "no"),
        Failed(row, "later", tried=False),
        Unresolved(row, "?"),
    ):
        metrics.count_event(event)
    metrics.count_pass(record(Result.PARTIAL, seconds=0.2))
    metrics.count_notification("failed", "sent")
    found = read(metrics)

    assert found[key("cdsync_api_requests_total", method="GET", status="200")] == 2
    assert found[key("cdsync_api_requests_total", method="POST", status="none")] == 1
    assert found[key("cdsync_api_rate_limited_total")] == 1
    for result in ("done", "failed", "skipped", "unknown"):
        assert found[key("cdsync_actions_total", kind="update", result=result)] == 1
    assert found[key("cdsync_passes_total", result="partial")] == 1
    assert found[key("cdsync_passes_total", result="failed")] == 0
    assert found[key("cdsync_pass_duration_seconds_bucket", le="0.25")] == 1
    assert found[key("cdsync_notifications_total", event="failed", result="sent")] == 1


def test_how_things_stand_is_shown() -> None:
    """Drift, blocked rows by reason, resources by health and state, and the times that alerts are made from."""
    plan = Plan(blocked=(blocked(), blocked("b"), blocked("c", BlockedReason.HELD)), drift=(drift(),))
    rows = (
        status("a", next_fire=NOW + timedelta(hours=2)),
        status("b", Health.BLOCKED, "paused", next_fire=NOW + timedelta(hours=1)),
        status("c", Health.BLOCKED, "what nobody knows"),
    )
    found = shown(standing(record(Result.PARTIAL, plan=plan, rows=rows), accepted_at=NOW))

    assert found[key("cdsync_healthy")] == 1
    assert found[key("cdsync_drift_rows")] == 1
    assert found[key("cdsync_blocked", reason="lookalike")] == 2
    assert found[key("cdsync_blocked", reason="ambiguous")] == 0
    assert found[key("cdsync_resources", health="blocked")] == 2
    assert found[key("cdsync_resources_remote", state="other")] == 1
    assert found[key("cdsync_next_fire_timestamp_seconds")] == (NOW + timedelta(hours=1)).timestamp()
    assert found[key("cdsync_last_good_pass_timestamp_seconds")] == NOW.timestamp()
    assert found[key("cdsync_configuration_good")] == 1
    assert found[key("cdsync_configuration_info", revision="abc123")] == 1


def test_what_is_wrong_shows() -> None:
    """Bad health, a bad configuration and failures in a row each have a number of their own."""
    stands = standing(record(Result.FAILED), failures=3, fault=Fault(error=CdsyncError("wrong"), since=NOW))
    found = shown(stands, since_progress=1000)

    assert found[key("cdsync_healthy")] == 0
    assert found[key("cdsync_configuration_good")] == 0
    assert found[key("cdsync_consecutive_failures")] == 3


def test_the_number_of_series_does_not_grow_with_the_account() -> None:
    """No name, UID or message is ever a label."""
    few = shown(standing(record(rows=(status(),))))
    rows = tuple(status(f"s{number}", remote=f"odd-{number}", note="why") for number in range(500))
    plan = Plan(blocked=tuple(blocked(f"s{number}", message=f"m{number}") for number in range(500)))
    many = shown(standing(record(Result.PARTIAL, rows=rows, plan=plan)))

    assert few.keys() == many.keys()


def test_two_daemons_in_one_process_share_no_number() -> None:
    """Each has a registry of its own."""
    one, other = Metrics(), Metrics()
    one.count_pass(record())

    assert read(one)[key("cdsync_passes_total", result="unchanged")] == 1
    assert read(other)[key("cdsync_passes_total", result="unchanged")] == 0
