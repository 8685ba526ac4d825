from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.api.parse import parse_page, parse_rows, parse_run, parse_schedule, parse_uid
from cdsync.core.model import RemoteRun, RemoteSchedule, RunError
from cdsync.errors import BadAnswer

AT_SEVEN = datetime(2026, 6, 1, 7, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    *(
        "action_name",
        "status",
        "cron",
        "timezone",
        "name",
        "scheduled_run_name",
        "next_execution_at",
        "last_executed_at",
    ),
    *("created_at", "started_at", "finished_at", "workspace_uid", "scheduled_run_uid", "callback", "parameters"),
    *("last_error", "postponed_until", "output_count", "data"),
)


def test_a_schedule_is_read_field_by_field() -> None:
    """Every field that the API shows of a schedule has its place, in UTC."""
    row = {
        "uid": "u-1",
        "name": "cdsync/leads",
        "action_id": 7,
        "action_name": "linkedin-extract-people",
        "user_uid": "someone",
        "workspace_uid": "w-1",
        "status": "ACTIVE",
        "postponed_until": None,
        "cron": "0 9 * * 1-5",
        "timezone": "Europe/Paris",
        "next_execution_at": "2026-06-01T09:00:00+02:00",
        "last_executed_at": None,
        "created_at": "2026-06-01T07:00:00.000Z",
        "updated_at": "2026-06-01T07:00:00.000Z",
    }
    assert parse_schedule(row) == RemoteSchedule(
        uid="u-1",
        action="linkedin-extract-people",
        status="ACTIVE",
        cron="0 9 * * 1-5",
        timezone="Europe/Paris",
        label="cdsync/leads",
        next_execution_at=AT_SEVEN,
        created_at=AT_SEVEN,
        workspace_uid="w-1",
    )


def test_a_run_is_read_field_by_field() -> None:
    """Every field that decisions need of a run has its place."""
    row = {
        "uid": "r-1",
        "name": "cdsync/once",
        "action_name": "an-action",
        "status": "BLOCKED",
        "scheduled_run_uid": "u-1",
        "callback": {"url": "https://hooks.example.com"},
        "parameters": {"max_results": 3},
        "last_error": {
            "label": "LIMIT_REACHED",
            "message": "Wait",
            "params": {"postponed_until": "2026-06-01T07:00:00Z"},
        },
        "output_count": 12,
        "created_at": "2026-06-01T07:00:00Z",
        "started_at": "2026-06-01T07:00:00Z",
        "finished_at": None,
    }
    assert parse_run(row) == RemoteRun(
        uid="r-1",
        action="an-action",
        status="BLOCKED",
        label="cdsync/once",
        schedule_uid="u-1",
        callback_url="https://hooks.example.com",
        parameters={"max_results": 3},
        last_error=RunError(label="LIMIT_REACHED", message="Wait"),
        postponed_until=AT_SEVEN,
        output_count=12,
        created_at=AT_SEVEN,
        started_at=AT_SEVEN,
    )


@pytest.mark.parametrize("key", ["uid", "schedule_uid", "scheduled_run_uid"])
def test_a_schedule_has_its_uid_under_any_name(key: str) -> None:
    """Creation, listing and run objects name the UID differently (API contract, section 2.1)."""
    assert parse_schedule({key: "u-1"}).uid == "u-1"
    assert parse_schedule({"data": {key: "u-1"}}).uid == "u-1"


def test_a_run_is_not_mistaken_for_its_schedule() -> None:
    """A run's own UID is never that of the schedule that fired it."""
    assert parse_run({"run_uid": "r-1", "scheduled_run_uid": "u-1"}).uid == "r-1"
    with pytest.raises(BadAnswer):
        parse_run({"scheduled_run_uid": "u-1"})


@pytest.mark.parametrize("uid", [None, "", 7, ["u"], {"uid": "u"}, True])
def test_a_row_without_a_uid_is_an_error(uid: Any) -> None:
    """Nothing can be concluded from a listing with a row that is nobody."""
    with pytest.raises(BadAnswer, match="an object without uid or schedule_uid"):
        parse_uid({"uid": uid}, "uid", "schedule_uid")


