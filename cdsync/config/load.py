"""A config root -> its settings and its desired state. The one loader: validate, plan and daemon see the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from cdsync.collection import without_collection
from cdsync.config.checked import Checked
from cdsync.config.folder import FolderFiles
from cdsync.config.inputs import InputFiles, input_path
from cdsync.config.kept import Documents
from cdsync.config.places import KIND_OF_SECTION
from cdsync.config.reading import SETTINGS_FILE, Files, at_start, read_text, sorted_problems
from cdsync.config.resources import declare
from cdsync.config.settings_file import build_settings, settings_problems
from cdsync.config.warnings import doubts_of, warnings_of
from cdsync.config.written import Declared
from cdsync.config.yaml_nodes import Tree, read_tree
from cdsync.core.model import NAME, Address, DesiredState
from cdsync.core.policy import Policy
from cdsync.errors import CdsyncError, ConfigError, Problem
from cdsync.settings import Settings

_SECOND_SETTINGS = f"a second settings file; expected only {SETTINGS_FILE} at the top, and every root in its own folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All that a config root declares.

    `desired` has only its `resources` filled, sorted by address, and their `contents`. `files` maps every file that was
    read, as a path relative to the root, to its sha256; `sources` names for each resource those that it was read from.
    """

    settings: Settings
    desired: DesiredState
    warnings: tuple[Problem, ...] = ()
    files: Mapping[str, str]
    sources: Mapping[Address, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Every YAML file of a root, read once: the documents, the digests of their files, and what could not be read."""

    files: Files
    trees: Mapping[str, Tree]
    digests: Mapping[str, str]
    problems: tuple[Problem, ...]

    @property
    def named(self) -> frozenset[str]:
        """The files of inputs that the documents name, as paths relative to the root; nothing is looked up."""
        return _named_inputs(self.trees)


@without_collection()
def load(
    root: Path, *, now: datetime, cache: Path | None = None, environment: Collection[str] | None = None
) -> Configuration:
    """Read a whole config root; `now` (aware) is from when on daylight-saving changes are looked for.

    `cache` is a folder where documents are kept, so that only what has changed is read as YAML; nothing depends on it.
    With the names of an `environment` the warnings also tell what may be meant or may be a slip.

    Raises:
        ConfigError: anything is wrong; carries every problem of every file, in the order of their places.
        CdsyncError: there is no such folder, or no `cdsync.yaml` in it.
    """
    top = root.absolute()
    _require_root(top)
    documents = Documents.of(top, cache, day=now.date())
    try:
        reading = read_root(FolderFiles(top), settings_required=True, documents=documents)
        problems = _settings_problems(reading)
        tree = reading.trees.get(SETTINGS_FILE)
        settings = build_settings(tree.value, top) if tree is not None and not problems else None
        return _declared(reading, settings, problems, now, environment=environment, documents=documents)
    finally:
        documents.keep()


def unchanged(configuration: Configuration, root: Path) -> bool:
    """Whether each file of a root is, byte by byte, what this configuration was read from, and there is no other."""
    files = FolderFiles(root.absolute())
    found, problems = files.yaml_files()
    if problems or not configuration.files.keys() >= set(found):
        return False
    try:
        return all(read_text(files, file).sha256 == digest for file, digest in configuration.files.items())
    except ConfigError:
        return False


@without_collection()
def read_root(files: Files, *, settings_required: bool = False, documents: Documents | None = None) -> Reading:
    """Read every YAML file of a root, wherever it is kept; what is wrong is found by `load_from`."""
    documents = documents or Documents()
    found, problems = files.yaml_files()
    # What stands in the place of the settings is looked at also when it is no file.
    own = {SETTINGS_FILE} if settings_required or files.leads_to(SETTINGS_FILE) != "nothing" else set()
    trees: dict[str, Tree] = {}
    digests: dict[str, str] = {}
    for file in sorted({*found, *own}):
        if file != SETTINGS_FILE and PurePosixPath(file).stem == "cdsync":
            problems.append(at_start(file, _SECOND_SETTINGS))
            continue
        try:
            text = read_text(files, file)
        except ConfigError as error:
            problems += error.problems
            continue
        if text.file in trees:
            problems.append(at_start(text.file, "two files are shown by this name; rename one of them"))
        digests[text.file] = text.sha256
        trees[text.file] = documents.read(text)
    return Reading(files=files, trees=trees, digests=digests, problems=tuple(problems))


def load_from(reading: Reading, *, settings: Settings, now: datetime) -> Configuration:
    """What the files of a root declare under settings from elsewhere; its own `cdsync.yaml` is only checked.

    Raises:
        ConfigError: anything is wrong; carries every problem of every file, in the order of their places.
    """
    return _declared(reading, settings, _settings_problems(reading), now)


def declares_anything(root: Path) -> bool:
    """Whether a folder has YAML files besides its `cdsync.yaml`, or something that may hold some; none is read."""
    found, problems = FolderFiles(root).yaml_files()
    return bool(problems) or found not in ([], [SETTINGS_FILE])


def declared_addresses(text: str) -> frozenset[Address]:
    """The addresses that the text of a YAML file declares, however wrong it is otherwise; nothing is checked."""
    tree = read_tree("", text)
    document = tree.value if not tree.broken and isinstance(tree.value, Mapping) else {}
    return frozenset(
        Address(kind, name)
        for section, kind in KIND_OF_SECTION.items()
        if isinstance(named := document.get(section), Mapping)
        for name in named
        if NAME.fullmatch(name)
    )


def load_settings(root: Path) -> Settings:
    """Read `cdsync.yaml` alone.

    Raises:
        ConfigError: anything in it is wrong.
        CdsyncError: there is no such folder, or no `cdsync.yaml` in it.
    """
    top = root.absolute()
    _require_root(top)
    files = FolderFiles(top)
    text = read_text(files, SETTINGS_FILE)
    tree = read_tree(text.file, text.text)
    if problems := _problems_of_settings(tree, files):
        raise ConfigError(sorted_problems(problems))
    return build_settings(tree.value, top)


@without_collection()
def _declared(
    reading: Reading,
    settings: Settings | None,
    faults: list[Problem],
    now: datetime,
    *,
    environment: Collection[str] | None = None,
    documents: Documents | None = None,
) -> Configuration:
    """The one way from documents to a configuration; `settings` may be None only where there are problems.

    `documents` learn what was found out about each.
    """
    problems = [*reading.problems, *faults]
    trees = {file: tree for file, tree in reading.trees.items() if file != SETTINGS_FILE}
    inputs = InputFiles(reading.files, trees, read=reading.digests)
    resource_files = _resource_files(trees)
    policy = settings.policy if settings else Policy()
    declared, found = declare([tree for tree in resource_files if not tree.broken], inputs, resume=policy.resume)
    problems += [problem for tree in trees.values() for problem in tree.problems]
    problems += _without_echoes(found, trees)
    if problems or settings is None:
        raise ConfigError(sorted_problems(problems))
    resources: dict[Address, Declared] = dict(sorted(declared.items()))
    warnings = [warning for tree in resource_files if tree.checked for warning in tree.checked.warnings]
    warnings += warnings_of((item for item in resources.values() if item.tree.checked is None), now=now)
    if documents is not None:
        documents.learn(_checked(resources.values(), warnings))
    if environment is not None:
        warnings += doubts_of(resources.values(), now=now, environment=environment)
        warnings += _declared_elsewhere(reading, settings) if not resources else ()
    return Configuration(
        settings=settings,
        desired=DesiredState(
            resources={address: item.resource for address, item in resources.items()},
            contents={address: _content(item, reading.digests, inputs) for address, item in resources.items()},
        ),
        warnings=sorted_problems(warnings),
        files=dict(sorted((dict(reading.digests) | inputs.digests).items())),
        sources={address: item.files for address, item in resources.items()},
    )


def _content(item: Declared, digests: Mapping[str, str], inputs: InputFiles) -> str:
    """What a resource was read from, by the digests of its document and, if there is one, of its file of inputs."""
    own = digests[item.tree.file]
    return own if len(item.files) == 1 else " ".join([own, *(inputs.contents[file] for file in item.files[1:])])


def _checked(declared: Iterable[Declared], warnings: list[Problem]) -> Mapping[str, Checked]:
    """What the documents declare of which all is said by themselves, by their files, where that is not known yet."""
    resources: defaultdict[str, list[Declared]] = defaultdict(list)
    for item in declared:
        if item.tree.checked is None and item.tree.sound:
            resources[item.tree.file].append(item)
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    for warning in warnings:
        found[warning.file].append(warning)
    return {
        file: Checked(tuple((item.resource, item.own) for item in items), tuple(found[file]))
        for file, items in resources.items()
        if all(len(item.files) == 1 for item in items)
    }


def _declared_elsewhere(reading: Reading, settings: Settings) -> Iterator[Problem]:
    tree = reading.trees.get(SETTINGS_FILE)
    if settings.daemon.git is not None and tree is not None:
        message = "the declaration is in this repository, and only this folder was checked; validate a checkout of it"
        yield tree.problem(("daemon", "git"), message)


def _require_root(root: Path) -> None:
    start = f"run 'cdsync init {root}' to start one, or name another folder with -C"
    if root.exists() and not root.is_dir():
        folder = f"name the folder that it is in: -C {root.parent}"
        raise CdsyncError(f"{root} is no folder; expected a config root", remedy=folder)
    if not root.is_dir():
        raise CdsyncError(f"{root} does not exist; expected a config root", remedy=start)
    if not (root / SETTINGS_FILE).exists():
        other = root / "cdsync.yml"
        remedy = f"rename {other.name} to {SETTINGS_FILE}" if other.exists() else start
        raise CdsyncError(f"{root} has no {SETTINGS_FILE}, so it is no config root", remedy=remedy)


def _settings_problems(reading: Reading) -> list[Problem]:
    tree = reading.trees.get(SETTINGS_FILE)
    return [] if tree is None else _problems_of_settings(tree, reading.files)


def _problems_of_settings(tree: Tree, files: Files) -> list[Problem]:
    found = [] if tree.broken else settings_problems(tree, files)
    return [*tree.problems, *_without_echoes(found, {tree.file: tree})]


def _resource_files(trees: Mapping[str, Tree]) -> list[Tree]:
    """All documents but the lists that another one names as its inputs."""
    named = _named_inputs(trees)
    return [tree for file, tree in trees.items() if file not in named or not isinstance(tree.value, list)]


def _named_inputs(trees: Mapping[str, Tree]) -> frozenset[str]:
    return frozenset(
        input_path(tree.file, reference) for tree in trees.values() for reference in _input_references(tree)
    )


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
