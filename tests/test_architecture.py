"""The law of the house, held by reading the source: who imports whom, who owns which library, how large things get."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
PACKAGE = HOUSE / "cdsync"

LAYERS = (
    {"errors", "waiting"},
    {"core"},
    {"cachefile", "collection", "logs", "page", "references", "render", "results", "revision", "settings", "shipped"},
    {"api", "config", "seals", "store"},
    {"executor", "gitsource", "observer", "resolution"},
    {"recording"},
    {"reconciler"},
    {"custody", "importing", "assembly", "since", "demo", "taking_up"},
    {"daemon", "doctor"},
    {"cli"},
    {"__main__"},
)
"""Each may import what stands above it here, and its neighbours as long as no circle comes of it."""

STRANGERS = ({"api", "config", "seals", "store"},)
"""Neighbours that never meet."""

FORBIDDEN = {
    "core": {"settings", "references", "revision", "shipped", "logs", "render"},
    "render": {"settings", "references", "revision", "shipped", "logs"},
    "page": {"settings", "references", "results", "revision", "shipped", "logs"},
}
"""What may not be imported although it stands above."""

SIMULATED = {"cli", "demo"}
"""Who may import the simulator."""

OWNERS = {
    "click": {"cdsync.cli"},
    "icalendar": {"cdsync.render"},
    "jinja2": {"cdsync.render.page", "cdsync.page.rendering"},
    "markupsafe": {"cdsync.render.page"},
    "msgspec": {"cdsync.api", "cdsync.config", "cdsync.seals", "cdsync.store"},
    "httpcore": {"cdsync.api"},
    "httpx": {"cdsync.api", "cdsync.assembly", "cdsync.daemon.notifications"},  # assembly names a type
    "prometheus_client": {"cdsync.daemon.metrics"},
    "starlette": {"cdsync.daemon.endpoints", "cdsync.daemon.listener", "cdsync.daemon.pages"},
    "uvicorn": {"cdsync.daemon.listener"},
    "jsonschema": {"cdsync.config"},
    "jsonschema_rs": {"cdsync.config"},
    "rich": {"cdsync.cli"},
    "sqlite3": {"cdsync.store"},
    "stamina": {"cdsync.api"},
    "structlog": {"cdsync.logs"},
    "watchfiles": {"cdsync.daemon.watching"},
    "yaml": {"cdsync.config"},
}
"""Library -> the package or module that may import it. The simulator stands alone and owns whatever it needs."""

LONGEST_MODULE = 300
LONGEST_FUNCTION = 45

FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in FILES}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imports(module: str) -> Iterator[str]:
    """The dotted names that a module imports, also inside functions; a relative import would be a fault."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else str(node.module)


def room(module: str) -> str:
    """The part of the house that a module of the package belongs to; the package itself is no part."""
    return module.split(".")[1] if "." in module else ""


def owned_imports(module: str) -> set[str]:
    """The modules of the package that a module imports."""
    return {found for found in imports(module) if found.split(".")[0] == "cdsync" and room(found)}


def floor(part: str) -> int:
    """The layer of a part of the house."""
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


HOUSEMATES = sorted(name for name in MODULES if room(name) not in {"", "simulator"})


def test_every_part_of_the_house_has_its_place() -> None:
    """A new module is put into a layer, or this fails."""
    placed = set().union(*LAYERS)

    assert {room(name) for name in MODULES} - {"", "simulator"} == placed


@pytest.mark.parametrize("module", HOUSEMATES)
def test_imports_point_one_way(module: str) -> None:
    """A module knows only what stands below it."""
    here = room(module)
    theirs = {room(found) for found in owned_imports(module)} - {here, "simulator"}

    assert {part for part in theirs if floor(part) > floor(here)} == set()
    assert theirs & FORBIDDEN.get(here, set()) == set()
    for strangers in STRANGERS:
        assert not (here in strangers and theirs & strangers)


