"""The unit's life: up when it says so, reloaded, frozen, killed; the account is kept as declared through all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import pytest

from cdsync.simulator import Fault, SimulatorOptions, running
from cdsync.simulator.options import Labels
from tests.systemd.journal import FAILED, RESTARTING, STARTED
from tests.systemd.service import Serve
from tests.waiting import until

BLIND = "[Service]\nEnvironment=WATCHFILES_FORCE_POLLING=true WATCHFILES_POLL_DELAY_MS=600000\n"
"""No change of a file is noticed by itself."""


def test_it_is_active_once_it_says_that_it_is_ready(serve: Serve) -> None:
    """`systemctl start` returns when the daemon is up, and its status line tells how things stand."""
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1")
        with service.started() as journal:
            found = service.show("ActiveState", "SubState", "Type", "NRestarts")
            assert found == {"Type": "notify", "NRestarts": "0", "ActiveState": "active", "SubState": "running"}
            journal.event("pass.finished", lambda said: said["result"] == "applied")
            assert [row.cron for row in simulator.account.schedules.rows.values()] == ["0 9 * * 1"]
            until(lambda: "1 declared" in service.show("StatusText")["StatusText"])
            service.systemctl("stop")
            assert service.show("Result", "ExecMainStatus") == {"Result": "success", "ExecMainStatus": "0"}


def test_it_comes_up_with_settings_that_are_wrong_and_begins_when_they_are_mended(serve: Serve) -> None:
    """A mistake before a restart of the machine costs a wait, and no unit that has given up."""
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1")
        service.write("cdsync.yaml", "apy: {}\n")
        with service.started() as journal:
            journal.event("settings.refused")
            assert service.show("ActiveState", "NRestarts") == {"NRestarts": "0", "ActiveState": "active"}
            service.declare(a="0 9 * * 1")
            assert journal.event("pass.finished").said["result"] == "applied"


def test_a_reload_reads_the_declaration_again(serve: Serve) -> None:
    """`systemctl reload` is all that a changed file needs, also where changes are not noticed."""
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1")
        service.drop_in(BLIND)
        with service.started() as journal:
            journal.event("pass.finished")
            before = service.show("MainPID")
            service.declare(a="0 10 * * 1")
            service.systemctl("reload")
            assert journal.event("pass.finished").said["causes"] == ["signal"]
            assert [row.cron for row in simulator.account.schedules.rows.values()] == ["0 10 * * 1"]
            assert service.show("MainPID", "ActiveState") == {**before, "ActiveState": "active"}


def test_a_frozen_daemon_is_started_again(serve: Serve) -> None:
    """One that shows no sign of life is ended by the watchdog and replaced, and the account does not notice."""
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1")
        service.drop_in("[Service]\nWatchdogSec=5s\nRestartSec=100ms\n")
        with service.started() as journal:
            journal.event("pass.finished")
            before = service.show("MainPID")
            service.kill("SIGSTOP")
            assert journal.message(FAILED).fields["UNIT_RESULT"] == "watchdog"
            journal.message(STARTED)
            assert journal.event("pass.finished").said["result"] == "unchanged"
            assert service.show("MainPID") != before
            assert service.show("NRestarts") == {"NRestarts": "1"}
            assert len(simulator.account.schedules.rows) == 1


FATES = (
    Fault(kind="slow", method="POST", after=True, seconds=2),
    Fault(kind="slow", method="POST", seconds=1),
    Fault(kind="drop_before", method="POST"),
    Fault(kind="drop_after", method="POST"),
)
"""What becomes of a creation whose sender is killed: it took effect before, after, or not at all."""


@pytest.mark.parametrize("labels", ["echo", "refuse"])
def test_killed_in_the_middle_of_a_request_it_loses_and_doubles_nothing(serve: Serve, labels: Labels) -> None:
    """Each schedule is there once, whether the creation that was under way can be known by its label or not."""
    crons = {f"s{number}": f"{number} 3 1 * *" for number in range(len(FATES))}
    with running(SimulatorOptions(labels=labels)) as simulator:
        service = serve(simulator.url)
        service.declare(interval="2s")
        service.drop_in("[Service]\nRestartSec=100ms\n")
        with service.started() as journal:
            for number, fate in enumerate(FATES, start=1):
                fault = replace(fate)
                simulator.inject(fault)
                service.declare(interval="2s", **dict(islice(crons.items(), number)))
                until(partial(is_used_up, fault))
                service.kill("SIGKILL")
                journal.message(RESTARTING)
                journal.message(STARTED)
                journal.event("pass.finished", is_settled)
        live = Counter((row.order.action_name, row.cron) for row in simulator.account.schedules.rows.values())
        assert live == Counter((f"action-{name}", cron) for name, cron in crons.items())
        assert simulator.account.firings == []


def is_used_up(fault: Fault) -> bool:
    """Whether the request that it is for has come."""
    return fault.times == 0


def is_settled(said: Mapping[str, Any]) -> bool:
    """Whether a pass found nothing to do and nothing in doubt."""
    return bool(said["result"] == "unchanged" and said["blocked"] == 0)
