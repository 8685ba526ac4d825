"""The label by which an object on the API is recognised as ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.core.labels import label_of, labels_for, name_in
from cdsync.core.model import NAME, Kind
from tests.core.values import address, one_off, schedule

names = st.from_regex(NAME, fullmatch=True)
owners = st.text(min_size=1, max_size=100)


@given(owners, names)
def test_the_name_that_is_written_is_read_again(owner: str, name: str) -> None:
    """A label that is written in one grammar and read in another would make a duplicate at every pass."""
    label = label_of(owner, address(name))

    assert name_in(label, owner=owner) == name
    assert len(label) <= 255


@given(owners, owners, names)
def test_the_label_of_another_owner_is_not_ours(owner: str, other: str, name: str) -> None:
    """Two teams in one workspace never take each other's schedules for their own."""
    assert name_in(label_of(other, address(name)), owner=owner) == (name if owner == other else None)


@pytest.mark.parametrize(
    "label", [None, "", "a", "cdsync", "cdsync/", "/a", "cdsync/A", "cdsync/a b", "CDSYNC/a", "x/cdsync/a"]
)
def test_other_labels_are_not_ours(label: str | None) -> None:
    """A label made by hand, or none, says nothing about us."""
    assert name_in(label, owner="cdsync") is None


def test_an_object_may_carry_the_name_from_before() -> None:
    """A resource that was renamed is found by either label, the new one first."""
    assert labels_for(schedule("new", was="old"), owner="team") == ("team/new", "team/old")
    assert labels_for(one_off("new"), owner="team") == ("team/new",)


def test_a_schedule_and_a_run_of_one_name_share_a_label() -> None:
    """The API keeps them in different families, so the kind need not be part of it."""
    assert label_of("cdsync", address("a")) == label_of("cdsync", address("a", kind=Kind.RUN)) == "cdsync/a"