def test_no_two_modules_import_each_other() -> None:
    """Neighbours may know each other, but never in a circle; a package's own contents count as one with it."""
    graph = {name: {found for found in owned_imports(name) if not name.startswith(f"{found}.")} for name in MODULES}
    for name, found in graph.items():
        if MODULES[name].name == "__init__.py":
            graph[name] = {other for other in found if other != name}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            for found in sorted(graph.get(name, ())):
                visit(found, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


@pytest.mark.parametrize("module", sorted(name for name in MODULES if room(name) in {"core", "errors"}))
def test_what_decides_needs_nothing_but_values(module: str) -> None:
    """core imports the standard library, itself and the errors; no library at all."""
    others = {found.split(".")[0] for found in imports(module)} - sys.stdlib_module_names

    assert others <= {"cdsync"}
    assert {room(found) for found in owned_imports(module)} <= ({"core", "errors"} if room(module) == "core" else set())


@pytest.mark.parametrize("module", sorted(name for name in MODULES if room(name) == "core"))
def test_what_decides_has_no_clock_no_log_and_no_input(module: str) -> None:
    """The same values give the same decision, on every machine and at every time."""
    forbidden = {"asyncio", "logging", "os", "pathlib", "random", "socket", "sqlite3", "subprocess", "time", "urllib"}
    found_libraries = {found for found in imports(module) if not found.startswith("urllib.parse")}  # reads no network
    calls = {node.attr for node in ast.walk(TREES[module]) if isinstance(node, ast.Attribute)}

    assert {found.split(".")[0] for found in found_libraries} & forbidden == set()
    assert calls & {"now", "utcnow", "today"} <= {"now"}  # `context.now` is a value
    assert "datetime.now" not in MODULES[module].read_text(encoding="utf-8")


@pytest.mark.parametrize("module", HOUSEMATES)
def test_every_library_has_one_owner(module: str) -> None:
    """A library is known to one part of the house, so that it can be changed in one place."""
    for found in {found.split(".")[0] for found in imports(module)}:
        if found in OWNERS:
            assert any(module == owner or module.startswith(f"{owner}.") for owner in OWNERS[found]), found
        else:
            assert found == "cdsync" or found in sys.stdlib_module_names, f"{module}: nobody owns {found}"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if room(name) == "simulator"))
def test_the_simulator_stands_alone(module: str) -> None:
    """It is an independent reading of the API, so that tests compare two readings."""
    assert {room(found) for found in owned_imports(module)} <= {"simulator"}


def test_few_modules_start_other_programs() -> None:
    """What may become an argument of a program is decided in these places, and a shell in none."""
    starting = ("subprocess", "os.system(", "os.popen(", "os.posix_spawn", "os.exec", "shell=")
    texts = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
    users = {name for name, text in texts.items() if any(word in text for word in starting)}

    assert users == {"cdsync.demo", "cdsync.gitsource.program", "cdsync.revision"}


def test_only_those_who_try_things_out_know_the_simulator() -> None:
    """Nothing that works on a real account can reach it."""
    users = {room(name) for name in HOUSEMATES if any(room(found) == "simulator" for found in owned_imports(name))}

    assert users == SIMULATED


def test_no_module_outgrows_its_limit() -> None:
    """A module that is too long is split by question."""
    long = {name: count for name in MODULES if (count := len(lines_of(name))) > LONGEST_MODULE}

    assert long == {}


def lines_of(module: str) -> list[str]:
    """The lines of a module."""
    return MODULES[module].read_text(encoding="utf-8").splitlines()


def functions(module: str) -> Iterator[tuple[str, int]]:
    """Each function of a module, with the lines that it takes."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_function_outgrows_its_limit() -> None:
    """A function fits a screen."""
    long = {
        f"{name}.{function}": count
        for name in MODULES
        for function, count in functions(name)
        if count >= LONGEST_FUNCTION
    }

    assert long == {}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_says_why_it_exists(module: str) -> None:
    """It begins with a docstring, and leaves its annotations unevaluated."""
    tree = TREES[module]
    futures = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    ]

    assert ast.get_docstring(tree)
    assert "annotations" in futures or not tree.body[1:], "from __future__ import annotations"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_names_say_what_things_are(module: str) -> None:
    """Nothing is called by a word that means anything."""
    words = set(re.split(r"[._]", module))
    classes = {node.name for node in ast.walk(TREES[module]) if isinstance(node, ast.ClassDef)}

    assert words & {"util", "utils", "helper", "helpers", "base", "manager", "common", "misc"} == set()
    assert not [name for name in classes if re.search(r"(Util|Helper|Base|Manager)s?$", name)]


def dataclass_options(node: ast.ClassDef) -> set[str] | None:
    """The options that are on in the dataclass decorator of a class; None for any other class."""
    for decorator in node.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        name = call.func if call else decorator
        if isinstance(name, ast.Name) and name.id == "dataclass":
            return {
                str(keyword.arg)
                for keyword in (call.keywords if call else ())
                if isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            }
    return None


@pytest.mark.parametrize("module", sorted(name for name in MODULES if room(name) == "core"))
def test_every_value_is_frozen_and_slotted(module: str) -> None:
    """What was decided cannot be changed afterwards, by anybody."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ClassDef) and (options := dataclass_options(node)) is not None:
            assert {"frozen", "slots"} <= options, node.name
