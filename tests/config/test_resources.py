"""Resource files: what they may declare, and the exact words for what they may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from cdsync.config import Configuration
from cdsync.core.model import NEVER_RESUME, Address, Kind, OneOffRun, ResumePolicy, Schedule, SourceLocation
from cdsync.core.work import Callback, Reference, Work

Loaded = Callable[[Mapping[str, str | bytes]], Configuration]
Refused = Callable[[Mapping[str, str | bytes]], list[str]]


SCHEDULE = 'schedules:\n  x:\n    action: act\n    cron: "0 9 * * *"\n    inputs: [{u: x}]\n'
WITHOUT_INPUTS = 'schedules:\n  x:\n    action: act\n    cron: "0 9 * * *"\n'
WITHOUT_CRON = "schedules:\n  x:\n    action: act\n    inputs: [{u: x}]\n"
RUN = "runs:\n  x:\n    action: act\n    inputs: [{u: x}]\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"a.yaml": "- a\n"},
            ["a.yaml:1:1: the document is a list; expected the keys defaults, schedules and runs"],
            id="a_resource_file_that_is_a_list",
        ),
        pytest.param(
            {"a.yaml": "schedule:\n  x: {}\n"},
            ["a.yaml:1:1: unknown key 'schedule'; did you mean 'schedules'?"],
            id="an_unknown_section",
        ),
        pytest.param(
            {"a.yaml": "schedules:\n  - action: a\n"},
            ["a.yaml:2:3: schedules is a list; expected an object of schedules by name"],
            id="schedules_as_a_list",
        ),
        pytest.param(
            {"a.yaml": "schedules:\n  x:\n"},
            ["a.yaml:2:5: schedule/x: it is empty; expected an object of fields"],
            id="a_schedule_without_content",
        ),
        pytest.param(
            {"a.yaml": "schedules:\n  x: secret\n"},
            ["a.yaml:2:6: schedule/x: it is a text; expected an object of fields"],
            id="a_schedule_that_is_a_text",
        ),
        pytest.param(
            {"a.yaml": 'schedules:\n  Leads:\n    action: act\n    cron: "0 9 * * *"\n    inputs: [{u: x}]\n'},
            [
                (
                    "a.yaml:2:3: 'Leads' is no name for a schedule; expected at most 100 letters a-z, "
                    "digits, dots, underscores and dashes, with a letter or digit at both ends"
                )
            ],
            id="a_name_with_capitals",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    tmezone: UTC\n"},
            ["a.yaml:6:5: schedule/x: unknown key 'tmezone'; did you mean 'timezone'?"],
            id="a_misspelt_key",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    zzz: 1\n"},
            [
                (
                    "a.yaml:6:5: schedule/x: unknown key 'zzz'; expected one of: action, callback, cron, "
                    "first_fire, identity_ids, identity_mode, inputs, parameters, protect, resume, state, "
                    "timezone, was"
                )
            ],
            id="a_key_far_from_any",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    on: final\n"},
            [
                (
                    "a.yaml:6:5: schedule/x: unknown key 'on'; 'on' is a key of callback; write true where a "
                    "boolean is meant"
                )
            ],
            id="on_outside_of_callback",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    mode: async\n"},
            ["a.yaml:6:5: schedule/x: unknown key 'mode'; 'mode' is a field of runs, not of schedules"],
            id="a_field_of_runs_on_a_schedule",
        ),
        pytest.param(
            {"a.yaml": RUN + '    cron: "0 9 * * *"\n'},
            ["a.yaml:5:5: run/x: unknown key 'cron'; 'cron' is a field of schedules, not of runs"],
            id="a_field_of_schedules_on_a_run",
        ),
        pytest.param(
            {"a.yaml": "defaults:\n  inputs: [{u: x}]\n"},
            [("a.yaml:2:3: unknown key 'inputs' in defaults; inputs belong to a schedule or run, never to defaults")],
            id="inputs_in_defaults",
        ),
        pytest.param(
            {"a.yaml": "schedules:\n  x: {}\nruns:\n  y: {}\n"},
            [
                (
                    "a.yaml:2:3: schedule/x: no action; expected the name of an action such as "
                    "salesnavigator-search-people, here or in defaults"
                ),
                (
                    'a.yaml:2:3: schedule/x: no cron; expected five POSIX fields in quotes, such as "0 9 * * '
                    '1-5", here or in defaults'
                ),
                "a.yaml:2:3: schedule/x: no inputs; expected a list of objects, or {file: PATH}",
                (
                    "a.yaml:4:3: run/y: no action; expected the name of an action such as "
                    "salesnavigator-search-people, here or in defaults"
                ),
                "a.yaml:4:3: run/y: no inputs; expected a list of objects, or {file: PATH}",
            ],
            id="nothing_but_a_name",
        ),
        pytest.param(
            {"a.yaml": 'schedules:\n  x:\n    cron: "0 9 * * *"\n    inputs: [{u: x}]\n    action: Not An Action\n'},
            [
                (
                    "a.yaml:5:13: schedule/x: action is 'Not An Action'; expected the name of an action such "
                    "as salesnavigator-search-people"
                )
            ],
            id="an_action_that_is_no_action",
        ),
        pytest.param(
            {"a.yaml": 'schedules:\n  x:\n    cron: "0 9 * * *"\n    inputs: [{u: x}]\n    action: |\n          act\n'},
            [
                (
                    "a.yaml:5:13: schedule/x: action is 'act\\n'; expected the name of an action such as "
                    "salesnavigator-search-people"
                )
            ],
            id="an_action_with_a_newline_at_its_end",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    state: stopped\n"},
            ["a.yaml:6:12: schedule/x: state is 'stopped'; expected active, paused or absent"],
            id="a_state_that_does_not_exist",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + '    protect: "true"\n'},
            ["a.yaml:6:14: schedule/x: protect is 'true'; expected true or false"],
            id="protect_as_a_text",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    first_fire: now\n"},
            ["a.yaml:6:17: schedule/x: first_fire is 'now'; expected next-tick or immediate"],
            id="first_fire_that_does_not_exist",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    identity_mode: manual\n"},
            ["a.yaml:6:20: schedule/x: identity_mode is 'manual'; expected direct, auto or managed"],
            id="identity_mode_that_does_not_exist",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    identity_ids: [abc, 7]\n"},
            [
                (
                    "a.yaml:6:20: schedule/x: identity_ids[0] is 'abc'; expected a UUID such as "
                    "123e4567-e89b-12d3-a456-426614174000"
                ),
                (
                    "a.yaml:6:25: schedule/x: identity_ids[1] is 7; expected a UUID such as "
                    "123e4567-e89b-12d3-a456-426614174000"
                ),
            ],
            id="identity_ids_that_are_no_uuids",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: [1]\n"},
            ["a.yaml:6:17: schedule/x: parameters is a list; expected an object"],
            id="parameters_as_a_list",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_INPUTS + "    inputs: leads.csv\n"},
            [("a.yaml:5:13: schedule/x: inputs is 'leads.csv'; expected a list of objects, or {file: PATH}")],
            id="inputs_as_a_text",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_INPUTS + "    inputs: [a, {u: x}]\n"},
            ["a.yaml:5:14: schedule/x: inputs[0] is a text; expected an object"],
            id="inputs_of_texts",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_INPUTS + "    inputs: {files: leads.csv}\n"},
            [
                "a.yaml:5:5: schedule/x: inputs has no 'file'; expected a path relative to this file",
                "a.yaml:5:14: schedule/x: unknown key 'files' in inputs; did you mean 'file'?",
            ],
            id="inputs_with_another_key_than_file",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_INPUTS + "    inputs: []\n"},
            ["a.yaml:5:13: schedule/x: inputs is empty; expected at least one, or state: absent"],
            id="empty_inputs",
        ),
        pytest.param(
            {"a.yaml": "runs:\n  x:\n    action: a\n    inputs: []\n"},
            ["a.yaml:4:13: run/x: inputs is empty; expected at least one"],
            id="empty_inputs_of_a_run",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    resume: {statuses: [FAILED], attempts: 0, backof: 5m}\n"},
            [
                "a.yaml:6:25: schedule/x: resume.statuses[0] is 'FAILED'; expected STOPPED or BLOCKED",
                "a.yaml:6:44: schedule/x: resume.attempts is 0; expected a whole number from 1 to 100",
                "a.yaml:6:47: schedule/x: unknown key 'backof' in resume; did you mean 'backoff'?",
            ],
            id="resume_with_an_unknown_status",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    resume: 3\n"},
            [("a.yaml:6:13: schedule/x: resume is 3; expected never, or the keys statuses, attempts and backoff")],
            id="resume_that_is_a_number",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    resume: always\n"},
            [
                (
                    "a.yaml:6:13: schedule/x: resume is 'always'; expected never, or the keys statuses, "
                    "attempts and backoff"
                )
            ],
            id="resume_always",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_INPUTS + "    inputs: [" + ", ".join(["{}"] * 101) + "]\n"},
            [
                "a.yaml:5:13: schedule/x: 101 inputs; expected at most 100 for a schedule: "
                "split it into several schedules, or launch it once as a run"
            ],
            id="too_many_inputs_for_a_schedule",
        ),
        pytest.param(
            {
                "a.yaml": "runs:\n  x:\n    action: a\n    schedule_at: 2030-01-01T00:00:00Z\n    inputs: ["
                + ", ".join(["{}"] * 101)
                + "]\n"
            },
            [
                "a.yaml:5:13: run/x: 101 inputs; expected at most 100 for a run with schedule_at: "
                "split it into several runs, or leave out schedule_at to launch it now"
            ],
            id="too_many_inputs_for_a_run_with_schedule_at",
        ),
        pytest.param(
            {
                "a.yaml": RUN
                + ("    mode: live\n    schedule_at: 2030-01-01T00:00:00Z\n    callback: {url: https://e.com}\n")
            },
            [
                (
                    "a.yaml:6:18: run/x: schedule_at has no meaning for mode live, which is launched at "
                    "once; expected mode async"
                ),
                (
                    "a.yaml:7:15: run/x: callback has no meaning for mode live, which answers at once; "
                    "expected mode async"
                ),
            ],
            id="a_live_run_with_schedule_at_and_callback",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_CRON + '    cron: "0 9 * *"\n'},
            [
                (
                    "a.yaml:5:11: schedule/x: cron '0 9 * *' has 4 fields; expected five: minute, hour, day "
                    "of month, month, day of week"
                )
            ],
            id="a_cron_of_four_fields",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_CRON + '    cron: "61 9 * * *"\n'},
            ["a.yaml:5:11: schedule/x: cron '61 9 * * *': '61' is no minute; expected 0 to 59"],
            id="a_cron_out_of_range",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_CRON + '    cron: "0 9 31 2 *"\n'},
            [("a.yaml:5:11: schedule/x: cron '0 9 31 2 *' never fires: no month that it names has such a day")],
            id="a_cron_that_never_fires",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_CRON + '    cron: "@daily"\n'},
            [("a.yaml:5:11: schedule/x: macro '@daily' is not supported; expected five fields such as '0 9 * * 1-5'")],
            id="a_cron_macro",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_CRON + "    cron:\n"},
            [('a.yaml:5:10: schedule/x: cron is empty; expected five POSIX fields in quotes, such as "0 9 * * 1-5"')],
            id="an_empty_cron",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_CRON + "    cron: 12:30\n"},
            [
                (
                    "a.yaml:5:11: schedule/x: 12:30 is a number of base 60 to YAML 1.1; put it in quotes to "
                    "keep it as a text"
                )
            ],
            id="a_time_as_cron",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    timezone: Europe/Pari\n"},
            ["a.yaml:6:15: schedule/x: unknown time zone 'Europe/Pari'; did you mean 'Europe/Paris'?"],
            id="a_misspelt_time_zone",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    timezone: Nowhere\n"},
            [("a.yaml:6:15: schedule/x: unknown time zone 'Nowhere'; expected an IANA name such as Europe/Paris")],
            id="a_time_zone_like_no_other",
        ),
        pytest.param(
            {"a.yaml": RUN + "    schedule_at: 2026-12-01T08:00:00\n"},
            [
                (
                    "a.yaml:5:18: run/x: schedule_at '2026-12-01T08:00:00' has no offset; expected one, as "
                    "in 2026-12-01T08:00:00+01:00"
                )
            ],
            id="schedule_at_without_offset",
        ),
        pytest.param(
            {"a.yaml": RUN + "    schedule_at: tomorrow\n"},
            [
                (
                    "a.yaml:5:18: run/x: schedule_at is 'tomorrow'; expected a date and time with offset, as "
                    "in 2026-12-01T08:00:00+01:00"
                )
            ],
            id="schedule_at_that_is_no_time",
        ),
        pytest.param(
            {"a.yaml": RUN + "    schedule_at: 2026-02-30T08:00:00Z\n"},
            [
                (
                    "a.yaml:5:18: run/x: schedule_at is '2026-02-30T08:00:00Z'; expected a date and time "
                    "with offset, as in 2026-12-01T08:00:00+01:00"
                )
            ],
            id="schedule_at_on_a_day_that_is_none",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    callback: {url: http://hooks.example.com/T0KEN}\n"},
            [
                (
                    "a.yaml:6:21: schedule/x: callback.url is http://hooks.example.com; expected https, or "
                    "plain http to loopback only"
                )
            ],
            id="a_callback_over_http",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    callback: {url: s3cr3t}\n"},
            [("a.yaml:6:21: schedule/x: callback.url is no URL; expected one such as https://hooks.example.com/path")],
            id="a_callback_that_is_no_url",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    callback: {url: https://me:s3cr3t@e.com}\n"},
            [("a.yaml:6:21: schedule/x: callback.url is a URL with a user or password in it; expected none")],
            id="a_callback_with_a_password",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    callback: {on: final}\n"},
            [
                (
                    "a.yaml:6:5: schedule/x: callback has no 'url'; expected an https URL, or a reference "
                    "such as {env: NAME}"
                )
            ],
            id="a_callback_without_url",
        ),
        pytest.param(
            {
                "a.yaml": SCHEDULE
                + "    callback: {url: https://e.com, on: sometimes, header: {Authorization: s3cr3t}}\n"
            },
            [
                "a.yaml:6:40: schedule/x: callback.on is 'sometimes'; expected all or final",
                "a.yaml:6:51: schedule/x: unknown key 'header' in callback; did you mean 'headers'?",
            ],
            id="a_callback_with_odd_parts",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    callback: s3cr3t\n"},
            [("a.yaml:6:15: schedule/x: callback is a text; expected an object with the keys url, headers and on")],
            id="a_callback_that_is_a_text",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    callback: {url: https://e.com, headers: {X-Pin: 123}}\n"},
            [
                (
                    "a.yaml:6:53: schedule/x: callback.headers.X-Pin is wrong (its value is not shown); "
                    "expected a text of one line, in quotes, or a reference such as {env: NAME}"
                )
            ],
            id="a_header_that_is_a_number",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + '    callback: {url: https://e.com, headers: {X-Pin: "s3cr3t\\nX: y"}}\n'},
            [
                (
                    "a.yaml:6:53: schedule/x: callback.headers.X-Pin is wrong (its value is not shown); "
                    "expected a text of one line, in quotes, or a reference such as {env: NAME}"
                )
            ],
            id="a_header_of_two_lines",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    callback: {url: https://e.com, headers: {X Pin: s3cr3t}}\n"},
            [
                (
                    "a.yaml:6:46: schedule/x: a key of callback.headers is not allowed; expected the name of "
                    "an HTTP header"
                )
            ],
            id="a_header_with_a_space_in_its_name",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    callback: {url: https://e.com, headers: {Authorization: {vault: s3cr3t}}}\n"},
            [
                (
                    "a.yaml:6:61: schedule/x: callback.headers.Authorization is an object; expected a "
                    "reference: {env: NAME}, {file: PATH} or {credential: NAME}; never the value itself"
                )
            ],
            id="a_reference_of_an_unknown_kind",
        ),
        pytest.param(
            {
                "a.yaml": SCHEDULE
                + "    callback: {url: https://e.com, headers: {Authorization: {env: s3cr3t-value}}}\n"
            },
            [
                (
                    "a.yaml:6:67: schedule/x: callback.headers.Authorization.env is wrong (its value is not "
                    "shown); expected the name of an environment variable"
                )
            ],
            id="a_reference_that_holds_the_secret",
        ),
        pytest.param(
            {
                "a.yaml": "defaults: {timezone: Mars, action: A}\n"
                "schedules:\n"
                "  x: {cron: '0 9 * * *', inputs: [{}]}\n"
                "  y: {cron: '0 9 * * *', inputs: [{}]}\n"
            },
            [
                "a.yaml:1:22: unknown time zone 'Mars'; expected an IANA name such as Europe/Paris",
                (
                    "a.yaml:1:36: defaults.action is 'A'; expected the name of an action such as "
                    "salesnavigator-search-people"
                ),
            ],
            id="a_fault_of_defaults_is_told_once",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "", "sub/b.yml": SCHEDULE + ""},
            ["sub/b.yml:2:3: schedule/x: declared twice; it is already declared at a.yaml:2:3"],
            id="a_name_declared_in_two_files",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    was: x\n"},
            ["a.yaml:6:10: schedule/x: was is its own name 'x'; expected the name that it had before"],
            id="was_its_own_name",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + ("    was: old\n  old:\n    action: act\n    cron: '0 9 * * *'\n    inputs: [{}]\n")},
            [
                (
                    "a.yaml:6:10: schedule/x: was is 'old', which is still declared at a.yaml:7:3; expected "
                    "a name that is declared no more"
                )
            ],
            id="was_a_name_still_declared",
        ),
        pytest.param(
            {
                "a.yaml": SCHEDULE
                + ("    was: old\n  z:\n    action: act\n    cron: '0 9 * * *'\n    inputs: [{}]\n    was: old\n")
            },
            [
                (
                    "a.yaml:11:10: schedule/z: was is 'old', which schedule/x at a.yaml:2:3 claims as well; "
                    "expected one heir"
                )
            ],
            id="was_claimed_twice",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    was: OLD\n"},
            [
                (
                    "a.yaml:6:10: schedule/x: was is 'OLD'; expected a name of at most 100 letters a-z, "
                    "digits, dots, underscores and dashes, with a letter or digit at both ends"
                )
            ],
            id="was_that_is_no_name",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_with_the_way_out(
    refused: Refused, files: Mapping[str, str | bytes], expected: list[str]
) -> None:
    """Each fault of a declaration is told with place, address, value and what was expected, and no other fault is."""
    assert refused(files) == expected


EVERYTHING = """\
schedules:
  full:
    action: salesnavigator-search-people
    cron: "0 9 * * 1-5"
    timezone: Europe/Paris
    state: paused
    inputs: [{url: "https://e.com", custom_data: {n: 1}}]
    parameters: {max_results: 500}
    identity_mode: managed
    identity_ids: [8c5bb8a4-2f3e-4a53-9c1b-1f0a5d2e7b60]
    callback:
      url: {env: HOOK_URL}
      headers: {Authorization: {file: token.txt}, X-A: "1", X-B: {credential: hook}}
      on: final
    protect: true
    was: old-name
    first_fire: immediate
    resume: {attempts: 9}
