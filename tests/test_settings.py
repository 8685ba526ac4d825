"""Which of flag, environment, file and service manager wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cdsync.core.work import Reference
from cdsync.settings import ApiSettings, Settings, default_results, default_state, with_environment


@pytest.fixture
def silent(tmp_path: Path) -> Settings:
    """The settings of a root whose file says nothing."""
    return Settings(root=tmp_path, state=default_state(tmp_path), results=default_results(tmp_path))


def test_nothing_in_the_environment_changes_nothing(silent: Settings) -> None:
    """The file alone decides, and what is unrelated or empty counts for nothing."""
    environment = {"HOME": "x", "CDSYNC_API_URL": "", "CDSYNC_API_KEY": "", "CDSYNC_STATE": "", "STATE_DIRECTORY": ""}

    assert with_environment(silent, environment) == silent


def test_a_flag_wins_over_the_environment_and_that_over_the_file(silent: Settings) -> None:
    """The nearer to the person, the stronger."""
    filed = replace(silent, api=replace(silent.api, base_url="https://file.example.com"))
    environment = {"CDSYNC_API_URL": "https://environment.example.com"}

    def url(environment: dict[str, str], flag: str | None = None) -> str:
        return with_environment(filed, environment, api_url=flag).api.base_url

    assert url({}) == "https://file.example.com"
    assert url(environment) == "https://environment.example.com"
    assert url(environment, "https://flag.example.com") == "https://flag.example.com"


def test_a_key_in_the_environment_wins_over_the_reference_of_the_file(silent: Settings) -> None:
    """It is the value itself, and never shown."""
    found = with_environment(silent, {"CDSYNC_API_KEY": "canary"})

    assert silent.api.key == Reference("env", "CAPTAIN_DATA_API_KEY")
    assert found.api.key == "canary"
    assert "canary" not in repr(found)
    assert "canary" not in str(found)


def test_under_systemd_the_state_moves_to_its_home(silent: Settings) -> None:
    """A service may write nowhere else; of several folders the first is meant."""
    found = with_environment(silent, {"STATE_DIRECTORY": "/var/lib/cdsync:/var/lib/other"})

    assert found.state == Path("/var/lib/cdsync/state.db")


def test_a_state_that_the_file_names_stays_where_it_is(silent: Settings) -> None:
    """Only where the file is silent does the service manager decide."""
    filed = replace(silent, state=silent.root / "elsewhere.db")

    assert with_environment(filed, {"STATE_DIRECTORY": "/var/lib/cdsync"}).state == silent.root / "elsewhere.db"


def test_a_state_in_the_environment_wins_over_file_and_systemd(silent: Settings) -> None:
    """One variable puts the state of any root where it is wanted."""
    filed = replace(silent, state=silent.root / "elsewhere.db")
    environment = {"CDSYNC_STATE": "/data/mine.db", "STATE_DIRECTORY": "/var/lib/cdsync"}

    assert with_environment(filed, environment).state == Path("/data/mine.db")
    assert with_environment(silent, environment).state == Path("/data/mine.db")


def test_a_relative_state_in_the_environment_is_below_the_working_folder(silent: Settings) -> None:
    """It is said where one stands, as with every path on a command line."""
    assert with_environment(silent, {"CDSYNC_STATE": "mine.db"}).state == Path.cwd() / "mine.db"


def test_the_defaults_are_those_of_the_documentation() -> None:
    """A file without keys means this."""
    api = ApiSettings()

    assert (api.base_url, api.dialect, api.prefix) == ("https://api.captaindata.com", "auto", "/v4")
    assert (api.requests_per_minute, api.timeout.total_seconds(), api.settle.total_seconds()) == (60, 30, 15)
