"""An account for people to look at: some schedules and runs, and things that went wrong on it."""

from __future__ import annotations

import httpx

from cdsync.simulator import RunningSimulator
from tests.cli.process import Shell

LISTENING = (
    "api: {requests_per_minute: 6000, settle: 1s}\n"
    "policy: {resume: {statuses: [STOPPED], attempts: 3, backoff: 0s}}\n"
    "daemon: {interval: 1s, listen: '127.0.0.1:0', refresh: 1s}\n"
)

SECRETS = {"HOOK_TOKEN": "the-secret-of-the-callbacks"}
"""The environment variables that the declaration refers to."""

SCHEDULES = {
    "weekday-leads": ("salesnavigator-search-people", "0 9 * * 1-5", "Europe/Paris"),
    "evening-digest": ("linkedin-search-posts", "30 18 * * *", "Europe/Paris"),
    "account-watch": ("linkedin-extract-company", "0 */4 * * *", "UTC"),
    "hiring-signals": ("linkedin-search-jobs", "15 6 * * *", "America/New_York"),
    "hot-prospects": ("salesnavigator-search-people", "*/30 * * * *", "UTC"),
    "profile-refresh": ("linkedin-extract-people", "45 2 * * *", "Asia/Tokyo"),
    "monthly-report": ("linkedin-extract-company", "0 7 1 * *", "Europe/London"),
}


def declare_example(shell: Shell) -> None:
    """Declare the schedules and runs of the example."""
    lines = ["schedules:"]
    for name, (action, cron, timezone) in SCHEDULES.items():
        lines += [
            f"  {name}:",
            f"    action: {action}",
            f'    cron: "{cron}"',
            f"    timezone: {timezone}",
            '    inputs: [{url: "https://www.linkedin.com/sales/search/people?query=cto"}]',
            "    parameters: {max_results: 500}",
            '    callback: {url: "https://hooks.example.com/cd", headers: {Authorization: {env: HOOK_TOKEN}}}',
        ]
    lines += ["  partner-list:", "    action: linkedin-extract-people", '    cron: "0 5 * * 0"', "    state: paused"]
    lines += ["    inputs: [{url: https://example.com}]"]
    lines += ["runs:"]
    for name, inputs in (("backfill-q4", 3), ("event-speakers", 2), ("investor-map", 4)):
        lines += [f"  {name}:", "    action: linkedin-extract-people", "    inputs:"]
        lines += [f"      - linkedin_profile_url: https://www.linkedin.com/in/{name}-{n}" for n in range(inputs)]
    shell.write("account.yaml", "\n".join(lines) + "\n")


def force(
    simulator: RunningSimulator,
    number: int,
    status: str,
    *,
    label: str = "",
    message: str = "",
    postponed_until: str | None = None,
) -> None:
    """Let the run of this number, in the order of their launch, come to this status."""
    error = {"label": label, "message": message} if label else None
    runs = list(simulator.account.runs.rows)
    body = {"status": status, "last_error": error, "postponed_until": postponed_until}
    answer = httpx.post(f"{simulator.url}/_sim/runs/{runs[number]}", json=body, timeout=30)
    answer.raise_for_status()


def disturb(simulator: RunningSimulator) -> None:
    """Let a run stop, and one run out of credits."""
    force(simulator, 0, "STOPPED", label="PROXY_ERROR", message="The proxy did not answer")
    force(simulator, 1, "BLOCKED", label="NO_ACCESS", message="No credits are left")