"""


def test_every_field_of_a_schedule_arrives(loaded: Loaded) -> None:
    """Nothing that is declared is lost on the way, and what `resume` leaves out is the policy's."""
    settings = "policy: {resume: {statuses: [BLOCKED], backoff: 1h}}\n"
    address = Address(Kind.SCHEDULE, "full")
    assert loaded({"cdsync.yaml": settings, "a.yaml": EVERYTHING}).desired.resources == {
        address: Schedule(
            address=address,
            work=Work(
                action="salesnavigator-search-people",
                inputs=({"url": "https://e.com", "custom_data": {"n": 1}},),
                parameters={"max_results": 500},
                identity_mode="managed",
                identity_ids=("8c5bb8a4-2f3e-4a53-9c1b-1f0a5d2e7b60",),
                callback=Callback(
                    url=Reference("env", "HOOK_URL"),
                    headers={
                        "Authorization": Reference("file", "token.txt"),
                        "X-A": "1",
                        "X-B": Reference("credential", "hook"),
                    },
                    on="final",
                ),
            ),
            cron="0 9 * * 1-5",
            timezone="Europe/Paris",
            state="paused",
            first_fire="immediate",
            protect=True,
            was="old-name",
            resume=ResumePolicy(statuses=("BLOCKED",), attempts=9, backoff=timedelta(hours=1)),
            location=SourceLocation(file="a.yaml", line=2, column=3),
        )
    }


