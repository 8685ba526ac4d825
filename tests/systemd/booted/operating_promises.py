"""What docs/operations.md tells a person to do, done as it says: the commands are read from the page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cdsync.simulator import SimulatorOptions, running
from tests.systemd.image import HOUSE
from tests.systemd.journal import following
from tests.systemd.service import Serve


def documented(heading: str) -> list[str]:
    """The commands below a heading of the page, block by block."""
    page = (HOUSE / "docs/operations.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```(?:console|sh)\n(.*?)```", section, re.DOTALL)


def test_a_state_that_was_saved_and_moved_doubles_nothing(serve: Serve) -> None:
    """Saved while the daemon runs, put where none is: the account is as declared, and nothing is sent."""
    (save,) = documented("Back up the state")
    leave, arrive = documented("Move to another machine")
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1", b="0 9 * * 2")
        machine = service.machine
        with service.started() as journal:
            journal.event("pass.finished")
            machine.run("sh", "-ec", save)
            service.systemctl("reload")
            assert journal.event("pass.finished").said["result"] == "unchanged"
            machine.run("sh", "-ec", leave)
            machine.run("rm", "-r", "/var/lib/cdsync", "/var/lib/private")
            machine.run("sh", "-ec", arrive)
            writes = sum(call.method != "GET" for call in simulator.account.calls)
            service.systemctl("start")
            assert journal.event("pass.finished").said["result"] == "unchanged"
            assert sum(call.method != "GET" for call in simulator.account.calls) == writes


def test_a_person_uses_the_state_of_the_unit(serve: Serve) -> None:
    """As the unit's own user: what only reads does so beside the daemon, what writes is told who holds the state."""
    (define,) = documented("Use the command line beside it")
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1")

        def as_cdsync(command: str, *, code: int = 0) -> str:
            return service.machine.run("sh", "-c", f"{define}as_cdsync {command}", code=code)

        with service.started() as journal:
            journal.event("pass.finished")
            assert "schedule/a" in as_cdsync("status")
            assert "No changes" in as_cdsync("plan")
            assert "can be written" in as_cdsync("doctor")
            assert "held by cdsync daemon" in as_cdsync("forget schedule/a", code=1)
            as_cdsync("hold schedule/a")
            assert "held" in as_cdsync("status")
            service.systemctl("stop")
            as_cdsync("forget schedule/a")
            assert service.show("User", "ActiveState") == {"User": "cdsync", "ActiveState": "inactive"}


def test_the_key_is_rotated_by_a_restart(serve: Serve) -> None:
    """A refused key stops the passes and nothing else; with the new one they go on where they were."""
    _, restart = documented("Rotate the key")[0].splitlines()
    old, new = serve("").key, serve("").key
    with running(SimulatorOptions(key=old)) as simulator:
        service = serve(simulator.url, key=old)
        service.declare(a="0 9 * * 1")
        with service.started() as journal:
            journal.event("pass.finished", lambda said: said["result"] == "applied")
            simulator.simulation.options = replace(simulator.simulation.options, key=new)
            service.systemctl("reload")
            journal.event("pass.finished", lambda said: said["result"] == "failed")
            service.machine.write("/etc/cdsync/api-key", f"{new}\n", mode=0o600)
            service.machine.run("sh", "-ec", restart)
            journal.event("daemon.started")
            assert journal.event("pass.finished").said["result"] == "unchanged"


@pytest.mark.parametrize(
    ("damage", "status"),
    [("rm /etc/cdsync/api-key", "243/CREDENTIALS"), ("mv /opt/cdsync /opt/away", "203/EXEC")],
    ids=["no-key", "no-program"],
)
def test_what_is_missing_is_told_as_the_page_says(serve: Serve, damage: str, status: str) -> None:
    """A unit that cannot start says why by a status that can be looked up."""
    service = serve("http://127.0.0.1:9")
    service.declare(a="0 9 * * 1")
    with following(service.machine, service.unit) as journal:
        try:
            service.machine.run("sh", "-c", damage)
            service.machine.run("systemctl", "start", service.unit, code=1)
            journal.wait_for(lambda entry: f"status={status}" in str(entry.fields["MESSAGE"]))
        finally:
            service.machine.run("sh", "-c", "test ! -e /opt/away || mv /opt/away /opt/cdsync")
    assert f"`status={status}`" in (HOUSE / "docs/operations.md").read_text(encoding="utf-8")
