"""The commit that the daemon refuses, as people and programs read it."""

from __future__ import annotations

from datetime import UTC, datetime

from cdsync.core.records import RefusedCommit
from cdsync.render.refused import refused_document, refused_lines, refused_sentence

SINCE = datetime(2026, 6, 1, 7, 0, tzinfo=UTC)


def refused(*problems: str) -> RefusedCommit:
    """A commit that is refused for this."""
    return RefusedCommit(commit="a" * 40, problems=problems, since=SINCE, remedy="push another")


def test_it_is_told_with_its_problems_and_what_to_do() -> None:
    """As far as a terminal holds; what would steer it is shown as it is."""
    assert [line.text for line in refused_lines(refused("eu/s.yaml:2:44: no \x1b[31m such zone"))] == [
        "The daemon refuses commit aaaaaaaaaaaa since 2026-06-01 07:00 UTC:",
        "  eu/s.yaml:2:44: no \\x1b[31m such zone",
        "  what to do: push another",
        "",
    ]
    many = [line.text for line in refused_lines(refused(*map(str, range(1000))))]
    assert many[6:] == ["  and 995 more problems", "  what to do: push another", ""]
    assert refused_lines(None) == []


def test_it_is_one_sentence_for_the_doctor() -> None:
    """With the first problem, and how many more there are."""
    assert refused_sentence(refused("one")) == "aaaaaaaaaaaa is refused since 2026-06-01 07:00 UTC: one"
    assert refused_sentence(refused("one", "two", "three")).endswith(": one (and 2 more problems)")


def test_programs_get_the_whole_of_it() -> None:
    """The full id, and every problem."""
    assert refused_document(None) is None
    assert refused_document(refused("one", "two")) == {
        "commit": "a" * 40,
        "since": "2026-06-01T07:00:00+00:00",
        "problems": ["one", "two"],
        "remedy": "push another",
    }
