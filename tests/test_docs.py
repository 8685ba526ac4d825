"""What the README and docs say is true: commands, flags, links, the reference, the examples."""

from __future__ import annotations

import importlib.util
import re
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cdsync.api import Call
from cdsync.cli.root import COMMANDS, cli
from cdsync.config import load
from cdsync.core.events import Succeeded
from cdsync.daemon.health import judge
from cdsync.daemon.metrics import Metrics
from tests.daemon.values import NOW, action, record, standing, status

TOP = Path(__file__).parents[1]
PAGES = sorted([TOP / "README.md", *TOP.glob("docs/*.md")])


def commands() -> dict[str, click.Command]:
    """Every command of the command line."""
    context = click.Context(cli)
    return {name: command for name in COMMANDS if (command := cli.get_command(context, name)) is not None}


def options(command: click.Command) -> set[str]:
    """The flags of a command."""
    return {flag for parameter in command.params for flag in parameter.opts if flag.startswith("-")} | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_text_exists_with_its_flags(page: Path) -> None:
    """A command line in the docs names a real command, and only flags that it has."""
    known = commands()
    for line in re.findall(r"cdsync ((?:-C \S+ )?[a-z]+(?: [^`\n|&]*)?)", page.read_text(encoding="utf-8")):
        words = line.split()
        name = words[2] if words[0] == "-C" else words[0]
        if name in known:
            flags = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(words[2 if words[0] == "-C" else 0 :])))
            assert flags - {"-C"} <= options(known[name]), line


def test_the_readme_lists_every_command() -> None:
    """No command is hidden from a newcomer."""
    text = (TOP / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"`cdsync {name}" not in text] == []


def test_every_command_explains_itself() -> None:
    """The help of a command starts with the very sentence that the overview says of it."""
    for name, command in commands().items():
        assert (command.help or "").splitlines()[0] == COMMANDS[name][1], name


def test_every_command_shows_examples() -> None:
    """The help of a command ends with a line that can be copied."""
    assert [name for name, command in commands().items() if not re.search(r"Examples?[:,]", command.help or "")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    """Relative links are not broken."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_references_are_made_from_the_schemas_and_the_commands() -> None:
    """docs/configuration.md and docs/commands.md are what their generator writes now."""
    spec = importlib.util.spec_from_file_location("generate", TOP / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (TOP / "docs" / "configuration.md").read_text(encoding="utf-8") == module.page()
    assert (TOP / "docs" / "commands.md").read_text(encoding="utf-8") == module.commands_page()


def test_the_yaml_of_the_readme_is_valid(tmp_path: Path) -> None:
    """What a newcomer copies from the README loads."""
    blocks = re.findall(r"```yaml\n(.*?)```", (TOP / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    (tmp_path / "leads.csv").write_text("linkedin_profile_url\nhttps://example.com/a\n", encoding="utf-8")
    (tmp_path / "cdsync.yaml").write_text("", encoding="utf-8")
    for number, block in enumerate(blocks):
        (tmp_path / f"block{number}.yaml").write_text(block, encoding="utf-8")
    assert len(load(tmp_path, now=datetime.now(UTC)).desired.resources) == 3


def test_the_libraries_of_the_readme_are_those_that_are_needed() -> None:
    """Each dependency has a reason in the README, and nothing is listed that is not one."""
    needed = (TOP / "pyproject.toml").read_text(encoding="utf-8").split("[project.opt")[0]
    declared = re.findall(r'^    "([a-z-]+)>=', needed, re.MULTILINE)
    table = (TOP / "README.md").read_text(encoding="utf-8").split("| library | why |")[1].split("##")[0]
    listed = [name for row in re.findall(r"^\| ([a-z][a-z, -]*) \|", table, re.MULTILINE) for name in row.split(", ")]
    assert sorted(listed) == sorted(declared)


def test_every_log_event_is_in_the_docs() -> None:
    """Whoever searches a log for a name finds it explained, and no name is explained that is never logged."""
    call = re.compile(r'(?:logger\(\)\.[a-z]+|level|_tell_once)\(\s*"([a-z_.]+)"(?: if \w+ else "([a-z_.]+)")?')
    sources = (source.read_text(encoding="utf-8") for source in (TOP / "cdsync").rglob("*.py"))
    logged = {name for text in sources for found in call.findall(text) for name in found if name}
    section = (TOP / "docs" / "daemon.md").read_text(encoding="utf-8").split("## Logs")[1].split("## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]

    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", " ".join(rows))) == logged


def test_every_metric_is_in_the_docs() -> None:
    """With its labels."""
    metrics, stands = Metrics(), standing(record(rows=(status(next_fire=NOW),)), accepted_at=NOW, next_at=NOW)
    metrics.show(lambda: stands, lambda: judge(stands, interval=60, since_progress=1))
    metrics.count_call(Call("GET", "/", 200))
    metrics.count_event(Succeeded(action(), None))
    metrics.count_notification("failed", "sent")
    shown = set()
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            name = re.sub(r"_(bucket|sum|count)$", "", sample.name)
            labels = ",".join(label for label in sample.labels if label != "le")
            shown.add(f"{name}{{{labels}}}" if labels else name)
    section = (TOP / "docs" / "daemon.md").read_text(encoding="utf-8").split("### Metrics")[1].split("## ")[0]
    told = set(re.findall(r"^\| `(cdsync_[^`]+)`", section, flags=re.MULTILINE))

    assert {name for name in shown if not name.startswith("process_")} == told
