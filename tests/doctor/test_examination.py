"""What the doctor finds, mostly when things are broken."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cdsync.assembly import Surroundings, settings_of
from cdsync.core.findings import Finding
from cdsync.daemon import run_daemon
from cdsync.doctor import examine
from cdsync.doctor.secrets import look_at_key
from cdsync.simulator import Fault, SimulatorOptions, running
from cdsync.store import open_writer
from tests.cli.process import KEY, Shell, schedules_yaml, shell

NOBODY = "http://127.0.0.1:9"
GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def rooted(folder: Path, settings: str = "", **crons: str) -> Surroundings:
    """A root with these settings, at an API that nobody serves."""
    user = Shell(folder)
    user.write("cdsync.yaml", f"api: {{requests_per_minute: 6000}}\n{settings}")
    user.write("schedules.yaml", schedules_yaml(**(crons or {"a": "0 9 * * 1"})))
    return Surroundings(root=folder, environment={"CDSYNC_API_URL": NOBODY})


def found(around: Surroundings, what: str, **environment: str) -> list[str]:
    """The findings about something, as `grade: detail`."""
    around = replace(around, environment={**around.environment, **environment})
    return [f"{row.grade}: {row.detail}" for row in asyncio.run(examine(around)) if row.what.startswith(what)]


def remedies(around: Surroundings, what: str, **environment: str) -> list[str]:
    """What to do about the findings about something."""
    around = replace(around, environment={**around.environment, **environment})
    return [row.remedy or "" for row in asyncio.run(examine(around)) if row.what.startswith(what)]


def test_a_root_that_is_kept_is_well(tmp_path: Path) -> None:
    """Through the command line: only `ok`, one line each, and exit 0."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        git = shutil.which("git")
        assert git is not None
        for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "All")):
            subprocess.run([git, "-C", str(tmp_path), *command], check=True, env={**user.variables(), **GIT})
        around = Surroundings(root=tmp_path, environment=user.variables())
        assert asyncio.run(run_daemon(around, once=True)) == 0
        done = user.ok("doctor")
        lines = done.out.splitlines()
        assert [line for line in lines[:-2] if not line.startswith("ok: ")] == []
        assert lines[-1] == f"{len(lines) - 2} ok."
        assert "takes the key" in done.out
        assert KEY not in done.out


def test_a_failing_look_ends_the_command_with_one(tmp_path: Path) -> None:
    """A script can tell, and the lines say what is wrong and what to do."""
    user = Shell(tmp_path / "nowhere")
    done = user.run("doctor")

    assert done.code == 1
    assert done.out.startswith(
        f"fail: settings: {tmp_path}/nowhere does not exist; expected a config root; run 'cdsync"
    )


def test_settings_that_cannot_be_read_leave_the_rest_to_be_looked_at(tmp_path: Path) -> None:
    """As far as it can be."""
    around = rooted(tmp_path, "owner: Not A Label\n")

    assert found(around, "settings")[0].startswith("fail: cdsync.yaml:2:8: owner is 'Not A Label'")
    assert found(around, "git")[0].startswith("ok: git version")


def test_problems_of_the_declaration_are_shown_but_not_all(tmp_path: Path) -> None:
    """Five are enough to begin with."""
    around = rooted(tmp_path, **{f"s{number}": "never" for number in range(7)})
    rows = found(around, "declaration")

    assert len(rows) == 6
    assert rows[0].startswith("fail: schedules.yaml:4:11: schedule/s0: cron 'never'")
    assert rows[-1] == "fail: and 2 more problems"


def test_what_is_odd_in_the_declaration_is_a_warning(tmp_path: Path) -> None:
    """It is valid all the same."""
    rows = found(rooted(tmp_path, a="* * * * *"), "declaration")

    assert rows[0].startswith("warn: schedules.yaml:")
    assert rows[-1] == "ok: 1 resource in 2 files"


@pytest.mark.parametrize(
    ("settings", "environment", "expected"),
    [
        ("", {}, "fail: the environment variable CAPTAIN_DATA_API_KEY is not set"),
        ("", {"CAPTAIN_DATA_API_KEY": "s3cr3t"}, "ok: found"),
        ("", {"CDSYNC_API_KEY": "s3cr3t"}, "ok: given by CDSYNC_API_KEY"),
        ("gone", {}, "fail: the reference {file: gone} cannot be read: No such file or directory"),
        ("open", {}, "warn: found, but others on this machine can read the file"),
        ("shut", {}, "ok: found"),
    ],
)
def test_the_key_is_looked_for_and_never_shown(
    tmp_path: Path, settings: str, environment: Mapping[str, str], expected: str
) -> None:
    """Where it should be, and that nobody else can read it there."""
    for name, mode in (("open", 0o644), ("shut", 0o600)):
        (tmp_path / name).write_text("s3cr3t", encoding="utf-8")
        (tmp_path / name).chmod(mode)
    around = rooted(tmp_path)
    if settings:
        (tmp_path / "cdsync.yaml").write_text(f"api: {{key: {{file: {settings}}}}}\n", encoding="utf-8")

    around = replace(around, environment=environment)
    assert [f"{row.grade}: {row.detail}" for row in look_at_key(settings_of(around), around)] == [expected]


