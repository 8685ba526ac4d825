"""What `cdsync init` writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cdsync.config import Configuration, starter_files
from cdsync.core.model import Schedule
from cdsync.core.policy import Policy
from cdsync.settings import ApiSettings

Loaded = Callable[[Mapping[str, str | bytes]], Configuration]


def uncommented(text: str) -> str:
    """The text with its commented keys put to use, and its prose left out."""
    lines = [line for line in text.splitlines() if line.lstrip("# ")]
    kept = [line for line in lines if not line.startswith("# ") or (":" in line and "'cdsync" not in line)]
    return "\n".join(line.replace("# ", "", 1) if line.lstrip().startswith("# ") else line for line in kept) + "\n"


def test_the_starter_loads_without_a_warning(loaded: Loaded) -> None:
    """A newcomer begins with something that is right, and that fires nothing before it is edited."""
    configuration = loaded(starter_files())
    assert configuration.warnings == ()
    (schedule,) = configuration.desired.resources.values()
    assert isinstance(schedule, Schedule)
    assert schedule.state == "paused"


def test_the_starter_leads_the_editor_to_its_schemas() -> None:
    """The schema named in the first line of each file is written along with it."""
    files = starter_files()
    for name, text in files.items():
        if name.endswith(".yaml"):
            target = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
            assert str(Path(name).parent / target) in files


def test_the_settings_that_the_starter_shows_are_the_defaults(loaded: Loaded) -> None:
    """Taking the comment signs away changes nothing."""
    text = uncommented(starter_files()["cdsync.yaml"].split("\n\n", 1)[1].replace("# Marks", "## Marks"))
    settings = loaded({"cdsync.yaml": text}).settings
    assert (settings.api, settings.policy) == (ApiSettings(), Policy())