def test_a_run_is_launched_when_it_says(loaded: Loaded) -> None:
    """`schedule_at` keeps its offset, and `resume: never` means never."""
    text = RUN + "    schedule_at: 2026-12-01T08:00:00+01:00\n    resume: never\n"
    (run,) = loaded({"a.yaml": text}).desired.resources.values()
    assert isinstance(run, OneOffRun)
    assert run.schedule_at == datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert run.schedule_at.utcoffset() == timedelta(hours=1)
    assert run.resume == NEVER_RESUME


def test_a_time_is_taken_to_the_second(loaded: Loaded) -> None:
    """A fraction is not sent and not shown again, so that it would only hide what was launched."""
    text = RUN + "    schedule_at: 2026-12-01T08:00:00.987+01:00\n"
    (run,) = loaded({"a.yaml": text}).desired.resources.values()
    assert isinstance(run, OneOffRun)
    assert run.schedule_at == datetime(2026, 12, 1, 7, tzinfo=UTC)


def test_defaults_reach_the_kinds_that_know_the_field(loaded: Loaded) -> None:
    """A default is taken where it has a meaning, is overridden whole, and stays in its file."""
    one = (
        "defaults: {cron: '0 9 * * *', mode: live, timezone: Asia/Tokyo, parameters: {a: 1, b: 2}, action: act,\n"
        "           callback: {url: https://e.com}}\n"
        "schedules:\n  s: {inputs: [{}]}\n  t: {inputs: [{}], parameters: {c: 3}, callback: null}\n"
        "runs:\n  r: {inputs: [{}]}\n  a: {inputs: [{}, {}], mode: async}\n"
    )
    two = "schedules:\n  u: {action: b, cron: '0 8 * * *', inputs: [{}]}\n"
    resources = loaded({"one.yaml": one, "two.yaml": two}).desired.resources
    shown = {
        str(address): (resource.timezone, resource.work.parameters, resource.work.callback is not None)
        for address, resource in resources.items()
    }
    assert shown == {
        "run/a": ("Asia/Tokyo", {"a": 1, "b": 2}, True),
        "run/r": ("Asia/Tokyo", {"a": 1, "b": 2}, False),
        "schedule/s": ("Asia/Tokyo", {"a": 1, "b": 2}, True),
        "schedule/t": ("Asia/Tokyo", {"c": 3}, False),
        "schedule/u": ("UTC", {}, False),
    }