@pytest.mark.parametrize(
    ("error", "read"),
    [
        ({"label": "A", "message": "m"}, RunError(label="A", message="m")),
        ({"error_label": "A"}, RunError(label="A", message=None)),
        ({"label": "A", "error_label": "B"}, RunError(label="A", message=None)),
        ({"label": None, "message": "m"}, RunError(label=None, message="m")),
        ({"label": 4021, "message": ["m"]}, RunError(label="4021", message=None)),
        ({"code": "NO_ACCESS", "message": "m"}, RunError(label=None, message="m")),
        ({"error": {"label": "NO_ACCESS"}}, RunError(label=None, message=None)),
        ({"has_failed": True}, RunError(label=None, message=None)),
        ("LIMIT_REACHED", RunError(label="LIMIT_REACHED", message=None)),
        ("No credits", RunError(label=None, message="No credits")),
        (["m"], RunError(label=None, message=None)),
        (7, RunError(label=None, message=None)),
        ({}, None),
        ([], None),
        ("", None),
        (None, None),
        ({"has_failed": False}, None),
        ({"has_failed": "false", "label": None, "message": "", "params": {}}, None),
    ],
)
def test_the_last_error_is_read_under_both_names(error: Any, read: RunError | None) -> None:
    """`label` in the schema, `error_label` in the guide: either is taken; whatever else is there is an error too."""
    assert parse_run({"uid": "r-1", "last_error": error}).last_error == read


@pytest.mark.parametrize("status", ["active", "Active", "ACTIVE"])
def test_a_status_is_read_in_any_case(status: str) -> None:
    """The case of a status word carries no meaning."""
    assert parse_schedule({"uid": "u-1", "status": status}).live


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-06-01T07:00:00Z", AT_SEVEN),
        ("2026-06-01T07:00:00.000Z", AT_SEVEN),
        ("2026-06-01T09:00:00+02:00", AT_SEVEN),
        ("2026-06-01 07:00:00", AT_SEVEN),
        ("2026-06-01T07:00:00", AT_SEVEN),
        ("2026-06-01 07:00:00 UTC", AT_SEVEN),
        ("2026-06-01T07:00:00.000 GMT", AT_SEVEN),
        ("Mon, 01 Jun 2026 07:00:00 GMT", AT_SEVEN),
        ("Mon, 01 Jun 2026 09:00:00 +0200", AT_SEVEN),
        ("Mon, 01 Jun 2026 07:00:00 -0000", AT_SEVEN),
        (AT_SEVEN.timestamp(), AT_SEVEN),
        (int(AT_SEVEN.timestamp()), AT_SEVEN),
        (int(AT_SEVEN.timestamp() * 1000), AT_SEVEN),
        (int(AT_SEVEN.timestamp() * 1_000_000), AT_SEVEN),
        (str(int(AT_SEVEN.timestamp())), AT_SEVEN),
        (str(int(AT_SEVEN.timestamp() * 1000)), AT_SEVEN),
        (3600, None),
        (-1, None),
        (True, None),
        (10**30, None),
        (float("inf"), None),
        (float("nan"), None),
        ("tomorrow", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        (None, None),
    ],
)
def test_a_time_is_read_in_utc_or_not_at_all(text: Any, moment: datetime | None) -> None:
    """A time without offset is UTC; what is no time, or beyond all time, is none."""
    assert parse_schedule({"uid": "u-1", "created_at": text}).created_at == moment


