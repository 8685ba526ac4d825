"""A resource and where it is written: as it is looked at, and as it is known once nothing was found wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cdsync.config.places import Path
from cdsync.config.schemas import Part
from cdsync.config.yaml_nodes import Tree
from cdsync.core.model import Address, Resource, SourceLocation
from cdsync.core.values import value_class
from cdsync.core.work import Json
from cdsync.errors import Problem

Fields = Mapping[str, Json]


@value_class(frozen=True, slots=True, kw_only=True)
class Written:
    """A resource as written: in which document, at which path, under which name, with which fields of its own."""

    tree: Tree
    path: Path
    address: Address
    own: Collection[str]

    def refusal(self, message: str, *, field: str | None = None) -> Problem:
        """A problem of a field, at its value here or else at the resource's name."""
        if field is not None and field in self.own:
            return self.tree.problem((*self.path, field), message)
        return self.tree.problem(self.path, message, at_key=True)


@value_class(frozen=True, slots=True, kw_only=True)
class Declared(Written):
    """A resource with where it is written; `own` are the fields that are not those of `defaults`.

    `files` are all that it was read from, as paths relative to the root: its document, and its file of inputs if any.
    """

    resource: Resource
    files: tuple[str, ...]

    @property
    def was(self) -> str | None:
        """The name that it had before."""
        return self.resource.was

    @property
    def location(self) -> SourceLocation:
        """Where its name stands."""
        return self.resource.location

    def problem(self, message: str, *, at: Path) -> Problem:
        """A problem with what stands at a path within this resource, or else within the `defaults`."""
        outer = self.path if at[0] in self.own else ("defaults",)
        line, column = self.tree.place((*outer, *at))
        return Problem(self.tree.file, line, column, str(self.address), message)


@value_class(frozen=True, slots=True, kw_only=True)
class Entry(Written):
    """A resource that is looked at: what it has of its own, and with the defaults filled in.

    `sound` says that the schema has found nothing wrong with its document.
    """

    own: Fields
    fields: Fields
    part: Part
    defaults_are_sound: bool
    sound: bool

    @property
    def was(self) -> str | None:
        """The name that it had before."""
        was = self.fields.get("was")
        return was if isinstance(was, str) else None

    @property
    def location(self) -> SourceLocation:
        """Where its name stands."""
        line, column = self.tree.place(self.path, at_key=True)
        return SourceLocation(file=self.tree.file, line=line, column=column)