def test_a_default_time_is_not_for_live_runs(loaded: Loaded) -> None:
    """A run that says `mode: live` itself does not take a `schedule_at` that was meant for the others."""
    text = "defaults: {schedule_at: 2030-01-01T00:00:00Z}\nruns:\n  x: {action: a, mode: live, inputs: [{}]}\n"
    (run,) = loaded({"a.yaml": text}).desired.resources.values()
    assert isinstance(run, OneOffRun)
    assert run.schedule_at is None


def test_a_default_mode_does_not_swallow_a_time(refused: Refused) -> None:
    """Defaults that contradict each other are refused at the run, never resolved by dropping the time."""
    text = "defaults: {mode: live, schedule_at: 2030-01-01T00:00:00Z}\nruns:\n  x: {action: a, inputs: [{}]}\n"
    assert refused({"a.yaml": text}) == [
        "a.yaml:3:3: run/x: schedule_at has no meaning for mode live, which is launched at once; expected mode async"
    ]


def test_an_absent_schedule_needs_no_inputs(loaded: Loaded) -> None:
    """What must not exist needs not say what it would do."""
    text = "schedules:\n  x: {action: a, cron: '0 9 * * *', state: absent}\n"
    (schedule,) = loaded({"a.yaml": text}).desired.resources.values()
    assert schedule.work.inputs == ()


