"""The units as systemd's own tools see them; `make test-systemd` runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
NAMES = sorted(path.name for path in UNITS.iterdir() if path.suffix in {".service", ".timer"})
HIGHEST_EXPOSURE = 1.5

analyzed = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and not os.environ.get("CI"),
    reason="systemd-analyze is not installed (apt-get install systemd)",
)
"""Marks what needs systemd-analyze; in CI, which installs it, a test that cannot run fails."""

Directive = tuple[str, str, str]


def directives(name: str) -> list[Directive]:
    """Section, name and value of every line of a unit that is not a comment, in their order."""
    found, section = [], ""
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.append((section, key, value))
    return found


def of_no_account(directive: Directive) -> Directive:
    """The same without the name of an instance, as the unit that stands alone has it."""
    section, key, value = directive
    return section, key, re.sub(r"[/-]%i| \(%i\)", "", value)


def laid_out(folder: Path) -> Path:
    """The units in a folder of their own, with the program of this environment in place of the installed one."""
    program = str(Path(sys.executable).with_name("cdsync"))
    for name in NAMES:
        text = (UNITS / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("/opt/cdsync/bin/cdsync", program), encoding="utf-8")
    return folder


@analyzed
def test_systemd_has_nothing_to_say_against_the_units(tmp_path: Path) -> None:
    """No unknown or misspelt setting, no missing program, no unit that is referred to and not there."""
    units = [laid_out(tmp_path) / name for name in NAMES]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@analyzed
def test_a_misspelt_setting_would_be_found(tmp_path: Path) -> None:
    """The check above can fail."""
    unit = laid_out(tmp_path) / "cdsync.service"
    unit.write_text(unit.read_text(encoding="utf-8").replace("ProtectSystem", "ProtectSystme"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)

    assert "ProtectSystme" in done.stderr


@analyzed
@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_exposes_next_to_nothing(name: str) -> None:
    """systemd's own measure, from 0 to 10, is at most 1.5: the network is all that is left open."""
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)

    assert exposure is not None
    assert float(exposure[1]) <= HIGHEST_EXPOSURE, done.stdout


def hardening(name: str) -> list[Directive]:
    """The settings that confine a unit: all that follows the first of them in its section."""
    service = [directive for directive in directives(name) if directive[0] == "Service"]
    return service[next(number for number, found in enumerate(service) if found[1] == "UMask") :]


@pytest.mark.parametrize("name", SERVICES)
def test_all_units_are_confined_alike(name: str) -> None:
    """No unit is forgotten when one of them is hardened."""
    assert hardening(name) == hardening("cdsync.service")


@pytest.mark.parametrize("name", [name for name in NAMES if "@" in name])
def test_an_instance_is_the_unit_that_stands_alone_in_a_folder_of_its_own(name: str) -> None:
    """The template and the unit say the same, but that each instance is refused beside the one that stands alone."""
    template = directives(name)
    if name.endswith(".service"):
        template.remove(("Unit", "AssertPathExists", "!/etc/cdsync/cdsync.yaml"))

    assert [*map(of_no_account, template)] == directives(name.replace("@", ""))
