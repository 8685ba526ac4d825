"""Several accounts on one machine: each with its own key, state, user and reports; none knows of another."""

from __future__ import annotations

from cdsync.simulator import SimulatorOptions, running
from tests.systemd.service import Serve, Service


def user_of(service: Service) -> str:
    """As whom the daemon of a service runs."""
    return service.machine.run("stat", "-c", "%U", f"/proc/{service.show('MainPID')['MainPID']}").strip()


def test_two_accounts_are_kept_side_by_side(serve: Serve) -> None:
    """Each unit has its own key and its own user, and one that ends leaves the other alone."""
    keys = {name: serve("").key for name in "ab"}
    with running(SimulatorOptions(key=keys["a"])) as first, running(SimulatorOptions(key=keys["b"])) as second:
        one = serve(first.url, "a", key=keys["a"])
        two = serve(second.url, "b", key=keys["b"])
        one.declare(x="0 9 * * 1")
        two.declare(x="0 9 * * 2")
        with one.started() as here, two.started() as there:
            here.event("pass.finished", lambda said: said["result"] == "applied")
            there.event("pass.finished", lambda said: said["result"] == "applied")
            assert [row.cron for row in first.account.schedules.rows.values()] == ["0 9 * * 1"]
            assert [row.cron for row in second.account.schedules.rows.values()] == ["0 9 * * 2"]
            assert (user_of(one), user_of(two)) == ("cdsync-a", "cdsync-b")
            one.systemctl("stop")
            one.machine.run("systemctl", "start", "cdsync-plan@a.service", "cdsync-plan@b.service")
            two.systemctl("reload")
            assert there.event("pass.finished").said["result"] == "unchanged"


def test_one_account_and_several_are_not_mixed(serve: Serve) -> None:
    """The folder of the one holds those of the others, so both at a time is refused at the start."""
    alone, instance = serve("http://127.0.0.1:9"), serve("http://127.0.0.1:9", "a")
    alone.declare(x="0 9 * * 1")
    instance.declare(x="0 9 * * 1")
    refusal = instance.machine.run("systemctl", "start", instance.unit, code=1)
    assert "ssertion failed" in refusal
