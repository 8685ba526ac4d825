"""One of cdsync's units in the container: what it declares, its life, and where it keeps what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.process import schedules_yaml
from tests.systemd.journal import Journal, following
from tests.systemd.machine import Machine

SETTINGS = """\
api: {{base_url: "{url}", requests_per_minute: 6000, settle: 3s, timeout: 4s, key: {{credential: api-key}}}}
daemon: {{interval: {interval}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The unit of one account; `account` is the name of an instance, empty for the unit that stands alone."""

    machine: Machine
    url: str
    key: str
    account: str = ""

    @property
    def unit(self) -> str:
        """The name of the unit."""
        return f"cdsync@{self.account}.service" if self.account else "cdsync.service"

    @property
    def root(self) -> str:
        """The config root."""
        return f"/etc/cdsync/{self.account}".rstrip("/")

    @property
    def state(self) -> Path:
        """The folder of the state, as seen from outside."""
        return self.machine.root / "var/lib/private/cdsync" / self.account

    def declare(self, *, interval: str = "1h", **crons: str) -> None:
        """Declare these schedules, and the settings; root alone may read the key."""
        self.write("cdsync.yaml", SETTINGS.format(url=self.url, interval=interval))
        self.write("schedules.yaml", schedules_yaml(**crons))
        self.machine.write(f"{self.root}/api-key", f"{self.key}\n", mode=0o600)

    def write(self, name: str, text: str) -> None:
        """Write a file of the config root."""
        self.machine.write(f"{self.root}/{name}", text)

    def drop_in(self, text: str) -> None:
        """Change the unit as an administrator does."""
        self.machine.write(f"/etc/systemd/system/{self.unit}.d/test.conf", text)
        self.machine.run("systemctl", "daemon-reload")

    @contextmanager
    def started(self) -> Iterator[Journal]:
        """Start it, which waits until it says that it is ready; gives its journal from before the start."""
        with following(self.machine, self.unit) as journal:
            self.systemctl("start")
            yield journal

    def systemctl(self, verb: str) -> str:
        """Do something to the unit; what fails fails the test, with the unit's journal."""
        told = f"journalctl -q -n30 -u {self.unit}"
        out = self.machine.run("sh", "-c", f"systemctl {verb} {self.unit} || echo FAILED; {told}")
        assert "FAILED\n" not in out, out
        return out

    def kill(self, signal: str) -> None:
        """Send a signal to the main process, and to no other."""
        self.machine.run("systemctl", "kill", "--kill-whom=main", f"--signal={signal}", self.unit)

    def show(self, *names: str) -> dict[str, str]:
        """Properties of the unit."""
        out = self.machine.run("systemctl", "show", self.unit, f"--property={','.join(names)}")
        return dict(line.split("=", 1) for line in out.splitlines())


Serve = Callable[..., Service]
