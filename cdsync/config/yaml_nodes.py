"""YAML text -> a value of JSON and the place of each of its parts.

libyaml composes the nodes; the values are built here in one pass, so that every refusal knows its place and nothing is
read the way YAML 1.1 reads it. Places are looked up only when a message needs them; those of a document whose value is
known from an earlier time, by composing its text after all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cdsync.config.checked import Checked
from cdsync.config.places import Path, address_of, sensitive, shortened
from cdsync.config.yaml_errors import syntax_problem
from cdsync.config.yaml_values import (
    COLLECTION,
    MERGE,
    MOST_ALIASED,
    MOST_DEPTH,
    PLAIN,
    QUOTED,
    Building,
    ExplodingError,
    Fault,
    TooDeepError,
    position,
)
from cdsync.core.work import Json
from cdsync.errors import Problem


class _Loader(yaml.CSafeLoader):
    """Composes nodes, with a resolver that costs nothing, and a bound on the depth that libyaml recurses to."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.levels = 0

    def resolve(self, kind: type[Node], value: str | None, implicit: tuple[bool, bool] | bool) -> str:
        """Only whether a scalar was quoted; what it means is decided when it is built."""
        del value
        if kind is ScalarNode and isinstance(implicit, tuple):
            return PLAIN if implicit[0] else QUOTED
        return COLLECTION

    def descend_resolver(self, current_node: Node | None, current_index: object) -> None:
        """Called on the way down into each node; libyaml itself would overflow the stack of the process."""
        del current_index
        self.levels += 1
        if self.levels > MOST_DEPTH + 1 and current_node is not None:
            raise TooDeepError(current_node)

    def ascend_resolver(self) -> None:
        """Called on the way up."""
        self.levels -= 1


Places: TypeAlias = Mapping[tuple[Path, bool], tuple[int, int]]
"""Path, and whether the place is that of its key -> line and column, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One document: its value, what was wrong with its YAML, and where each part of it stands.

    `broken` means that nothing can be said about its content, `sound` that the schema of resource files allows it.
    `checked` is what it declares, when it was looked at before in every respect; its value is not known then.
    `places` are those that are known without a look at the nodes, by path and whether they are of the key.
    """

    file: str
    value: Json = None
    problems: tuple[Problem, ...] = ()
    broken: bool = False
    sound: bool = False
    checked: Checked | None = None
    places: Places = field(default_factory=dict, repr=False, compare=False)
    nodes: Callable[[], Node | None] = field(default=lambda: None, repr=False, compare=False)
    _pairs: dict[int, dict[str, tuple[Node, Node]]] = field(default_factory=dict, repr=False, compare=False)

    def place(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the value at a path, or of its key; of the nearest outer value if it has none."""
        known = self.places.get((path, at_key))
        if known is not None:
            return known
        node = key = self.nodes()
        for part in path:
            if isinstance(node, MappingNode) and isinstance(part, str):
                found = self._children(node).get(part)
                if found is None:
                    break
                key, node = found
            elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
                key = node = node.value[part]
            else:
                break
        chosen = key if at_key else node
        return (1, 1) if chosen is None else position(chosen)

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """A problem at the value (or the key) of a path."""
        line, column = self.place(path, at_key=at_key)
        return Problem(self.file, line, column, address_of(path), message)

    def _children(self, node: MappingNode) -> dict[str, tuple[Node, Node]]:
        known = self._pairs.get(id(node))
        if known is None:
            known = {}
            for key, value in _own_and_merged(node, set()):
                known.setdefault(str(key.value), (key, value))
            self._pairs[id(node)] = known
        return known


def read_tree(file: str, text: str) -> Tree:
    """Read one document; whatever is wrong with it stands in `problems`, at its place."""
    try:
        root = _compose(text)
    except yaml.YAMLError as error:
        return Tree(file=file, problems=(syntax_problem(file, text, error),), broken=True)
    except TooDeepError as deep:
        return _refused(file, deep.node, f"nested deeper than {MOST_DEPTH} levels")
    if root is None:
        return Tree(file=file)
    building = Building()
    try:
        value = building.value(root)
    except ExplodingError as exploding:
        return _refused(file, exploding.node, f"aliases repeat more than {MOST_ALIASED:,} values; expected fewer")
    except TooDeepError as deep:
        return _refused(file, deep.node, f"nested deeper than {MOST_DEPTH} levels, through aliases")
    problems = tuple(_located(file, root, building.faults)) if building.faults else ()
    return Tree(file=file, value=value, problems=problems, nodes=lambda: root)


def known_tree(file: str, text: str, value: Json, *, sound: bool, places: Places) -> Tree:
    """A document whose value is known to be that of the text, which is only looked at for places besides the known."""
    return Tree(file=file, value=value, sound=sound, places=places, nodes=cache(lambda: _compose(text)))


def checked_tree(file: str, text: str, checked: Checked) -> Tree:
    """A document that is known to declare this; its text is only looked at for places."""
    return Tree(file=file, sound=True, checked=checked, nodes=cache(lambda: _compose(text)))


def _compose(text: str) -> Node | None:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _refused(file: str, node: Node, message: str) -> Tree:
    line, column = position(node)
    return Tree(file=file, problems=(Problem(file, line, column, None, message),), broken=True)


def _located(file: str, root: Node, faults: list[Fault]) -> Iterator[Problem]:
    """Faults as problems, with the address of the resource that they stand in; one walk for all of them."""
    paths = _paths(root, {id(fault.node) for fault in faults})
    for fault in faults:
        path = paths.get(id(fault.node), ())
        message = fault.message
        if fault.shows_value:
            message = f"{'this value' if sensitive(path) else shortened(fault.node.value)} {message}"
        yield Problem(file, *position(fault.node), address_of(path), message)


def _paths(root: Node, wanted: set[int]) -> dict[int, Path]:
    found: dict[int, Path] = {}
    visited: set[int] = set()
    pending: list[tuple[Node, Path]] = [(root, ())]
    while pending:
        node, path = pending.pop()
        if id(node) in wanted:
            found.setdefault(id(node), path)
        if id(node) in visited or isinstance(node, ScalarNode):
            continue
        visited.add(id(node))
        if isinstance(node, MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value)) if isinstance(key, ScalarNode) else path
                pending.extend(((key, inner), (value, inner)))
        else:
            pending.extend((child, (*path, index)) for index, child in enumerate(node.value))
    return found


def _own_and_merged(node: MappingNode, seen: set[int]) -> Iterator[tuple[Node, Node]]:
    merges: list[Node] = []
    seen.add(id(node))
    for key, value in node.value:
        if key.tag is PLAIN and key.value == MERGE:
            merges.extend(value.value if isinstance(value, SequenceNode) else [value])
        elif isinstance(key, ScalarNode):
            yield key, value
    for merged in merges:
        if isinstance(merged, MappingNode) and id(merged) not in seen:
            yield from _own_and_merged(merged, seen)
