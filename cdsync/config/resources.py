"""Resource files -> schedules and runs: what each declares, with the defaults of its file, and what is wrong with it.

A resource is checked field by field where the field is written, so that a fault of `defaults` is reported once, and
then as a whole, once the defaults are in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cdsync.config.assembly import assemble
from cdsync.config.checked import Checked
from cdsync.config.fields import cron_fault, instant_fault, timezone_fault
from cdsync.config.inputs import InputFileError, InputFiles, Rows, input_path
from cdsync.config.places import KIND_OF_SECTION, SECTION_OF_KIND, Path, shortened
from cdsync.config.schemas import Part, field_is_valid, is_resource_file, known_fields
from cdsync.config.violations import problems_of
from cdsync.config.written import Declared, Entry, Fields
from cdsync.config.yaml_nodes import Tree
from cdsync.core.model import NAME, Address, Kind, ResumePolicy
from cdsync.core.urls import url_fault
from cdsync.errors import ConfigError, Problem

MOST_INPUTS_OF_A_SCHEDULE = 100
MOST_INPUTS_OF_A_RUN = 100_000

_NAME_RULE = (
    "expected at most 100 letters a-z, digits, dots, underscores and dashes, with a letter or digit at both ends"
)


def declare(
    trees: list[Tree], inputs: InputFiles, *, resume: ResumePolicy
) -> tuple[dict[Address, Declared], list[Problem]]:
    """Every resource of some documents, and everything that is wrong with them, in no order.

    `resume` is what a resource's own `resume` leaves out.
    """
    problems: list[Problem] = []
    claims: dict[Address, Declared | Entry] = {}
    declared: dict[Address, Declared] = {}
    for tree in trees:
        for claim in _entries(tree, problems) if tree.checked is None else _known(tree, tree.checked):
            if earlier := claims.get(claim.address):
                problems.append(claim.refusal(f"declared twice; it is already declared at {earlier.location}"))
                continue
            claims[claim.address] = claim
            item = claim if isinstance(claim, Declared) else _examined(claim, inputs, problems, resume=resume)
            if item is not None:
                declared[claim.address] = item
    problems += _renaming_faults(claims)
    return declared, problems


def _known(tree: Tree, checked: Checked) -> Iterator[Declared]:
    files = (tree.file,)
    for resource, own in checked.resources:
        address = resource.address
        path: Path = (SECTION_OF_KIND[address.kind], address.name)
        yield Declared(tree=tree, path=path, address=address, own=own, resource=resource, files=files)


def _examined(entry: Entry, inputs: InputFiles, problems: list[Problem], *, resume: ResumePolicy) -> Declared | None:
    """What an entry declares; None where something is wrong with it, which is added to the problems."""
    found, rows = _faults(entry, inputs)
    problems += found
    if found or rows is None or not entry.defaults_are_sound:
        return None
    return Declared(
        tree=entry.tree,
        path=entry.path,
        address=entry.address,
        own=entry.own.keys(),
        resource=assemble(entry.address, entry.fields, inputs=rows, location=entry.location, otherwise=resume),
        files=_files(entry),
    )


def _entries(tree: Tree, problems: list[Problem]) -> Iterator[Entry]:
    if tree.value is None:
        return
    sound = tree.sound or is_resource_file(tree.value)
    if not sound:
        problems += problems_of("resources", tree, (), tree.value)
    if not isinstance(tree.value, dict):
        return
    defaults = tree.value.get("defaults")
    defaults = defaults if isinstance(defaults, dict) else {}
    faults = _field_faults("defaults", tree, ("defaults",), defaults, sound=sound)
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
                yield Entry(
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


def _faults(entry: Entry, inputs: InputFiles) -> tuple[list[Problem], Rows | None]:
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


def _rows(entry: Entry, inputs: InputFiles) -> Rows | None:
    value = entry.own["inputs"]
    if isinstance(value, dict):
        return inputs.rows(entry.tree.file, str(value["file"]), address=str(entry.address))
    return _listed(entry)


def _listed(entry: Entry) -> Rows:
    """The inputs that stand in the document itself."""
    value = entry.own.get("inputs")
    return tuple(row for row in value if isinstance(row, dict)) if isinstance(value, list) else ()


def _files(entry: Entry) -> tuple[str, ...]:
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


def _missing(entry: Entry) -> Iterator[Problem]:
    fields = entry.fields
    wanted = {"action": "the name of an action such as salesnavigator-search-people, here or in defaults"}
    if entry.part == "schedule":
        wanted["cron"] = 'five POSIX fields in quotes, such as "0 9 * * 1-5", here or in defaults'
    if fields.get("state") != "absent":
        wanted["inputs"] = "a list of objects, or {file: PATH}"
    for field, expected in wanted.items():
        if field not in fields:
            yield entry.refusal(f"no {field}; expected {expected}")


def _live_faults(entry: Entry) -> Iterator[Problem]:
    fields = entry.fields
    if fields.get("mode") != "live":
        return
    if entry.address.name.endswith(".failed"):
        message = "a live run whose name ends in .failed would write to the file of another's failed inputs"
        yield entry.refusal(f"{message}; expected another name")
    if "schedule_at" in fields:
        message = "schedule_at has no meaning for mode live, which is launched at once; expected mode async"
        yield entry.refusal(message, field="schedule_at")
    if fields.get("callback") is not None:
        message = "callback has no meaning for mode live, which answers at once; expected mode async"
        yield entry.refusal(message, field="callback")


def _count_faults(entry: Entry, rows: Rows) -> Iterator[Problem]:
    fields = entry.fields
    if not rows:
        if fields.get("state") != "absent":
            way_out = "expected at least one" + (", or state: absent" if entry.part == "schedule" else "")
            yield entry.refusal(f"inputs is empty; {way_out}", field="inputs")
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
        yield entry.refusal(message, field="inputs")


def _renaming_faults(claims: Mapping[Address, Declared | Entry]) -> Iterator[Problem]:
    heirs: dict[Address, Declared | Entry] = {}
    for address, claim in claims.items():
        was = claim.was
        if was is None:
            continue
        old = Address(address.kind, was)
        if old == address:
            yield claim.refusal(f"was is its own name {was!r}; expected the name that it had before", field="was")
        elif old in claims:
            place = claims[old].location
            message = f"was is {was!r}, which is still declared at {place}; expected a name that is declared no more"
            yield claim.refusal(message, field="was")
        elif old in heirs:
            other = heirs[old]
            message = f"was is {was!r}, which {other.address} at {other.location} claims as well; expected one heir"
            yield claim.refusal(message, field="was")
        else:
            heirs[old] = claim
