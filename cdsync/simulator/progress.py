"""The life of a run: the steps it takes by itself, the ends it can come to, and the callbacks that tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cdsync.simulator.account import Account, Delivery, Run
from cdsync.simulator.shapes import ROWS_PER_INPUT, moment

END_STATUSES = ("SUCCEEDED", "PARTIAL_SUCCEEDED", "FAILED", "STOPPED", "BLOCKED", "INVALID")
ANNOUNCED = frozenset({"SUCCEEDED", "PARTIAL_SUCCEEDED", "FAILED"})
RESUMABLE = frozenset({"STOPPED", "BLOCKED"})
NEXT = {"CREATED": "QUEUED", "SCHEDULED": "QUEUED", "QUEUED": "RUNNING"}
MAX_RETRIES = 10
MAX_PARTIAL_CALLBACKS = 100

ERRORS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "SUCCEEDED": (),
    "PARTIAL_SUCCEEDED": (("STATUS_404", "Some profiles do not exist"),),
    "FAILED": (("NO_RESULT", "No result for this input"), ("LK_ERROR", "LinkedIn answered with an error")),
    "STOPPED": (("ACTION_ABORTED", "The run was stopped"), ("PROXY_ERROR", "The proxy did not answer")),
    "BLOCKED": (
        ("LIMIT_REACHED", "The limit of the identity is reached"),
        ("NO_VALID_ACCOUNT_CONFIGURED", "The identity is not connected"),
        ("NO_ACCESS", "No credits are left"),
    ),
    "INVALID": (("BAD_INPUT", "The input is not valid for this action"),),
}


def step(account: Account, run: Run, at: datetime) -> None:
    """Move a run to the next status on its way."""
    if run.status == "BLOCKED":
        # The platform retries by itself what it has postponed.
        run.retry_count += 1
        restart(account, run, at)
    elif run.status in NEXT:
        run.status, run.updated_at = NEXT[run.status], at
        if run.status == "RUNNING":
            run.started_at = run.started_at or at
        account.plan("run", run, at + _duration(account, run.status))
    else:
        _end(account, run, at)
    account.runs.changed()


def restart(account: Account, run: Run, at: datetime) -> None:
    """Put a run back in line: its error and its end are cleared, its retry count is the caller's matter."""
    run.status, run.updated_at = "SCHEDULED", at
    run.last_error = run.postponed_until = run.finished_at = None
    account.plan("run", run, at + timedelta(seconds=1))
    account.runs.changed()


def settle(account: Account, run: Run, at: datetime, status: str, error: Mapping[str, Any] | None) -> None:
    """Give a run a status that it keeps until someone acts, and announce it if it is one that is announced."""
    run.status, run.updated_at, run.last_error = status, at, error
    run.finished_at = at if status in END_STATUSES and status != "BLOCKED" else None
    if status in ANNOUNCED:
        run.output_count = run.output_count or expected_outputs(run, status)
        announce(account, run, at)
    account.plan("run", run, None)
    account.runs.changed()


def expected_outputs(run: Run, status: str) -> int:
    """How many rows a run that ends so has: a partial success has those of every second input."""
    inputs = len(run.order.inputs)
    answered = {"SUCCEEDED": inputs, "PARTIAL_SUCCEEDED": (inputs + 1) // 2}.get(status, 0)
    return min(answered * ROWS_PER_INPUT, max_results(run.order.parameters, answered * ROWS_PER_INPUT))


def max_results(parameters: Mapping[str, Any] | None, default: int) -> int:
    """The parameter `max_results` where it is a sensible number."""
    value = (parameters or {}).get("max_results", default)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def output_rows(run: Run, start: int, stop: int) -> list[dict[str, Any]]:
    """The result rows of a run; the same run always has the same ones."""
    return [_row(run, index) for index in range(start, min(stop, run.output_count))]


def _row(run: Run, index: int) -> dict[str, Any]:
    source = run.order.inputs[min(index // ROWS_PER_INPUT, len(run.order.inputs) - 1)]
    return {"row_id": f"{run.uid}-{index}", "full_name": f"Person {index + 1}", "input": dict(source)}


def _duration(account: Account, status: str) -> timedelta:
    longest = 3.0 if status == "RUNNING" else 1.0
    return timedelta(seconds=longest if account.chance is None else round(account.chance.uniform(0.5, longest * 3), 3))


def _end(account: Account, run: Run, at: datetime) -> None:
    status = "SUCCEEDED" if account.chance is None else account.chance.choice(END_STATUSES)
    error = _error(account, status)
    if status != "INVALID":
        _announce_parts(account, run, at)
    settle(account, run, at, status, error)
    if error and error["label"] == "LIMIT_REACHED" and run.retry_count < MAX_RETRIES:
        run.postponed_until = at + timedelta(minutes=15)
        error["params"].update(appendix="per-day", postponed_until=moment(run.postponed_until))
        account.plan("run", run, run.postponed_until)


def _error(account: Account, status: str) -> dict[str, Any] | None:
    known = ERRORS[status]
    if not known or account.chance is None:
        return None
    label, message = account.chance.choice(known)
    return {"label": label, "message": message, "params": {}}


def _announce_parts(account: Account, run: Run, at: datetime) -> None:
    if run.order.callback is None or run.order.callback.on != "all":
        return
    for index, source in enumerate(run.order.inputs[:MAX_PARTIAL_CALLBACKS]):
        first = index * ROWS_PER_INPUT
        _post(account, run, at, status="RUNNING", source=source, results=[_row(run, first)])


def announce(account: Account, run: Run, at: datetime) -> None:
    """Post the last callback of a run, unless it has none or was cancelled."""
    source = run.order.inputs[0] if len(run.order.inputs) == 1 else None
    _post(account, run, at, status=run.status, source=source, results=output_rows(run, 0, 100))


def _post(
    account: Account, run: Run, at: datetime, *, status: str, source: Mapping[str, Any] | None, results: list[Any]
) -> None:
    if run.order.callback is None or run.silent:
        return
    uid = account.new_uid("callback")
    custom = (source or {}).get("custom_data")
    payload = {
        **(custom if isinstance(custom, Mapping) else {}),
        "callback_ref_uid": uid,
        "run": {"run_uid": run.uid, "batch_uid": account.new_uid("batch"), "status": status},
        "input": source,
        "error": run.last_error,
        "results": results or None,
    }
    delivery = Delivery(uid=uid, run_uid=run.uid, at=at, callback=run.order.callback, payload=payload)
    account.deliveries.append(delivery)
    account.outbox.append(delivery)
