"""The examples for CI are true: they are YAML, their shell is shell, and their commands exist with their flags."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.process import Shell
from tests.test_docs import commands, options

TOP = Path(__file__).parents[1]
EXAMPLES = TOP / "examples" / "ci"
HOOKS = TOP / ".pre-commit-hooks.yaml"
FILES = [*sorted(EXAMPLES.glob("*.yml")), HOOKS]


def parsed(path: Path) -> Any:
    """A file as its platform reads it."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def scripts(node: Any) -> Iterator[str]:
    """Every piece of shell in a workflow or pipeline: what stands in `run` and `script`."""
    match node:
        case {"entry": entry, "args": args}:
            yield " ".join([entry, *args])
        case dict():
            for key, value in node.items():
                if key in {"run", "script", "before_script"}:
                    yield "\n".join(lines(value))
                else:
                    yield from scripts(value)
        case list():
            for value in node:
                yield from scripts(value)


def lines(node: Any) -> Iterator[str]:
    """A script that is one text, or a list of texts and lists."""
    if isinstance(node, str):
        yield node
    else:
        for value in node:
            yield from lines(value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_command_exists_with_its_flags(path: Path) -> None:
    """What a team copies runs as it is."""
    known = commands()
    found = [
        words.split()
        for script in scripts(parsed(path))
        for words in re.findall(r'(?:^|[\s;&|])cdsync((?: -C "\$ROOT")?(?: [^\n;&|>]+)?)', script)
        if words.strip()
    ]
    assert found
    for words in found:
        rest = words[2:] if words[0] == "-C" else words
        assert rest[0] in known, words
        flags = {word for word in rest[1:] if re.fullmatch(r"--?[a-z][a-z-]*", word)}
        assert flags <= options(known[rest[0]]), words


@pytest.mark.parametrize("path", FILES[:2], ids=lambda path: path.name)
def test_every_script_is_shell(path: Path) -> None:
    """Quotes and brackets match, also where a script holds a program of another language."""
    found = list(scripts(parsed(path)))
    assert found
    for script in found:
        done = subprocess.run(
            ["/bin/bash", "-n"], input=script, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), script
    for program in re.findall(r"python3 -c '\n(.*?)'", "\n".join(found), re.DOTALL):
        compile(program, path.name, "exec")


def test_plans_are_made_of_pull_requests_and_applied_one_at_a_time() -> None:
    """Pull requests plan, main applies, an apply is never broken off, and no job has a right that it does not need."""
    workflow = parsed(EXAMPLES / "github-actions.yml")
    jobs = workflow["jobs"]
    assert workflow[True] == {"pull_request": None, "push": {"branches": ["main"]}}  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    assert jobs["apply"]["concurrency"] == {"group": "cdsync-apply", "cancel-in-progress": False}
    assert "write" not in jobs["apply"]["permissions"].values()
    assert "head.repo.full_name == github.repository" in jobs["plan"]["if"]
    pipeline = parsed(EXAMPLES / "gitlab-ci.yml")
    assert pipeline["apply"]["resource_group"] == "cdsync-apply"
    assert pipeline["apply"]["interruptible"] is False


def test_what_comes_from_outside_never_stands_in_a_script() -> None:
    """A branch name or title that is shell must not run: values reach scripts through the environment only."""
    for script in scripts(parsed(EXAMPLES / "github-actions.yml")):
        assert "${{" not in script


def test_the_hook_finds_faults_of_the_declaration(tmp_path: Path) -> None:
    """The hook's command, run as pre-commit would, refuses a commit that would not load."""
    (hook,) = parsed(HOOKS)
    assert hook["pass_filenames"] is False
    user = Shell(tmp_path)
    user.write("cdsync.yaml", "")
    user.ok(*hook["args"])
    user.write("a.yaml", "schedules: {a: {}}\n")
    assert user.run(*hook["args"]).code == 1
    assert re.search(hook["files"], "team/a.yaml")
    assert re.search(hook["files"], "leads.csv")
    assert not re.search(hook["files"], "README.md")