@pytest.mark.parametrize("where", ["of_the_run", "of_its_error"])
@pytest.mark.parametrize(
    ("value", "until", "unread"),
    [
        (None, None, None),
        ("", None, None),
        (0, None, None),
        ("0001-01-01T00:00:00Z", None, None),
        ("2026-06-01T07:00:00Z", AT_SEVEN, None),
        (AT_SEVEN.timestamp(), AT_SEVEN, None),
        ("soon", None, "'soon'"),
        (3600, None, "3600"),
        ({"at": 1}, None, "{'at': 1}"),
        ("9999-12-31T23:59:59Z", None, "'9999-12-31T23:59:59Z'"),
    ],
)
def test_a_postponement_that_cannot_be_read_is_kept(
    value: Any, until: datetime | None, unread: str | None, where: str
) -> None:
    """It is not taken for none: what is postponed must not be resumed."""
    error = {"label": "LIMIT_REACHED", "params": {"postponed_until": value}}
    row = {"postponed_until": value} if where == "of_the_run" else {"last_error": error}
    run = parse_run({"uid": "r-1", **row})

    assert run.postponed_until == until
    assert (run.last_error.unread_postponement if run.last_error else None) == unread


@pytest.mark.parametrize("envelope", [False, True])
def test_a_listing_comes_bare_or_in_an_envelope(envelope: bool) -> None:
    """Both forms give the same rows."""
    rows = [{"uid": "u-1"}, {"uid": "u-2"}]
    assert parse_rows({"data": rows, "total": 2} if envelope else rows, what="schedules") == rows


@pytest.mark.parametrize("answer", [None, {}, {"data": None}, {"rows": []}, "text", [None], [[]], [{"uid": "u"}, 7]])
def test_what_is_no_listing_is_an_error(answer: Any) -> None:
    """A listing of another shape is not an empty one."""
    with pytest.raises(BadAnswer, match=r"^the listing of runs is no array of objects$"):
        parse_rows(answer, what="runs")


@given(fields=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_value_in_any_field_is_tolerated(fields: dict[str, Any]) -> None:
    """With a UID, no value of another field, of whatever type, can break the reading."""
    row = {**fields, "uid": "u-1"}
    assert parse_schedule(row).uid == "u-1"
    assert parse_run(row).uid == "u-1"


@given(answer=JSON)
def test_any_answer_is_a_value_or_a_bad_answer(answer: Any) -> None:
    """No JSON whatever ends in another error than BadAnswer."""
    for read in (parse_schedule, parse_run, lambda value: parse_rows(value, what="runs")):
        try:
            read(answer)
        except BadAnswer:
            continue


TEXTS = st.text(max_size=4) | st.sampled_from(
    ["ACTIVE", "paused", "0 9 * * 1-5", "Europe/Paris", "2026-06-01T09:00:00+02:00", "0001-01-01", "1780000000"]
)
USUAL = st.fixed_dictionaries(
    {"uid": st.from_regex(r"[!-~]{1,8}", fullmatch=True)},
    optional=dict.fromkeys((*FIELDS[:8], "created_at", "workspace_uid"), st.none() | TEXTS)
    | {"data": st.dictionaries(TEXTS, TEXTS, max_size=2)},
)
ANY = st.dictionaries(st.sampled_from(["uid", "schedule_uid", *FIELDS]), JSON | TEXTS | st.just("\ud800"), max_size=6)


@given(rows=st.lists(USUAL, max_size=3))
def test_a_usual_page_is_read_by_its_types_and_means_the_same(rows: list[dict[str, Any]]) -> None:
    """Whatever texts stand in its fields, and whatever stands in those that nobody asks for."""
    assert parse_page(_bytes(rows)) == tuple(map(parse_schedule, rows))


@given(page=st.lists(USUAL | ANY, max_size=3) | JSON)
def test_another_page_is_left_to_the_tolerant_reader(page: Any) -> None:
    """It is not read by its types, or means the same by them."""
    found = parse_page(_bytes(page))
    assert found is None or found == tuple(map(parse_schedule, page))


@pytest.mark.parametrize("content", [b"", b"[", b"{}", b'[{"uid": "u\\n"}]', b'[{"uid": ""}]', b"[" * 5000])
def test_what_is_no_usual_page_is_not_read_by_its_types(content: bytes) -> None:
    assert parse_page(content) is None


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()
