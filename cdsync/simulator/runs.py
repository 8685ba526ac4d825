"""The operations on runs: launch in the background or live, list, get, follow, resume, cancel; and the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from cdsync.simulator.account import MEMBER, RUN_STATUSES, Account, Run, member_uid
from cdsync.simulator.bodies import order_readers, read_fields, read_order, require_empty, text
from cdsync.simulator.firing import record_run, start_run
from cdsync.simulator.listing import Listing, cursor_page, next_page, page, read_cursor, read_query
from cdsync.simulator.progress import RESUMABLE, max_results, output_rows, restart
from cdsync.simulator.refusals import bad_input, not_found, wrong_state
from cdsync.simulator.schedules import uid_of_query
from cdsync.simulator.shapes import moment, run_input, run_object, run_status, started_run
from cdsync.simulator.simulation import Answer, Call, Simulation

LISTING = Listing(
    filters={
        "status": (RUN_STATUSES, lambda row: row.status),
        "uid": (None, lambda row: row.uid),
        "action_name": (None, lambda row: row.order.action_name),
        "execution_mode": (frozenset({"LIVE", "ASYNC"}), lambda row: getattr(row, "execution_mode", "")),
        "user_uid": (None, lambda row: row.user_uid),
    },
    sortable=frozenset({"created_at", "status", "updated_at"}),
)
CANCELLABLE = frozenset({"CREATED", "QUEUED", "SCHEDULED", "RUNNING", "BLOCKED"})
LIVE_PAGE = 10
LIVE_ROWS = 15
CREDITS = 100_000


def launch(simulation: Simulation, call: Call) -> Answer:
    """Start a background run."""
    values = read_fields(call.body, order_readers("async", simulation.options), required=("inputs",))
    account = simulation.account
    run = start_run(account, read_order(call.path["action"], values), call.now)
    return Answer(started_run(run, simulation.options))


def live(simulation: Simulation, call: Call) -> Answer:
    """Run and answer with the rows; a call with a cursor reads on and is not a new run."""
    values = read_fields(call.body, order_readers("live", simulation.options), required=("input",))
    asked = dict(call.query)
    if set(asked) - {"cursor"}:
        raise bad_input("a live run takes no query parameter but 'cursor'")
    order = read_order(call.path["action"], values)
    total = max_results(order.parameters, LIVE_ROWS)
    start = read_cursor(asked["cursor"]) if "cursor" in asked else 0
    if "cursor" not in asked:
        record_run(
            simulation.account,
            Run(
                uid=simulation.account.new_uid("run"),
                number=simulation.account.new_number(),
                order=order,
                execution_mode="LIVE",
                status="SUCCEEDED",
                user_uid=member_uid(MEMBER),
                created_at=call.now,
                updated_at=call.now,
                started_at=call.now,
                finished_at=call.now,
                output_count=total,
            ),
        )
    stop = min(start + LIVE_PAGE, total)
    rows = [
        {"row": index, "full_name": f"Person {index + 1}", "input": values["input"]} for index in range(start, stop)
    ]
    return Answer(rows, next_page(call, stop, total))


def list_page(simulation: Simulation, call: Call) -> Answer:
    """One page of the runs."""
    query = read_query(call, LISTING)
    stale = call.fault is not None and call.fault.kind == "stale_listing"
    unseen = call.fault.writes if call.fault is not None and stale else 0
    rows = page(simulation.account.runs, query, LISTING, unseen_writes=unseen)
    return Answer([run_object(row, simulation.options) for row in rows])


def find(account: Account, uid: str) -> Run:
    """The run of this uid, or 404; what is older than the memory of the API is not there."""
    if uid not in account.runs.rows:
        raise not_found(f"no run {uid}")
    return account.runs.rows[uid]


def get_by_path(simulation: Simulation, call: Call) -> Answer:
    """One run, its uid in the path."""
    return Answer(run_object(find(simulation.account, call.path["uid"]), simulation.options))


def get_by_query(simulation: Simulation, call: Call) -> Answer:
    """One run, its uid in the query."""
    return Answer(run_object(find(simulation.account, uid_of_query(call)), simulation.options))


def status(simulation: Simulation, call: Call) -> Answer:
    """The short form of a run."""
    return Answer(run_status(find(simulation.account, call.path["uid"])))


def inputs(simulation: Simulation, call: Call) -> Answer:
    """One page of what a run was given."""
    run = find(simulation.account, call.path["uid"])
    indexes, headers = cursor_page(call, len(run.order.inputs))
    return Answer([run_input(run, index) for index in indexes], headers)


def outputs(simulation: Simulation, call: Call) -> Answer:
    """One page of what a background run found."""
    run = find(simulation.account, call.path["uid"])
    if run.execution_mode == "LIVE":
        raise wrong_state("a live run keeps no outputs")
    indexes, headers = cursor_page(call, run.output_count)
    return Answer(output_rows(run, indexes.start, indexes.stop), headers)


def cancel(simulation: Simulation, call: Call) -> Answer:
    """Stop a background run: what it found is kept, nothing more is posted."""
    require_empty(call.body)
    run = find(simulation.account, call.path["uid"])
    if run.execution_mode == "LIVE" or run.status not in CANCELLABLE:
        raise wrong_state(f"cannot cancel a run that is {run.execution_mode} and {run.status}")
    simulation.account.runs.before_write(run.uid)
    run.status, run.silent = "STOPPED", True
    run.updated_at = run.finished_at = call.now
    simulation.account.plan("run", run, None)
    return Answer(run_object(run, simulation.options))


def resume_by_path(simulation: Simulation, call: Call) -> Answer:
    """Resume a run, its uid in the path."""
    require_empty(call.body)
    return _resume(simulation, call.path["uid"], call.now)


def manage(simulation: Simulation, call: Call) -> Answer:
    """Resume a run, its uid in the body."""
    values: Mapping[str, str] = read_fields(call.body, {"uid": text, "action": text}, required=("uid", "action"))
    if values["action"] != "resume":
        raise bad_input("action must be resume")
    return _resume(simulation, values["uid"], call.now)


def _resume(simulation: Simulation, uid: str, now: datetime) -> Answer:
    run = find(simulation.account, uid)
    if run.status not in RESUMABLE:
        raise wrong_state(f"cannot resume a run that is {run.status}")
    simulation.account.runs.before_write(uid)
    run.retry_count = 0
    restart(simulation.account, run, now)
    return Answer(run_object(run, simulation.options))


def workspace(simulation: Simulation, call: Call) -> Answer:
    """The workspace of the key and its credits."""
    first = call.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    used = simulation.account.credits_used
    return Answer(
        {
            "name": "Simulated workspace",
            "uid": simulation.options.workspace_uid,
            "credits_left": CREDITS - used,
            "credits_max": CREDITS,
            "credits_used": used,
            "plan_name": "Bronze",
            "current_month_start": moment(first),
            "current_month_end": moment((first + timedelta(days=32)).replace(day=1)),
            "identities_included": 5,
            "identities_synced": 1,
            "identities_remaining": 4,
        }
    )
