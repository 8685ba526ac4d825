"""Files of inputs: csv, jsonl, json and yaml -> the API's input objects.

The path is relative to the file that names it, and leads below the root however it is linked. Values are taken as
found: a csv holds texts only, JSON is read strictly.
"""

from __future__ import annotations

import csv
import io
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TypeAlias

from cdsync.config.reading import YAML_SUFFIXES, Files, read_text
from cdsync.config.strict_json import StrictJsonError, parse_json
from cdsync.config.yaml_nodes import Tree, read_tree
from cdsync.core.work import Json
from cdsync.errors import ConfigError, Problem

Rows: TypeAlias = tuple[Mapping[str, Json], ...]

_MOST_FAULTS = 20
_SUFFIXES = ".csv, .jsonl, .json, .yaml"


class InputFileError(ValueError):
    """The reference to a file of inputs leads nowhere; the message says why."""


def input_path(resource_file: str, reference: str) -> str:
    """The path of a file of inputs relative to the root, as named by a resource file; nothing is looked up."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(resource_file), reference))


class InputFiles:
    """The files of inputs of one root, each read once.

    `trees` are the documents that were read already, `read` the digests of their files. `digests` holds the sha256 of
    what is read here by the names to be shown, `contents` that of what each file's rows are of, by its path.
    """

    def __init__(self, files: Files, trees: Mapping[str, Tree], *, read: Mapping[str, str]) -> None:
        self.digests: dict[str, str] = {}
        self.contents: dict[str, str] = {}
        self._files = files
        self._read_before = read
        self._trees = trees
        self._rows: dict[str, Rows | None] = {}

    def rows(self, resource_file: str, reference: str, *, address: str) -> Rows | None:
        """The inputs of a file; None if its faults were already reported for another resource.

        Raises:
            InputFileError: the reference itself is wrong.
            ConfigError: the file is there, but is not what it should be.
        """
        if "\0" in reference:
            raise InputFileError("a path with a NUL character; expected a path relative to this file")
        if posixpath.isabs(reference):
            raise InputFileError(f"{reference!r} is absolute; expected a path relative to this file")
        file = input_path(resource_file, reference)
        found = self._files.leads_to(file)
        if file.startswith("../") or found == "outside":
            raise InputFileError(f"{reference!r} leads outside the config root; expected a file below it")
        suffix = PurePosixPath(file).suffix.lower()
        if suffix not in _READERS and suffix not in YAML_SUFFIXES:
            raise InputFileError(f"{reference!r} has no known format; expected one of {_SUFFIXES}")
        if found == "nothing":
            raise InputFileError(f"{reference!r} does not exist; looked for {file} below the config root")
        if file not in self._rows:
            self._rows[file] = None
            self._rows[file] = self._read(file, suffix, address)
        return self._rows[file]

    def _read(self, file: str, suffix: str, address: str) -> Rows | None:
        if (known := self._trees.get(file)) is not None and suffix in YAML_SUFFIXES:
            # As it was when the declaration was read: it may be another by now.
            self.contents[file] = self._read_before[file]
            return None if known.problems else _yaml_rows(known, address)
        try:
            found = read_text(self._files, file)
            self.digests[found.file] = self.contents[file] = found.sha256
            if suffix in _READERS:
                return tuple(_READERS[suffix](file, found.text, address))
        except ConfigError as error:
            problems = tuple(Problem(p.file, p.line, p.column, address, p.message) for p in error.problems)
            raise ConfigError(problems) from None
        tree = read_tree(file, found.text)
        if tree.problems:
            raise ConfigError(tree.problems)
        return _yaml_rows(tree, address)


def _yaml_rows(tree: Tree, address: str) -> Rows:
    if not isinstance(tree.value, list):
        line, column = tree.place(())
        raise ConfigError((Problem(tree.file, line, column, address, "expected a list of objects"),))
    problems = [
        Problem(tree.file, *tree.place((index,)), address, f"item {index + 1} is no object; expected a list of objects")
        for index, row in enumerate(tree.value)
        if not isinstance(row, dict)
    ]
    if problems:
        raise ConfigError(tuple(problems[:_MOST_FAULTS]))
    return tuple(row for row in tree.value if isinstance(row, dict))


def _csv_rows(file: str, text: str, address: str) -> Iterator[Mapping[str, Json]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    problems: list[Problem] = []
    line = 1
    try:
        header = next(reader, [])
        if message := _header_fault(header):
            raise ConfigError((Problem(file, 1, 1, address, message),))
        if (between := _other_separator(header)) is not None:
            column = text.index(between) + 1
            message = f"{between!r} between the fields; expected commas: save it as a csv that is separated by commas"
            raise ConfigError((Problem(file, 1, column, address, message),))
        line = reader.line_num + 1
        for row in reader:
            if len(row) == len(header):
                yield dict(zip(header, row, strict=True))
            elif row:
                message = f"{len(row)} field{'s' if len(row) > 1 else ''}; expected {len(header)}, as in the header"
                problems.append(Problem(file, line, 1, address, message))
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(file, line, 1, address, f"the csv cannot be read: {error}"))
    _refuse(problems)


def _header_fault(header: list[str]) -> str | None:
    if not header:
        return "the first line is empty; expected a header of field names"
    if "" in header:
        return f"column {header.index('') + 1} of the header has no name; expected a field name"
    twice = sorted({name for name in header if header.count(name) > 1})
    return f"the header names {', '.join(map(repr, twice))} twice; expected different field names" if twice else None


def _other_separator(header: list[str]) -> str | None:
    """What a header of one column is separated by instead of commas: some programs save a csv so in some languages."""
    return next((mark for mark in ";\t" if len(header) == 1 and mark in header[0]), None)


def _jsonl_rows(file: str, text: str, address: str) -> Iterator[Mapping[str, Json]]:
    problems: list[Problem] = []
    # Not splitlines(): a JSON text may hold the other line separators of Unicode.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line or line.isspace():
            continue
        try:
            row = parse_json(line)
        except StrictJsonError as error:
            problems.append(Problem(file, number, error.column, address, str(error)))
            continue
        if isinstance(row, dict):
            yield row
        else:
            problems.append(Problem(file, number, 1, address, "no object; expected one JSON object in each line"))
    _refuse(problems)


def _json_rows(file: str, text: str, address: str) -> Iterator[Mapping[str, Json]]:
    try:
        rows = parse_json(text)
    except StrictJsonError as error:
        raise ConfigError((Problem(file, error.line, error.column, address, str(error)),)) from None
    if not isinstance(rows, list):
        raise ConfigError((Problem(file, 1, 1, address, "expected a JSON array of objects"),))
    for index, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            message = f"item {index} is no object; expected a JSON array of objects"
            raise ConfigError((Problem(file, 1, 1, address, message),))
        yield row


def _refuse(problems: list[Problem]) -> None:
    if len(problems) > _MOST_FAULTS:
        last = problems[_MOST_FAULTS]
        more = f"this and {len(problems) - _MOST_FAULTS - 1} further lines are faulty as well"
        problems = [*problems[:_MOST_FAULTS], Problem(last.file, last.line, 1, last.address, more)]
    if problems:
        raise ConfigError(tuple(problems))


_READERS = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".ndjson": _jsonl_rows, ".json": _json_rows}
