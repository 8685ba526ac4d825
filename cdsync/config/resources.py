"""Resource files -> schedules and runs: what each declares, with the defaults of its file, and what is wrong with it.

A resource is checked field by field where the field is written, so that a fault of `defaults` is reported once, and
then as a whole, once the defaults are in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from cdsync.config.assembly import assemble
from cdsync.config.fields import cron_fault, instant_fault, timezone_fault
from cdsync.config.inputs import InputFileError, InputFiles, Rows, input_path
from cdsync.config.places import KIND_OF_SECTION, Path, shortened
from cdsync.config.schemas import Part, field_is_valid, is_resource_file, known_fields
from cdsync.config.violations import problems_of
from cdsync.config.yaml_nodes import Tree
from cdsync.core.model import NAME, Address, Kind, Resource, ResumePolicy, SourceLocation
from cdsync.core.urls import url_fault
from cdsync.core.values import value_class
from cdsync.core.work import Json
from cdsync.errors import ConfigError, Problem

MOST_INPUTS_OF_A_SCHEDULE = 100
MOST_INPUTS_OF_A_RUN = 100_000

Fields = Mapping[str, Json]

_NAME_RULE = (
    "expected at most 100 letters a-z, digits, dots, underscores and dashes, with a letter or digit at both ends"
)


@value_class(frozen=True, slots=True, kw_only=True)
class Declared:
    """A resource with its document, its path in it, and the fields that are its own and not those of `defaults`.

    `files` are all that it was read from, as paths relative to the root: its document, and its file of inputs if any.
    """

    resource: Resource
    tree: Tree
    path: Path
    own: Collection[str]
    files: tuple[str, ...]

    def problem(self, message: str, *, at: Path) -> Problem:
        """A problem with what stands at a path within this resource, or else within the `defaults`."""
        outer = self.path if at[0] in self.own else ("defaults",)
        line, column = self.tree.place((*outer, *at))
        return Problem(self.tree.file, line, column, str(self.resource.address), message)


@value_class(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A resource as written: where, under which name, with what of its own, and with the defaults filled in.

    `sound` says that the schema has found nothing wrong with its document.
    """

    tree: Tree
    path: Path
    address: Address
    own: Fields
    fields: Fields
    part: Part
    defaults_are_sound: bool
    sound: bool

    def problem(self, message: str, *, field: str | None = None) -> Problem:
        """A problem of a field, at its value here or else at the resource's name."""
        if field is not None and field in self.own:
            return self.tree.problem((*self.path, field), message)
        return self.tree.problem(self.path, message, at_key=True)

    def location(self) -> SourceLocation:
        line, column = self.tree.place(self.path, at_key=True)
        return SourceLocation(file=self.tree.file, line=line, column=column)


def declare(
    trees: list[Tree], inputs: InputFiles, *, resume: ResumePolicy
) -> tuple[dict[Address, Declared], list[Problem]]:
    """Every resource of some documents, and everything that is wrong with them, in no order.

    `resume` is what a resource's own `resume` leaves out.
    """
    problems: list[Problem] = []
    entries: dict[Address, _Entry] = {}
    declared: dict[Address, Declared] = {}
    for tree in trees:
        for entry in _entries(tree, problems):
            if earlier := entries.get(entry.address):
                problems.append(entry.problem(f"declared twice; it is already declared at {earlier.location()}"))
                continue
            entries[entry.address] = entry
            found, rows = _faults(entry, inputs) if tree.checked is None else ([], _listed(entry))
            problems += found
            if not found and rows is not None and entry.defaults_are_sound:
                declared[entry.address] = Declared(
                    resource=assemble(
                        entry.address, entry.fields, inputs=rows, location=entry.location(), otherwise=resume
                    ),
                    tree=tree,
                    path=entry.path,
                    own=entry.own.keys(),
                    files=_files(entry),
                )
    problems += _renaming_faults(entries)
    return declared, problems


def _entries(tree: Tree, problems: list[Problem]) -> Iterator[_Entry]:
    if tree.value is None:
        return
    sound = tree.sound or is_resource_file(tree.value)
    if not sound:
        problems += problems_of("resources", tree, (), tree.value)
    if not isinstance(tree.value, dict):
        return
    defaults = tree.value.get("defaults")
    defaults = defaults if isinstance(defaults, dict) else {}
    faults = _field_faults("defaults", tree, ("defaults",), defaults, sound=sound) if tree.checked is None else []
    problems += faults
    for section, kind in KIND_OF_SECTION.items():
        part: Part = "schedule" if kind is Kind.SCHEDULE else "run"
        taken = {key: value for key, value in defaults.items() if key in known_fields(part)}
        named = tree.value.get(section)
        for name, own in named.items() if isinstance(named, dict) else ():
            path: Path = (section, name)
            if not NAME.fullmatch(name):
                problems.append(
                    tree.problem(path, f"{shortened(name)!r} is no name for a {kind}; {_NAME_RULE}", at_key=True)
                )
            elif not isinstance(own, dict):
                problems += problems_of(part, tree, path, own)
            else:
                yield _Entry(
                    tree=tree,
                    path=path,
                    address=Address(kind, name),
                    own=own,
                    fields=_with_defaults(own, taken),
                    part=part,
                    defaults_are_sound=not faults,
                    sound=sound,
                )


def _with_defaults(own: Fields, defaults: Fields) -> Fields:
    """The fields of a resource, with the defaults that have a meaning for it."""
    fields = {**defaults, **own}
    if own.get("mode") == "live" and "schedule_at" not in own:
        fields.pop("schedule_at", None)
    if fields.get("mode") == "live" and "callback" not in own:
        fields.pop("callback", None)
    return fields


