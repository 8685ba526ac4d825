"""How far a live run has come, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cdsync.core.progress import (
    SAME_FAILURES,
    LiveProgress,
    asking,
    input_failed,
    nothing_found,
    page_answered,
    page_kept,
    postponed,
    stopped_by,
    taken_up,
    tried_again_later,
)
from tests.core.values import NOW, live_progress


def page_read(far: LiveProgress, *, rows: int, cursor: str | None) -> LiveProgress:
    """A page that has come and was put into the file."""
    answered = page_answered(far, tuple({"n": n} for n in range(rows)), cursor=cursor, now=NOW)
    return page_kept(answered, rows=rows, length=far.length + 9)


LATER = NOW + timedelta(minutes=5)
STEPS: Mapping[str, Callable[[LiveProgress], LiveProgress]] = {
    "page": lambda far: page_read(far, rows=2, cursor="next"),
    "last page": lambda far: page_read(far, rows=1, cursor=None),
    "nothing": nothing_found,
    "failed": lambda far: input_failed(far, label="X", failed_length=far.failed_length + 9),
    "later": lambda far: postponed(far, LATER),
    "again": lambda far: tried_again_later(far, LATER),
    "stopped": lambda far: stopped_by(far, "NO_ACCESS"),
}


def begun(**changes: int) -> LiveProgress:
    """A run whose present input was just asked for."""
    return asking(live_progress(total=50, **changes), NOW)


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=30))
def test_every_answer_settles_the_question_and_loses_no_count(steps: list[str]) -> None:
    """Whatever comes of a request, it is open no more; inputs and rows add up, and the present one is the next."""
    far = live_progress(total=50)
    for name in steps:
        before = asking(far, NOW)
        far = STEPS[name](before)
        assert far.asked_at is None
        over = name in {"last page", "nothing", "failed"}
        assert far.over == before.over + over
        assert far.rows == before.rows + {"page": 2, "last page": 1}.get(name, 0)
        assert (far.cursor is None) or not over
        if over:
            assert (far.input_rows, far.input_from, far.tries) == (0, far.length, 0)


def test_an_input_without_rows_is_empty() -> None:
    """An answer of no rows is as empty as one that says so; rows on an earlier page are rows."""
    none = page_read(begun(), rows=0, cursor=None)
    first = page_read(begun(), rows=3, cursor="next")
    some = page_read(first, rows=0, cursor=None)

    assert (none.done, none.empty) == (0, 1)
    assert (some.done, some.empty) == (1, 0)


def test_only_first_pages_count_as_answered() -> None:
    """A further page belongs to the same run."""
    first = page_read(begun(), rows=3, cursor="next")
    second = page_read(first, rows=3, cursor=None)

    assert (first.answered, second.answered) == (1, 1)


def test_inputs_that_fail_alike_stop_the_run() -> None:
    """Only so many in a row with one label; one that is answered, or fails otherwise, begins the count anew."""
    far = live_progress(total=50)
    for number in range(1, SAME_FAILURES):
        far = input_failed(far, label="X", failed_length=number)
        assert far.halted is None
    assert input_failed(far, label="Y", failed_length=9).alike == 1
    assert page_read(far, rows=1, cursor=None).alike == 0
    assert input_failed(far, label="X", failed_length=9).halted == "X"


def test_a_person_s_word_takes_it_up_where_it_stands() -> None:
    """The count of failures alike begins anew, and nothing else does."""
    stopped = stopped_by(input_failed(begun(), label="X", failed_length=9), "NO_ACCESS")
    up = taken_up(stopped)

    assert (up.halted, up.wait_until, up.alike) == (None, None, 0)
    assert (up.failed, up.over) == (1, 1)
