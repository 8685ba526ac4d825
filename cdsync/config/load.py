"""A config root -> its settings and its desired state. The one loader: validate, plan and daemon see the same."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from cdsync.config.inputs import InputFiles, input_path
from cdsync.config.places import KIND_OF_SECTION
from cdsync.config.reading import SETTINGS_FILE, find_yaml_files, printable, read_text, sorted_problems
from cdsync.config.resources import Declared, declare
from cdsync.config.settings_file import build_settings, settings_problems
from cdsync.config.warnings import warnings_of
from cdsync.config.yaml_nodes import Tree, read_tree
from cdsync.core.model import Address, DesiredState
from cdsync.core.policy import Policy
from cdsync.errors import CdsyncError, ConfigError, Problem
from cdsync.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All that a config root declares.

    `desired` has only its `resources` filled, sorted by address. `files` maps every file that was read, as a path
    relative to the root, to its sha256.
    """

    settings: Settings
    desired: DesiredState
    warnings: tuple[Problem, ...] = ()
    files: Mapping[str, str]


def load(root: Path, *, now: datetime) -> Configuration:
    """Read a whole config root; `now` (aware) is from when on daylight-saving changes are looked for.

    Raises:
        ConfigError: anything is wrong; carries every problem of every file, in the order of their places.
        CdsyncError: there is no such folder, or no `cdsync.yaml` in it.
    """
    with _without_collection():
        return _load(root.absolute(), now)


def load_settings(root: Path) -> Settings:
    """Read `cdsync.yaml` alone.

    Raises:
        ConfigError: anything in it is wrong.
        CdsyncError: there is no such folder, or no `cdsync.yaml` in it.
    """
    top = root.absolute()
    _require_root(top)
    text = read_text(top, SETTINGS_FILE)
    settings, problems = _settings(read_tree(text.file, text.text), top)
    if settings is None:
        raise ConfigError(sorted_problems(problems))
    return settings


def _load(root: Path, now: datetime) -> Configuration:
    _require_root(root)
    trees, digests, problems = _read_all(root)
    settings_tree = trees.pop(SETTINGS_FILE, None)
    settings = None
    if settings_tree is not None:
        settings, found = _settings(settings_tree, root)
        problems += found
    inputs = InputFiles(root, trees)
    resource_files = _resource_files(trees)
    policy = settings.policy if settings else Policy()
    declared, found = declare([tree for tree in resource_files if not tree.broken], inputs, resume=policy.resume)
    problems += [problem for tree in trees.values() for problem in tree.problems]
    problems += _without_echoes(found, trees)
    if problems or settings is None:
        raise ConfigError(sorted_problems(problems))
    resources: dict[Address, Declared] = dict(sorted(declared.items()))
    return Configuration(
        settings=settings,
        desired=DesiredState(resources={address: item.resource for address, item in resources.items()}),
        warnings=sorted_problems(warnings_of(resources.values(), now=now)),
        files=dict(sorted((digests | inputs.digests).items())),
    )


def _require_root(root: Path) -> None:
    start = f"run 'cdsync init {root}' to start one, or name another folder with -C"
    if not root.is_dir():
        fault = "is no folder" if root.exists() else "does not exist"
        raise CdsyncError(f"{root} {fault}; expected a config root", remedy=start)
    if not (root / SETTINGS_FILE).exists():
        other = root / "cdsync.yml"
        remedy = f"rename {other.name} to {SETTINGS_FILE}" if other.exists() else start
        raise CdsyncError(f"{root} has no {SETTINGS_FILE}, so it is no config root", remedy=remedy)


def _read_all(root: Path) -> tuple[dict[str, Tree], dict[str, str], list[Problem]]:
    found_files, problems = find_yaml_files(root)
    files = sorted({*found_files, SETTINGS_FILE})
    trees: dict[str, Tree] = {}
    digests: dict[str, str] = {}
    for file in files:
        if file != SETTINGS_FILE and PurePosixPath(file).stem == "cdsync":
            message = (
                f"a second settings file; expected only {SETTINGS_FILE} at the top, and every root in its own folder"
            )
            problems.append(Problem(printable(file), 1, 1, None, message))
            continue
        try:
            found = read_text(root, file)
        except ConfigError as error:
            problems += error.problems
        else:
            digests[found.file] = found.sha256
            trees[found.file] = read_tree(found.file, found.text)
    return trees, digests, problems


def _settings(tree: Tree, root: Path) -> tuple[Settings | None, list[Problem]]:
    """The settings, or why there are none."""
    found = [] if tree.broken else settings_problems(tree, root)
    problems = [*tree.problems, *_without_echoes(found, {tree.file: tree})]
    return (None, problems) if problems else (build_settings(tree.value, root), [])


def _resource_files(trees: Mapping[str, Tree]) -> list[Tree]:
    """All documents but the lists that another one names as its inputs."""
    named = {input_path(tree.file, reference) for tree in trees.values() for reference in _input_references(tree)}
    return [tree for file, tree in trees.items() if file not in named or not isinstance(tree.value, list)]


def _input_references(tree: Tree) -> Iterator[str]:
    document = tree.value if isinstance(tree.value, Mapping) else {}
    for section in KIND_OF_SECTION:
        named = document.get(section)
        for fields in named.values() if isinstance(named, Mapping) else ():
            inputs = fields.get("inputs") if isinstance(fields, Mapping) else None
            reference = inputs.get("file") if isinstance(inputs, Mapping) else None
            if isinstance(reference, str):
                yield reference


def _without_echoes(problems: list[Problem], trees: Mapping[str, Tree]) -> list[Problem]:
    """Problems without those at a place where the YAML itself is already refused: they would only follow from that."""
    refused = {(p.file, p.line, p.column) for tree in trees.values() for p in tree.problems}
    return [problem for problem in problems if (problem.file, problem.line, problem.column) not in refused]


@contextmanager
def _without_collection() -> Iterator[None]:
    """Hold the cyclic collector, which would walk all nodes again and again, and finds nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
