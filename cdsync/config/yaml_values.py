"""YAML nodes -> values of JSON, in one pass, noting every refusal at its node.

Nothing is read the way YAML 1.1 reads it, a key is always the text that was written, and aliases share the value that
they repeat: what they would expand to is counted, because every later reader walks through it.
"""

from __future__ import annotations

from dataclasses import dataclass

from yaml.nodes import MappingNode, Node, ScalarNode

from cdsync.config.places import shortened
from cdsync.config.scalars import ScalarError, plain_value
from cdsync.core.work import Json

MOST_DEPTH = 100
MOST_ALIASED = 1_000_000

# Resolved tags are compared by identity, which no tag written in a file can have.
PLAIN, QUOTED, COLLECTION = "cdsync:plain", "cdsync:quoted", "cdsync:collection"
MERGE = "<<"

_LONG_TEXT = 1000


class TooDeepError(Exception):
    """A node stands deeper than any reader should have to recurse."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node


class ExplodingError(Exception):
    """Aliases repeat so much that the value would not fit anywhere once written out."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node


def position(node: Node) -> tuple[int, int]:
    """Line and column of a node, from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a node; `shows_value` if the message goes on from the text of the node."""

    node: Node
    message: str
    shows_value: bool = False


class Building:
    """The construction of one document: faults so far, and what aliases would expand to."""

    __slots__ = ("_aliased", "_built", "_firsts", "_height", "_open", "_size", "faults")

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._built: dict[int, tuple[Json, int, int]] = {}
        self._firsts: dict[int, dict[str, tuple[int, int]]] = {}
        self._open: set[int] = set()
        self._size = 0
        self._aliased = 0
        self._height = 0

    def value(self, node: Node) -> Json:
        """The value of a node.

        Raises:
            TooDeepError: aliases nest it deeper than MOST_DEPTH.
            ExplodingError: aliases repeat more than MOST_ALIASED values.
        """
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        identity = id(node)
        known = self._built.get(identity)
        if known is not None:
            return self._again(node, known)
        if identity in self._open:
            self.faults.append(Fault(node, "an anchor that contains itself; expected an alias outside of it"))
            return None
        if node.tag is not COLLECTION:
            self._refuse_tag(node)
        self._open.add(identity)
        before, self._height = self._size, 0
        self._size += len(node.value)
        value: Json = self._mapping(node) if isinstance(node, MappingNode) else self._sequence(node)
        self._open.discard(identity)
        self._height += 1
        self._built[identity] = (value, self._size - before, self._height)
        return value

    def _again(self, node: Node, known: tuple[Json, int, int]) -> Json:
        value, weight, self._height = known
        self._count_aliased(weight, node)
        if len(self._open) + self._height > MOST_DEPTH:
            raise TooDeepError(node)
        return value

    def _sequence(self, node: Node) -> Json:
        items: list[Json] = []
        height = 0
        for child in node.value:
            self._height = 0
            items.append(self.value(child))
            height = max(height, self._height)
        self._height = height
        return items

    def _mapping(self, node: MappingNode) -> Json:
        result: dict[str, Json] = {}
        merges: list[Node] = []
        height = 0
        for key_node, value_node in node.value:
            key = key_node.value
            tag = key_node.tag
            if tag is PLAIN:
                if key == MERGE:
                    merges.append(value_node)
                    continue
                if key == "":
                    self.faults.append(Fault(key_node, "a ':' without a key before it; expected KEY: VALUE"))
            elif tag is not QUOTED and not self._usable_key(key_node):
                continue
            if key in result:
                self._refuse_duplicate(node, key_node)
                continue
            if value_node.tag is QUOTED and len(value_node.value) < _LONG_TEXT:
                result[key] = value_node.value
                continue
            self._height = 0
            result[key] = self.value(value_node)
            height = max(height, self._height)
        for merged in merges:
            self._height = 0
            self._merge(result, merged)
            height = max(height, self._height)
        self._height = height
        return result

    def _usable_key(self, key_node: Node) -> bool:
        if isinstance(key_node, ScalarNode):
            self._refuse_tag(key_node)
            return True
        self.faults.append(Fault(key_node, "a key that is a list or an object; expected a text"))
        return False

    def _merge(self, result: dict[str, Json], merged: Node) -> None:
        value = self.value(merged)
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                self.faults.append(Fault(merged, "'<<' merges objects only; expected an alias such as *name"))
                return
            self._count_aliased(len(source), merged)
            for key, inner in source.items():
                result.setdefault(key, inner)

    def _scalar(self, node: ScalarNode) -> Json:
        text = node.value
        if len(text) >= _LONG_TEXT:
            self._count_long_text(node)
        if node.tag is PLAIN:
            try:
                return plain_value(text)
            except ScalarError as error:
                self.faults.append(Fault(node, str(error), shows_value=True))
        elif node.tag is not QUOTED:
            self._refuse_tag(node)
        return str(text)

    def _count_long_text(self, node: ScalarNode) -> None:
        if id(node) in self._built:
            self._count_aliased(len(node.value) // 100, node)
        self._built[id(node)] = (None, 1, 0)

    def _count_aliased(self, weight: int, node: Node) -> None:
        self._size += weight
        self._aliased += weight
        if self._aliased > MOST_ALIASED:
            raise ExplodingError(node)

    def _refuse_tag(self, node: Node) -> None:
        self.faults.append(
            Fault(node, "a tag ('!...') is not supported; remove it, and put a text that starts with '!' in quotes")
        )

    def _refuse_duplicate(self, node: MappingNode, key_node: Node) -> None:
        if id(node) not in self._firsts:
            self._firsts[id(node)] = {str(key.value): position(key) for key, _ in reversed(node.value)}
        line, column = self._firsts[id(node)][key_node.value]
        message = f"duplicate key {shortened(key_node.value)!r}; it is already set at line {line}, column {column}"
        self.faults.append(Fault(key_node, message))
