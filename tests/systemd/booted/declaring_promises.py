"""Where the declaration comes from: a checkout that root keeps, or git, which the sandbox lets the daemon run."""

from __future__ import annotations

from pathlib import Path

from cdsync.simulator import running
from tests.cli.process import schedules_yaml
from tests.gitsource.test_access import ENCODED, TOKEN, serving
from tests.gitsource.upstream import Upstream
from tests.systemd.service import Serve

FED = """\
api: {{base_url: "{api}", requests_per_minute: 6000, key: {{credential: api-key}}}}
daemon:
  interval: 1h
  git: {{url: "{git}", poll: 1s, username: deploy, token: {{credential: git-token}}}}
"""

EVERYWHERE = """\
cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'
journalctl -o export
find /var/lib/private/cdsync /tmp /var/tmp -type f -exec cat {} +
"""


def test_the_commit_of_a_checkout_that_root_owns_is_told(serve: Serve) -> None:
    """What was done is on record with the commit, although the checkout is another user's."""
    with running() as simulator:
        service = serve(simulator.url)
        service.declare(a="0 9 * * 1")
        service.write(".gitignore", "api-key\n")
        git = "git -c user.name=a -c user.email=a@example.com -C /etc/cdsync"
        service.machine.run("sh", "-ec", f"{git} init -q; {git} add .; {git} commit -q -m one")
        commit = service.machine.run("sh", "-c", f"{git} rev-parse HEAD").strip()
        with service.started() as journal:
            assert journal.event("pass.finished").said["revision"] == commit
            service.write("schedules.yaml", schedules_yaml(a="0 10 * * 1"))
            changed = journal.event("pass.finished", lambda said: said["result"] == "applied")
            assert changed.said["revision"] == f"{commit}-dirty"


def test_a_commit_that_is_pushed_is_live_within_one_poll(serve: Serve, tmp_path: Path) -> None:
    """Fed from git with a token that is a credential too; that is shown and kept nowhere either."""
    upstream = Upstream.at(tmp_path)
    first = upstream.push({"schedules.yaml": schedules_yaml(a="0 9 * * 1")})
    with running() as simulator, serving(upstream.bare.parent) as server:
        service = serve(simulator.url)
        service.write("cdsync.yaml", FED.format(api=simulator.url, git=f"{server.url}/{upstream.bare.name}"))
        for name, secret in (("api-key", service.key), ("git-token", TOKEN)):
            service.machine.write(f"/etc/cdsync/{name}", f"{secret}\n", mode=0o600)
        service.drop_in("[Service]\nLoadCredential=git-token:/etc/cdsync/git-token\n")
        with service.started() as journal:
            done = journal.event("pass.finished", lambda said: said["result"] == "applied")
            assert done.said["revision"] == first
            second = upstream.push({"schedules.yaml": schedules_yaml(a="0 10 * * 1")})
            done = journal.event("pass.finished", lambda said: said["result"] == "applied")
            assert (done.said["causes"], done.said["revision"]) == (["commit"], second)
            assert [row.cron for row in simulator.account.schedules.rows.values()] == ["0 10 * * 1"]
            shown = service.machine.run("sh", "-c", EVERYWHERE)
            assert "pass.finished" in shown
            assert not [secret for secret in (TOKEN, ENCODED, service.key) if secret in shown]
            service.machine.run("systemctl", "start", "cdsync-plan.service")
            report = service.machine.run("journalctl", "-q", "-o", "cat", "-u", "cdsync-plan.service")
            assert "No changes" in report
