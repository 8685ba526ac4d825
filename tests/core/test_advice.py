"""What can move a run on that stands still."""

from __future__ import annotations

import pytest

from cdsync.core.advice import BY_LABEL, Help, advice_on, advice_on_run
from cdsync.core.model import Kind, RunError
from tests.core.values import address, run_error


@pytest.mark.parametrize("label", sorted(BY_LABEL))
def test_every_known_label_has_advice(label: str) -> None:
    """A person reads what to do, whatever the label."""
    assert advice_on(run_error(label)).text == BY_LABEL[label].text != ""


def test_only_passing_faults_are_resumed() -> None:
    """Resuming costs credits, so it is only done where the vendor says that it can help."""
    assert {label for label, advice in BY_LABEL.items() if advice.help is Help.RESUME} == {"LK_524", "PROXY_ERROR"}
    assert {label for label, advice in BY_LABEL.items() if advice.help is Help.WAIT} == {"LIMIT_REACHED", "STATUS_429"}


def test_a_stop_without_an_error_is_undone_by_resuming() -> None:
    """Nothing is wrong, so it may go on."""
    assert advice_on(None).help is Help.RESUME


@pytest.mark.parametrize("message", [None, "Credits exhausted, top up"])
def test_an_error_without_a_label_needs_a_person(message: str | None) -> None:
    """Nobody knows what it is about, and resuming costs credits."""
    assert advice_on(RunError(label=None, message=message)).help is Help.PERSON


@pytest.mark.parametrize(
    ("label", "help_"),
    [
        (None, Help.PERSON),
        ("PROXY_ERROR", Help.PERSON),
        ("NO_ACCESS", Help.PERSON),
        ("LIMIT_REACHED", Help.WAIT),
        ("BRAND_NEW", Help.PERSON),
    ],
)
def test_what_is_postponed_to_nobody_knows_when_is_never_resumed(label: str | None, help_: Help) -> None:
    """The vendor asks to wait, and does not say in a way that can be read until when."""
    advice = advice_on(RunError(label=label, message=None, unread_postponement="'soon'"))

    assert advice.help is help_
    assert label is not None or "'soon'" in advice.text


def test_an_unknown_label_needs_a_person() -> None:
    """What nobody has heard of is never retried by itself."""
    advice = advice_on(run_error("BRAND_NEW"))

    assert advice.help is Help.PERSON
    assert advice.text == "unknown error label BRAND_NEW; cdsync status shows its message"


@pytest.mark.parametrize(
    ("status", "label", "words"),
    [
        ("BLOCKED", "NO_ACCESS", "add credits or a subscription, then: cdsync resume run/a"),
        ("FAILED", "NO_ACCESS", "add credits or a subscription; this run is over: declare it under a new name"),
        ("INVALID", "BAD_INPUT", "fix the inputs or parameters; this run is over: declare it under a new name"),
        ("STOPPED", "BAD_INPUT", "fix the inputs or parameters; declare it under a new name"),
        ("STOPPED", "PROXY_ERROR", "a passing fault; resuming can help"),
        ("FAILED", "PROXY_ERROR", "a passing fault; this run is over: declare it under a new name"),
        ("FAILED", "STATUS_404", "the target does not allow or have it; nothing to retry"),
        (
            "PARTIAL_SUCCEEDED",
            "STATUS_404",
            "some of its inputs have no rows: the target does not allow or have it; nothing to retry",
        ),
        ("SUCCEEDED", "STATUS_404", None),
    ],
)
def test_the_advice_about_a_run_can_be_followed(status: str, label: str, words: str | None) -> None:
    """It names the resource, and what is over is not told to be resumed."""
    assert advice_on_run(status, run_error(label), address(kind=Kind.RUN)) == words


def test_the_run_of_a_schedule_needs_no_new_name() -> None:
    """The schedule fires another one."""
    told = [advice_on_run(status, run_error("BAD_INPUT"), address()) for status in ("STOPPED", "FAILED")]

    assert told == [
        "fix the inputs or parameters; its next firing is a new run",
        "fix the inputs or parameters; this run is over: its next firing is a new run",
    ]