def test_a_schedule_and_a_run_may_share_a_name(loaded: Loaded) -> None:
    """Names are unique per kind; resources come sorted by address."""
    text = "schedules:\n  x: {action: a, cron: '0 9 * * *', inputs: [{}]}\nruns:\n  x: {action: a, inputs: [{}]}\n"
    assert [str(address) for address in loaded({"a.yaml": text}).desired.resources] == ["run/x", "schedule/x"]


def test_empty_sections_declare_nothing(loaded: Loaded) -> None:
    """A file whose sections are all commented out is as good as none."""
    files = {"a.yaml": "defaults:\nschedules:\n# x: {}\nruns:\n", "b.yaml": "", "c.yaml": "# nothing\n"}
    assert loaded(files).desired.resources == {}


def test_callbacks_to_loopback_need_no_tls(loaded: Loaded) -> None:
    """Plain http stays on this machine, for the simulator and for tests."""
    for url in ("http://localhost:8080/x", "http://127.0.0.1/x", "http://[::1]:9/x"):
        assert loaded({"a.yaml": SCHEDULE + f'    callback: {{url: "{url}"}}\n'}).desired.resources


def test_no_message_shows_what_a_callback_holds(refused: Refused) -> None:
    """Whatever is wrong around a secret, it is not in the message."""
    canary = "c4n4ry"
    for callback in (
        canary,
        f"[{canary}]",
        f"{{url: {canary}}}",
        f"{{url: http://e.com/{canary}}}",
        f"{{url: {{env: {canary}-x}}}}",
        f"{{url: {{{canary}: x}}}}",
        f"{{url: https://e.com, headers: {canary}}}",
        f"{{url: https://e.com, headers: [{canary}]}}",
        f"{{url: https://e.com, headers: {{A: [{canary}]}}}}",
        f"{{url: https://e.com, headers: {{A: {{{canary}: x}}}}}}",
        f"{{url: https://e.com, headers: {{A: {{env: 1{canary}}}}}}}",
        f"{{url: https://e.com, headers: {{A {canary}: x}}}}",
        f"{{url: https://e.com, header: {{A: {canary}}}}}",
        f'{{url: https://e.com, headers: {{A: "{canary}\\n"}}}}',
        f"{{url: https://e.com, headers: {{A: !x {canary}}}}}",
        f"{{url: https://e.com, headers: {{A: *{canary}}}}}",
        f"{{url: https://e.com, headers: {{A: @{canary}}}}}",
    ):
        messages = refused({"a.yaml": SCHEDULE + f"    callback: {callback}\n"})
        assert messages
        assert canary not in "\n".join(messages), callback


@pytest.mark.parametrize("url", ["https://[::1", "https://e.com:99999/", "https:///path", "https://e.com/a b", "e.com"])
def test_a_text_that_is_no_url_is_refused(refused: Refused, url: str) -> None:
    """What no client could call is told before anything is paid for."""
    assert refused({"a.yaml": SCHEDULE + f'    callback: {{url: "{url}"}}\n'}) == [
        "a.yaml:6:21: schedule/x: callback.url is no URL; expected one such as https://hooks.example.com/path"
    ]
