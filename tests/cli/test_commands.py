"""What each command says and how it ends, for good input and for bad."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema

from cdsync.errors import StoreBusy
from cdsync.simulator import Fault, running
from cdsync.store import open_writer
from tests.cli.process import Shell, shell

SCHEMA = Path(__file__).parents[2] / "schema" / "plan.schema.json"


def test_init_writes_what_validates(tmp_path: Path) -> None:
    """A newcomer's first configuration is right, and is never written over another."""
    user = Shell(tmp_path / "new")
    user.ok("init")
    assert "valid:" in user.ok("validate").out
    again = user.run("init")
    assert again.code == 1
    assert "exists already, and is not overwritten" in again.err


def test_all_faults_of_the_declaration_come_at_once(tmp_path: Path) -> None:
    """Every fault is told with its place and address, and the command ends with 1."""
    user = shell(tmp_path, "http://127.0.0.1:9", a="61 9 * * 1", b="0 9 31 2 *")
    done = user.run("validate")
    assert done.code == 1
    assert done.out == ""
    assert "schedules.yaml:4:" in done.err
    assert "schedule/a: " in done.err
    assert "schedule/b: " in done.err
    assert "2 problems in the declaration; nothing was done" in done.err


def test_apply_without_a_terminal_needs_yes(tmp_path: Path) -> None:
    """Nothing is changed by a program that nobody told to."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        done = user.run("apply")
        assert done.code == 1
        assert "no terminal to ask on" in done.err
        assert simulator.account.schedules.rows == {}


def test_json_on_stdout_is_one_document(tmp_path: Path) -> None:
    """`plan --format json` prints what its schema describes, `-o` saves the same, and status prints JSON too."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", tight="* * * * *")
        planned = user.ok("plan", "--format", "json", "-o", str(tmp_path / "plan.out"))
        jsonschema.validate(planned.json, json.loads(SCHEMA.read_text(encoding="utf-8")))
        assert (tmp_path / "plan.out").read_text(encoding="utf-8") == planned.out
        assert "warning:" in planned.err
        assert [row["address"] for row in user.ok("status", "--format", "json").json["resources"]] == [
            "schedule/a",
            "schedule/tight",
        ]


def test_a_target_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    """A misspelt glob never looks like an empty plan."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2")
        assert "schedule/b" not in user.ok("plan", "--target", "schedule/a").out
        done = user.run("plan", "--target", "schedule/zzz")
        assert done.code == 1
        assert "'schedule/zzz' matches nothing that is declared or owned" in done.err


def test_a_refused_key_says_so_and_concludes_nothing(tmp_path: Path) -> None:
    """401 is an error that ends the pass before it decides anything."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        simulator.inject(Fault(kind="status", code=401, times=5))
        done = user.run("plan")
        assert (done.code, done.out) == (1, "")
        assert "HTTP 401" in done.err
        assert "check api.key" in done.err


def test_a_server_that_is_not_there_says_so(tmp_path: Path) -> None:
    """No connection is an error for a person, not a traceback."""
    done = shell(tmp_path, "http://127.0.0.1:9", a="0 9 * * 1").run("plan")
    assert done.code == 1
    assert "no connection" in done.err
    assert "Traceback" not in done.err


def test_a_missing_key_names_the_reference(tmp_path: Path) -> None:
    """The key is looked for where the settings say, and its absence is told by that name."""
    done = shell(tmp_path, "http://127.0.0.1:9", a="0 9 * * 1").run("plan", CDSYNC_API_KEY="", CAPTAIN_DATA_API_KEY="")
    assert done.code == 1
    assert "CAPTAIN_DATA_API_KEY" in done.err