def _faults(entry: _Entry, inputs: InputFiles) -> tuple[list[Problem], Rows | None]:
    problems = _field_faults(entry.part, entry.tree, entry.path, entry.own, sound=entry.sound)
    problems += _missing(entry)
    if entry.part == "run":
        problems += _live_faults(entry)
    rows: Rows | None = ()
    if "inputs" in entry.own and (entry.sound or field_is_valid(entry.part, "inputs", entry.own["inputs"])):
        try:
            rows = _rows(entry, inputs)
        except InputFileError as error:
            problems.append(entry.tree.problem((*entry.path, "inputs", "file"), f"inputs.file: {error}"))
        except ConfigError as error:
            problems += error.problems
        else:
            problems += _count_faults(entry, rows) if rows is not None else []
    return problems, rows


def _rows(entry: _Entry, inputs: InputFiles) -> Rows | None:
    value = entry.own["inputs"]
    if isinstance(value, dict):
        return inputs.rows(entry.tree.file, str(value["file"]), address=str(entry.address))
    return _listed(entry)


def _listed(entry: _Entry) -> Rows:
    """The inputs that stand in the document itself."""
    value = entry.own.get("inputs")
    return tuple(row for row in value if isinstance(row, dict)) if isinstance(value, list) else ()


def _files(entry: _Entry) -> tuple[str, ...]:
    inputs = entry.own.get("inputs")
    named = (input_path(entry.tree.file, str(inputs["file"])),) if isinstance(inputs, dict) else ()
    return (entry.tree.file, *named)


def _field_faults(part: Part, tree: Tree, path: Path, fields: Fields, *, sound: bool) -> list[Problem]:
    problems = [] if sound else problems_of(part, tree, path, fields)
    for field, fault_of in (("cron", cron_fault), ("timezone", timezone_fault), ("schedule_at", instant_fault)):
        value = fields.get(field)
        readable = isinstance(value, str) and (sound or field_is_valid(part, field, value))
        if readable and (fault := fault_of(str(value))):
            problems.append(tree.problem((*path, field), fault))
    callback = fields.get("callback")
    url = callback.get("url") if isinstance(callback, dict) else None
    if isinstance(url, str) and url and (fault := url_fault(url)):
        problems.append(tree.problem((*path, "callback", "url"), f"callback.url is {fault}"))
    return problems


def _missing(entry: _Entry) -> Iterator[Problem]:
    fields = entry.fields
    wanted = {"action": "the name of an action such as salesnavigator-search-people, here or in defaults"}
    if entry.part == "schedule":
        wanted["cron"] = 'five POSIX fields in quotes, such as "0 9 * * 1-5", here or in defaults'
    if fields.get("state") != "absent":
        wanted["inputs"] = "a list of objects, or {file: PATH}"
    for field, expected in wanted.items():
        if field not in fields:
            yield entry.problem(f"no {field}; expected {expected}")


def _live_faults(entry: _Entry) -> Iterator[Problem]:
    fields = entry.fields
    if fields.get("mode") != "live":
        return
    if entry.address.name.endswith(".failed"):
        message = "a live run whose name ends in .failed would write to the file of another's failed inputs"
        yield entry.problem(f"{message}; expected another name")
    if "schedule_at" in fields:
        message = "schedule_at has no meaning for mode live, which is launched at once; expected mode async"
        yield entry.problem(message, field="schedule_at")
    if fields.get("callback") is not None:
        message = "callback has no meaning for mode live, which answers at once; expected mode async"
        yield entry.problem(message, field="callback")


def _count_faults(entry: _Entry, rows: Rows) -> Iterator[Problem]:
    fields = entry.fields
    if not rows:
        if fields.get("state") != "absent":
            way_out = "expected at least one" + (", or state: absent" if entry.part == "schedule" else "")
            yield entry.problem(f"inputs is empty; {way_out}", field="inputs")
        return
    most, what, way_out = MOST_INPUTS_OF_A_RUN, "a run", "split it into several runs"
    if entry.part == "schedule":
        most, what = MOST_INPUTS_OF_A_SCHEDULE, "a schedule"
        way_out = "split it into several schedules, or launch it once as a run"
    elif "schedule_at" in fields:
        most, what = MOST_INPUTS_OF_A_SCHEDULE, "a run with schedule_at"
        way_out = "split it into several runs, or leave out schedule_at to launch it now"
    if len(rows) > most:
        message = f"{len(rows):,} inputs; expected at most {most:,} for {what}: {way_out}"
        yield entry.problem(message, field="inputs")


def _renaming_faults(entries: Mapping[Address, _Entry]) -> Iterator[Problem]:
    claimed: dict[Address, _Entry] = {}
    for entry in entries.values():
        was = entry.fields.get("was")
        if not isinstance(was, str):
            continue
        old = Address(entry.address.kind, was)
        if old == entry.address:
            yield entry.problem(f"was is its own name {was!r}; expected the name that it had before", field="was")
        elif old in entries:
            place = entries[old].location()
            message = f"was is {was!r}, which is still declared at {place}; expected a name that is declared no more"
            yield entry.problem(message, field="was")
        elif old in claimed:
            other = claimed[old]
            message = f"was is {was!r}, which {other.address} at {other.location()} claims as well; expected one heir"
            yield entry.problem(message, field="was")
        else:
            claimed[old] = entry
