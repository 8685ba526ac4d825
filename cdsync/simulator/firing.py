"""What happens by itself as time goes by: schedules fire, runs move on, old runs are forgotten.

Time moves lazily: `advance` catches up with everything due, in order of time, so that the same requests at the same
times always make the same account. croniter finds candidates on the local calendar; a local time that a change of
clocks skips does not fire, one that it repeats fires once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from croniter import croniter

from cdsync.simulator.account import MEMBER, Account, Firing, Order, Run, Schedule, member_uid
from cdsync.simulator.progress import step

MEMORY = timedelta(days=90)
FIRST_STEP = timedelta(seconds=1)


@lru_cache(maxsize=8192)
def next_tick(cron: str, timezone: str, after: datetime) -> datetime:
    """The first fire time strictly after a moment, in UTC."""
    zone = ZoneInfo(timezone)
    ticks = croniter(cron, after.astimezone(zone).replace(tzinfo=None))
    while True:
        local: datetime = ticks.get_next(datetime)
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        exists = moment.astimezone(zone).replace(tzinfo=None) == local
        if exists and moment > after:
            return moment


def advance(account: Account, now: datetime) -> None:
    """Let everything happen that is due by now."""
    while (due := account.next_due(now)) is not None:
        if due.kind == "schedule":
            fire(account, account.schedules.rows[due.uid], due.at)
        else:
            step(account, account.runs.rows[due.uid], due.at)
    _forget(account, now)


def fire(account: Account, schedule: Schedule, at: datetime) -> None:
    """Make a run of a schedule, then plan the next tick, or complete the schedule when there is none."""
    run = start_run(account, replace(schedule.order, name=None), at, schedule=schedule)
    account.firings.append(Firing(schedule_uid=schedule.uid, run_uid=run.uid, at=at))
    schedule.last_executed_at = schedule.updated_at = at
    if schedule.cron is None:
        complete(account, schedule)
    else:
        plan_next(account, schedule, next_tick(schedule.cron, schedule.timezone, at))


def plan_next(account: Account, schedule: Schedule, at: datetime) -> None:
    """Set when an active schedule fires next."""
    schedule.next_execution_at = at
    account.plan("schedule", schedule, at)
    account.schedules.changed()


def complete(account: Account, schedule: Schedule) -> None:
    """A schedule that has nothing left to do is COMPLETED."""
    schedule.status, schedule.next_execution_at = "COMPLETED", None
    account.plan("schedule", schedule, None)
    account.schedules.changed()


def start_run(account: Account, order: Order, at: datetime, *, schedule: Schedule | None = None) -> Run:
    """Create a background run, which then moves by itself; one of a schedule shows its name as that of the schedule."""
    run = Run(
        uid=account.new_uid("run"),
        number=account.new_number(),
        order=order,
        execution_mode="ASYNC",
        status="CREATED",
        user_uid=schedule.user_uid if schedule else member_uid(MEMBER),
        created_at=at,
        updated_at=at,
        scheduled_run_uid=schedule.uid if schedule else None,
        scheduled_run_name=schedule.order.name if schedule else None,
    )
    record_run(account, run)
    account.plan("run", run, at + FIRST_STEP)
    return run


def record_run(account: Account, run: Run) -> None:
    """Add a run to the account and charge for it: managed identities cost half as much again."""
    account.runs.before_write(run.uid)
    account.runs.rows[run.uid] = run
    account.credits_used += len(run.order.inputs) * (1.5 if run.order.identity_mode == "managed" else 1.0)


def _forget(account: Account, now: datetime) -> None:
    oldest = next(iter(account.runs.rows.values()), None)
    while oldest is not None and oldest.created_at < now - MEMORY:
        del account.runs.rows[oldest.uid]
        account.runs.changed()
        oldest = next(iter(account.runs.rows.values()), None)