def test_a_failed_action_ends_with_3_and_the_others_are_done(tmp_path: Path) -> None:
    """One bad resource never stops the others, and the report says which is which."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2", c="0 9 * * 3")
        simulator.inject(Fault(kind="status", code=422, method="POST", path="*action-b*", times=9))
        done = user.run("apply", "--yes")
        assert done.code == 3
        assert "schedule/b: create: failed:" in done.err
        assert "Applied: 2 done, 1 failed, 1 still to do." in done.out
        assert len(simulator.account.schedules.rows) == 2


def test_a_lost_answer_does_not_create_twice(tmp_path: Path) -> None:
    """The connection breaks after the effect: the same apply looks, finds and owns what it made."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2")
        simulator.inject(Fault(kind="drop_after", method="POST", path="*action-b*"))
        user.ok("apply", "--yes")
        assert len(simulator.account.schedules.rows) == 2
        user.ok("plan", "--detailed-exitcode")


def test_a_lost_request_is_created_once_after_two_looks(tmp_path: Path) -> None:
    """The connection breaks before the effect: it is ruled out by two looks, and created by the same apply."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1", b="0 9 * * 2")
        user.write("cdsync.yaml", "api: {requests_per_minute: 6000, timeout: 4s, settle: 1s}\n")
        simulator.inject(Fault(kind="drop_before", method="POST", path="*action-b*"))
        user.ok("apply", "--yes")
        assert len(simulator.account.schedules.rows) == 2


def test_a_state_that_is_held_names_its_holder(tmp_path: Path) -> None:
    """A second writer is refused with the first one's name; readers go on."""
    with running() as simulator:
        user = shell(tmp_path, simulator.url, a="0 9 * * 1")
        user.ok("apply", "--yes")
        with open_writer(tmp_path / ".cdsync" / "state.db", holder="the test"):
            done = user.run("apply", "--yes")
            user.ok("plan")
        assert done.code == StoreBusy.exit_code
        assert "held by the test" in done.err


def test_the_state_is_private_and_hidden_from_git(tmp_path: Path) -> None:
    """The state file is 0600 and its folder ignores itself."""
    with running() as simulator:
        shell(tmp_path, simulator.url, a="0 9 * * 1").ok("apply", "--yes")
    state = tmp_path / ".cdsync" / "state.db"
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert (tmp_path / ".cdsync" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_misspelt_command_is_answered_with_the_nearest(tmp_path: Path) -> None:
    """Usage errors end with 1, because 2 means pending changes."""
    done = Shell(tmp_path).run("aply")
    assert done.code == 1
    assert "Did you mean 'apply'?" in done.err


def test_simulate_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """The simulator as a process says where it listens, serves an apply, and ends on SIGTERM with 0."""
    command = [sys.executable, "-m", "cdsync", "simulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        shell(tmp_path, url, a="0 9 * * 1").ok("apply", "--yes")
        process.terminate()
        assert process.wait(timeout=30) == 0


def test_the_tour_ends_well() -> None:
    """`cdsync demo` heals a drift behind its back, and all that is left at its end is a run that needs a person."""
    done = subprocess.run(
        [sys.executable, "-m", "cdsync", "demo"], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "resume 1 of 3" in done.stdout
    assert done.stdout.rstrip().endswith("Nothing to do now; 1 left alone.")


def test_an_api_url_without_a_scheme_is_answered_with_one_of_an_api(tmp_path: Path) -> None:
    """The example is an API's, not a hook's."""
    done = shell(tmp_path, "127.0.0.1:8080", a="0 9 * * 1").run("plan")

    assert done.code == 1
    assert "error: CDSYNC_API_URL is no URL; expected one such as https://api.captaindata.com\n" in done.err


def test_where_init_may_not_write_it_says_what_to_do(tmp_path: Path) -> None:
    """Here a file is in the way of the folder."""
    (tmp_path / "file").write_text("")
    done = Shell(tmp_path).run("init", str(tmp_path / "file" / "root"))

    assert done.code == 1
    assert done.err.endswith("  what to do: choose a folder that you may write to: cdsync init DIR\n")
