"""The root command: global flags, the list of commands, and what an error looks like."""

from __future__ import annotations

import builtins
import difflib
import importlib
import keyword
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from cdsync import __version__
from cdsync.errors import CdsyncError, ConfigError
from cdsync.render.lines import printable

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("declaration", "Write a commented starter configuration that validates."),
    "validate": ("declaration", "Check the whole declaration offline; needs no key."),
    "plan": ("reviewing", "Show what would happen, and why; changes nothing."),
    "apply": ("planning", "Make the account as declared."),
    "daemon": ("daemon", "Keep the account as declared: heal drift, resume runs, take up changes."),
    "status": ("standing", "Show every resource: declared, remote, next fire, health, last fire and run."),
    "next": ("coming", "Show when everything declared fires next, in its own zone; needs no key."),
    "history": ("standing", "Show what was done, when, by which commit, with what result."),
    "import": ("importing", "Write YAML for schedules nobody owns yet, and how to adopt them."),
    "adopt": ("ownership", "Take ownership of an object that is on the account already."),
    "forget": ("ownership", "Drop ownership without touching the API object."),
    "hold": ("ownership", "Let the reconciler leave a resource alone, visibly."),
    "release": ("ownership", "End a hold."),
    "resume": ("planning", "Resume the stopped or blocked runs of a resource now."),
    "doctor": ("examining", "Check key, API, clock, rate limit, state, git and folders; say what to do."),
    "schema": ("declaration", "Print a JSON Schema."),
    "simulate": ("trying", "Serve a simulator of the API on loopback."),
    "demo": ("trying", "Take the tour: simulator, plan, apply, drift healed, run resumed."),
}
"""Command -> the module that holds it, which is imported only when it is called, and its short help."""


@dataclass(frozen=True, slots=True)
class Flags:
    """The global flags, for the commands."""

    root: Path
    log_format: str | None
    log_level: str | None
    color: bool


class Commands(click.Group):
    """The commands by name, imported when called; a misspelt one is answered with the nearest."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        """The names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in COMMANDS and ctx.resilient_parsing:
            return None  # a shell that completes what is still being typed
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {cmd_name!r}.{hint}")
        module = importlib.import_module(f"cdsync.cli.{COMMANDS[cmd_name][0]}")
        is_pythons = keyword.iskeyword(cmd_name) or hasattr(builtins, cmd_name)
        command: click.Command = getattr(module, f"{cmd_name}_command" if is_pythons else cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so, with what they do, without importing any; or the global flags."""
        names = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 # click's signature
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, prog_name="cdsync", message="%(prog)s %(version)s")
@click.option(
    "-C",
    "root",
    metavar="DIR",
    envvar="CDSYNC_CONFIG",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The config root: the folder of cdsync.yaml. [default: this folder, or $CDSYNC_CONFIG]",
)
@click.option("--log-format", type=click.Choice(["console", "json"]), help="How logs are written to stderr.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="The least level shown.")
@click.option("--no-color", is_flag=True, help="No colours, also on a terminal ($NO_COLOR does the same).")
@click.pass_context
def cli(ctx: click.Context, root: Path, log_format: str | None, log_level: str | None, no_color: bool) -> None:
    """Keep the schedules and runs of a Captain Data (Edges) account as YAML declares them.

    Start with: cdsync demo
    """
    color = not no_color and not os.environ.get("NO_COLOR")
    ctx.obj = Flags(root=root.absolute(), log_format=log_format, log_level=log_level, color=color)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    try:
        result: Any = cli.main(args=arguments, prog_name="cdsync", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except click.ClickException as error:
        shown = _with_hint(error) if isinstance(error, click.NoSuchOption) else error
        shown.show()
        code = 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; what was begun is in the journal, and the next apply goes on from there", err=True)
        code = 1
    except CdsyncError as error:
        show_error(error)
        code = error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone away; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def _with_hint(error: click.NoSuchOption) -> click.NoSuchOption:
    """The error with where an unknown option goes, or which short one is meant; click finds the long ones."""
    if error.ctx is None:
        return error
    flag, command = error.option_name, error.ctx.command
    option = next((option for option in cli.params if flag in option.opts), None)
    if option is not None and command is not cli:
        value = "" if isinstance(option, click.Option) and option.is_flag else f" {option.make_metavar(error.ctx)}"
        message = f"{error.message} It goes before the command: cdsync {flag}{value} {command.name}"
        return click.NoSuchOption(flag, message, ctx=error.ctx)
    short = {option.opts[0] for option in command.params if len(option.opts) == 1 and len(option.opts[0]) == 2}
    meant = flag[1:3]  # Of --out that is -o.
    if meant in short:
        return click.NoSuchOption(flag, f"{error.message} Did you mean {meant!r}?", ctx=error.ctx)
    return error


def show_error(error: CdsyncError) -> None:
    """Print an error for a person: what, where, and what to do."""
    if isinstance(error, ConfigError):
        click.echo(_safe(str(error)), err=True)
        number = len(error.problems)
        click.echo(f"{number} problem{'s' if number != 1 else ''} in the declaration; nothing was done", err=True)
        return
    click.echo(_safe(f"error: {error}"), err=True)
    if error.remedy:
        click.echo(_safe(f"  what to do: {error.remedy}"), err=True)


def _safe(text: str) -> str:
    """The text with control characters escaped, line by line: parts of a message may come from the API."""
    return "\n".join(printable(line) for line in text.split("\n"))