def test_other_secrets_are_looked_for_too(tmp_path: Path) -> None:
    """The token, the hook's secret, and where notifications go; a URL that may not be used is told in advance."""
    around = rooted(
        tmp_path,
        "daemon: {token: {env: T}, webhook_secret: {env: W}}\nnotify: [{url: {env: U}}, {url: 'https://e.com'}]\n",
    )

    assert found(around, "daemon.token", T="t") == ["ok: found"]
    assert found(around, "daemon.webhook_secret") == ["fail: the environment variable W is not set"]
    assert found(around, "notify", U="http://e.com/s3cr3t") == [
        "fail: it is http://e.com; expected https, or plain http to loopback only"
    ]


def test_an_api_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With what to check."""
    around = rooted(tmp_path)

    (row,) = found(around, "api", CDSYNC_API_KEY="any")
    assert "no connection" in row
    assert remedies(around, "api", CDSYNC_API_KEY="any") == ["check api.base_url and the network"]
    assert found(around, "api") == ["fail: not asked, because there is no key"]


def test_the_api_is_asked_for_all_that_it_tells(tmp_path: Path) -> None:
    """A refused key, a clock that is off, a rate limit that is used up, another workspace."""
    around = rooted(tmp_path)
    with running(SimulatorOptions(key="right")) as simulator:
        here = {"CDSYNC_API_URL": simulator.url, "CDSYNC_API_KEY": "right"}
        assert "HTTP 401" in found(around, "api", **{**here, "CDSYNC_API_KEY": "s3cr3t"})[0]
        assert found(around, "api", **here)[0].endswith("answers, in dialect manage, and takes the key")
        late = replace(around, now=lambda: datetime.now(UTC) - timedelta(minutes=5))
        assert found(late, "clock", **here)[0].startswith("warn: the server's is ")
        assert found(around, "clock", **here) == ["ok: within 10 s of the server's"]
        state = tmp_path / ".cdsync" / "state.db"
        with open_writer(state, holder="a test") as store:
            store.remember("workspace", "another")
        assert found(around, "workspace", **here)[0].endswith("but the state belongs to another")
        simulator.inject(Fault(kind="rate_limit", method="GET", seconds=1))
        assert "ok" in found(around, "rate limit", **here)[0]


def test_a_state_is_looked_at_without_touching_it(tmp_path: Path) -> None:
    """Whether it is there, who may read it, whether it is whole, and who holds it."""
    around, state = rooted(tmp_path), tmp_path / ".cdsync" / "state.db"

    assert found(around, "state")[0].startswith(f"warn: {state} is not there")
    assert not state.exists()
    with open_writer(state, holder="cdsync daemon (process 7)"):
        assert found(around, "state") == [
            f"ok: {state} is whole: 0 resources owned",
            "ok: held by cdsync daemon (process 7)",
        ]
    assert found(around, "state")[-1] == "ok: held by nobody"
    state.chmod(0o644)
    assert found(around, "state")[0] == f"warn: {state} has mode 0644, so others can read it"
    state.write_bytes(b"no database at all, but a text that is long enough to be looked at" * 10)
    (row,) = [row for row in found(around, "state") if row.startswith("fail")]
    assert "damaged, or not a state file" in row


def test_a_folder_that_everybody_may_change_is_told(tmp_path: Path) -> None:
    """Who can change the declaration can spend the credits."""
    around = rooted(tmp_path)
    tmp_path.chmod(0o777)

    assert found(around, "folder")[0] == f"warn: {tmp_path} can be changed by everybody on this machine"


def test_a_root_outside_git_is_told_with_git_s_own_words(tmp_path: Path) -> None:
    """Everything works without, but history names no commit."""
    rows: list[Finding] = [
        row for row in asyncio.run(examine(rooted(tmp_path))) if row.what == "git" and row.grade == "warn"
    ]

    assert "not a git repository" in rows[0].detail
    assert "keep the declaration in git" in str(rows[0].remedy)
