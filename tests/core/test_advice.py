"""What can move a run on that stands still."""

from __future__ import annotations

import pytest

from cdsync.core.advice import BY_LABEL, Help, advice_on
from cdsync.core.model import RunError
from tests.core.values import run_error


@pytest.mark.parametrize("label", sorted(BY_LABEL))
def test_every_known_label_has_advice(label: str) -> None:
    """A person reads what to do, whatever the label."""
    assert advice_on(run_error(label)).text == BY_LABEL[label].text != ""


def test_only_passing_faults_are_resumed() -> None:
    """Resuming costs credits, so it is only done where the vendor says that it can help."""
    assert {label for label, advice in BY_LABEL.items() if advice.help is Help.RESUME} == {"LK_524", "PROXY_ERROR"}
    assert {label for label, advice in BY_LABEL.items() if advice.help is Help.WAIT} == {"LIMIT_REACHED", "STATUS_429"}


@pytest.mark.parametrize("error", [None, RunError(label=None, message=None), RunError(label=None, message="stopped")])
def test_a_stop_without_an_error_is_undone_by_resuming(error: RunError | None) -> None:
    """Nothing is wrong, so it may go on."""
    assert advice_on(error).help is Help.RESUME


def test_an_unknown_label_needs_a_person() -> None:
    """What nobody has heard of is never retried by itself."""
    advice = advice_on(run_error("BRAND_NEW"))

    assert advice.help is Help.PERSON
    assert advice.text == "unknown error label BRAND_NEW; look at its message"
