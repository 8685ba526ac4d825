"""How a command starts: by itself, and without what it does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from cdsync.cli.root import COMMANDS, cli
from tests.cli.process import Shell

FIRST = {module: name for name, (module, _) in reversed(list(COMMANDS.items()))}
"""A command of each module."""

SLOW = frozenset({"icalendar", "jinja2", "jsonschema", "pygments", "rich", "starlette", "structlog", "uvicorn"})
"""What draws, logs or serves, and what is only asked about a wrong declaration."""

NEEDED = frozenset({"asyncio", "httpx", "jsonschema_rs", "sqlite3", "yaml"})
"""What a pass needs."""

PROGRAM = """
import sys
from cdsync.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*(name for name in sys.modules if "." not in name), file=sys.stderr)
"""


@pytest.mark.parametrize("name", FIRST.values())
def test_each_command_can_be_the_first_of_a_process(tmp_path: Path, name: str) -> None:
    """What it imports is whole, whatever else was imported before it."""
    done = Shell(tmp_path).cold(name, "--help")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: cdsync {name} ")


def imported(*arguments: str) -> frozenset[str]:
    """The libraries that a command has imported when it ends."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    return frozenset(told.splitlines()[-1].split())


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_what_is_said_without_a_pass_waits_for_no_library(flag: str) -> None:
    """The version and the help need nothing but click."""
    assert imported(flag) & (SLOW | NEEDED | {"click"}) == {"click"}


def test_a_plan_waits_for_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    """What draws, logs or serves is imported where that is done, so that a plan on a pull request starts quickly."""
    assert imported("-C", str(tmp_path), "plan") & (SLOW | NEEDED) == NEEDED


def test_what_comes_next_waits_for_no_calendar(tmp_path: Path) -> None:
    """Only one of its formats is a calendar."""
    assert imported("-C", str(tmp_path), "next") & SLOW == set()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("plan", "-C", "elsewhere"), "No such option '-C'. It goes before the command: cdsync -C DIR plan\n"),
        (("plan", "--no-color"), "No such option '--no-color'. It goes before the command: cdsync --no-color plan\n"),
        (("plan", "--out", "plan.json"), "No such option '--out'. Did you mean '-o'?\n"),
        (("plan", "--fromat", "json"), "No such option '--fromat'. Did you mean '--format'?\n"),
    ],
)
def test_a_flag_in_the_wrong_place_is_answered_with_the_right_one(
    tmp_path: Path, arguments: tuple[str, ...], hint: str
) -> None:
    """A newcomer need not know which flags are global, nor which have a short form alone."""
    done = Shell(tmp_path).run(*arguments)

    assert done.code == 1
    assert done.err.endswith(f"Error: {hint}")


def test_no_help_shows_how_it_is_laid_out() -> None:
    """What tells click to leave lines as they are is not for readers."""
    # With the settings of the command line: what a command is asked for once, click remembers.
    context = click.Context(cli, **cli.context_settings)
    commands = [cli.get_command(context, name) for name in COMMANDS]

    assert [command.name for command in commands if command and "\\b" in command.get_help(context)] == []
