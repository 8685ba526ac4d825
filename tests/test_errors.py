"""The tree of errors, as it is drawn and as it is."""

from __future__ import annotations

import inspect
import re

import pytest

from cdsync import errors
from cdsync.errors import ApiError, CdsyncError, ConfigError, Problem, StoreBusy

CLASSES: dict[str, type[CdsyncError]] = {
    name: value for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, CdsyncError)
}


def drawn() -> dict[str, str]:
    """Each error of the tree in the docstring, with the one that it hangs from."""
    parents: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    (?P<stem>[ |`-]*)(?P<name>[A-Z]\w+)(?:  |$)", line)
        if not found or (not found["stem"] and found["name"] != "CdsyncError"):
            continue
        depth = len(found["stem"])
        above = [row for row in above if row[0] < depth]
        parents[found["name"]] = above[-1][1] if above else "Exception"
        above.append((depth, found["name"]))
    return parents


def test_the_tree_is_as_it_is_drawn() -> None:
    """Whoever reads the docstring knows which errors there are, and what a handler of each will catch."""
    assert drawn() == {name: error.__mro__[1].__name__ for name, error in CLASSES.items()}


def test_every_error_says_what_it_is() -> None:
    """Each has a sentence of its own."""
    assert all("__doc__" in vars(error) and error.__doc__ for error in CLASSES.values())


def test_some_errors_may_be_over_by_the_next_pass() -> None:
    """A caller that runs again and again knows which errors to wait out."""
    assert {name for name, error in CLASSES.items() if error.retryable} == {
        "Unreachable",
        "OutcomeUnknown",
        "RateLimited",
        "ServerFault",
        "BadAnswer",
        "ResultsUnwritable",
        "GitDamaged",
        "GitTimedOut",
        "GitUnreachable",
        "StoreBusy",
        "StoreUnwritable",
    }


def test_a_guard_ends_a_command_with_four_and_all_else_with_one() -> None:
    """A pipeline can tell a refusal from a failure."""
    codes = {name: error.exit_code for name, error in CLASSES.items()}

    assert {name for name, code in codes.items() if code == 4} == {"GuardRefused", "StalePlan"}
    assert {code for name, code in codes.items() if name not in {"GuardRefused", "StalePlan"}} == {1}


def test_an_error_carries_a_message_and_a_remedy() -> None:
    """What is wrong and what to do about it are two things."""
    error = CdsyncError("it is wrong", remedy="do this")

    assert (str(error), error.remedy) == ("it is wrong", "do this")
    assert CdsyncError("it is wrong").remedy is None


def test_an_api_error_carries_what_the_api_said() -> None:
    """Status, label, scope and reference are there for whoever decides or reports."""
    error = ApiError("refused", status=422, label="BAD_INPUT", scope="input", ref="abc", remedy="fix it")

    assert (error.status, error.label, error.scope, error.ref) == (422, "BAD_INPUT", "input", "abc")
    assert (str(error), error.remedy) == ("refused", "fix it")


def test_a_busy_store_names_its_holder() -> None:
    """A person knows whom to wait for."""
    assert StoreBusy("the state is in use", holder="cdsync daemon").holder == "cdsync daemon"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("schedule/a", "team/a.yaml:3:5: schedule/a: it is wrong"),
        (None, "team/a.yaml:3:5: it is wrong"),
    ],
)
def test_a_problem_starts_with_its_place(address: str | None, expected: str) -> None:
    """An editor can jump to it."""
    assert str(Problem("team/a.yaml", 3, 5, address, "it is wrong")) == expected


def test_problems_come_in_the_order_of_their_places() -> None:
    """A person works through a file from its top, and one error shows them all."""
    first, second, third = (
        Problem("a.yaml", 9, 1, "schedule/x", "one"),
        Problem("b.yaml", 2, 1, "schedule/x", "two"),
        Problem("b.yaml", 10, 1, "schedule/x", "three"),
    )
    error = ConfigError((first, second, third))

    assert sorted([third, second, first]) == [first, second, third]
    assert error.problems == (first, second, third)
    assert str(error) == f"{first}\n{second}\n{third}"
