"""Files of inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from cdsync.config import Configuration

Loaded = Callable[[Mapping[str, str | bytes]], Configuration]
Refused = Callable[[Mapping[str, str | bytes]], list[str]]


BROKEN_JSONL = "\n".join(
    [
        '{"a": 1}',
        '{"a": }',
        "",
        "[1]",
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        '{"a": "\\ud800"}',
        '{"a": 1e999}',
        '{"a": ' + "9" * 5000 + "}",
        '{"a": ' + "[" * 200 + "]" * 200 + "}",
        "[" * 100_000,
    ]
)


def run_of(reference: str) -> str:
    return f"runs:\n  x:\n    action: act\n    inputs: {{file: {reference}}}\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"a.yaml": run_of("leads.csv")},
            [
                (
                    "a.yaml:4:20: run/x: inputs.file: 'leads.csv' does not exist; looked for leads.csv below "
                    "the config root"
                )
            ],
            id="an_input_file_that_is_missing",
        ),
        pytest.param(
            {"a.yaml": run_of("../leads.csv")},
            [
                (
                    "a.yaml:4:20: run/x: inputs.file: '../leads.csv' leads outside the config root; expected "
                    "a file below it"
                )
            ],
            id="an_input_file_outside_of_the_root",
        ),
        pytest.param(
            {"a.yaml": run_of("/etc/passwd")},
            [("a.yaml:4:20: run/x: inputs.file: '/etc/passwd' is absolute; expected a path relative to this file")],
            id="an_input_file_by_absolute_path",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.xlsx"), "leads.xlsx": ""},
            [
                (
                    "a.yaml:4:20: run/x: inputs.file: 'leads.xlsx' has no known format; expected one of "
                    ".csv, .jsonl, .json, .yaml"
                )
            ],
            id="an_input_file_of_no_known_format",
        ),
        pytest.param(
            {"a.yaml": run_of('"a\\0.csv"')},
            [("a.yaml:4:20: run/x: inputs.file: a path with a NUL character; expected a path relative to this file")],
            id="an_input_file_with_a_nul",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": ""},
            ["leads.csv:1:1: run/x: the first line is empty; expected a header of field names"],
            id="a_csv_without_content",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": "url\n"},
            ["a.yaml:4:13: run/x: inputs is empty; expected at least one"],
            id="a_csv_with_only_a_header",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": "url,\na,b\n"},
            ["leads.csv:1:1: run/x: column 2 of the header has no name; expected a field name"],
            id="a_csv_with_a_nameless_column",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": "url,url\na,b\n"},
            ["leads.csv:1:1: run/x: the header names 'url' twice; expected different field names"],
            id="a_csv_that_names_a_column_twice",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": "url;name\na;b\nc;d,e\n"},
            [
                "leads.csv:1:4: run/x: ';' between the fields; expected commas: "
                "save it as a csv that is separated by commas"
            ],
            id="a_csv_separated_by_semicolons",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": "url\tname\na\tb\n"},
            [
                "leads.csv:1:4: run/x: '\\t' between the fields; expected commas: "
                "save it as a csv that is separated by commas"
            ],
            id="a_csv_separated_by_tabs",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": 'url,name\n"a\nb",c\nd\n\ne,f,g\n'},
            [
                "leads.csv:4:1: run/x: 1 field; expected 2, as in the header",
                "leads.csv:6:1: run/x: 3 fields; expected 2, as in the header",
            ],
            id="a_csv_with_uneven_lines",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": 'url\n"a\n'},
            ["leads.csv:2:1: run/x: the csv cannot be read: unexpected end of data"],
            id="a_csv_with_a_quote_left_open",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": b"url\ncaf\xe9\n"},
            ["leads.csv:2:4: run/x: byte 0xe9 is not UTF-8; save the file as UTF-8"],
            id="a_csv_that_is_not_utf8",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.csv"), "leads.csv": "url\n" + "a,b\n" * 30},
            [
                *[f"leads.csv:{line}:1: run/x: 2 fields; expected 1, as in the header" for line in range(2, 22)],
                "leads.csv:22:1: run/x: this and 9 further lines are faulty as well",
            ],
            id="a_csv_with_thirty_faulty_lines",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.jsonl"), "leads.jsonl": BROKEN_JSONL},
            [
                "leads.jsonl:2:7: run/x: the JSON cannot be read: Expecting value",
                "leads.jsonl:4:1: run/x: no object; expected one JSON object in each line",
                ("leads.jsonl:5:1: run/x: NaN is no number of JSON; expected a finite number, or a text in quotes"),
                "leads.jsonl:6:1: run/x: duplicate key 'a'; expected each key once",
                ("leads.jsonl:7:1: run/x: half a surrogate pair (\\ud800 to \\udfff) is no text; expected both halves"),
                ("leads.jsonl:8:1: run/x: 1e999 is a number too large for JSON; put it in quotes to keep it as a text"),
                ("leads.jsonl:9:1: run/x: a number too long for JSON; put it in quotes to keep it as a text"),
                "leads.jsonl:10:1: run/x: nested deeper than 100 levels",
                "leads.jsonl:11:1: run/x: nested deeper than 100 levels",
            ],
            id="a_jsonl_with_broken_lines",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.json"), "leads.json": '{"a": 1}'},
            ["leads.json:1:1: run/x: expected a JSON array of objects"],
            id="a_json_that_is_an_object",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.json"), "leads.json": "[{}, 3]"},
            ["leads.json:1:1: run/x: item 2 is no object; expected a JSON array of objects"],
            id="a_json_with_a_row_that_is_none",
        ),
        pytest.param(
            {"a.yaml": run_of("leads.json"), "leads.json": '[{},\n {"a" 1}]'},
            ["leads.json:2:7: run/x: the JSON cannot be read: Expecting ':' delimiter"],
            id="a_json_that_is_broken",
        ),
        pytest.param(
            {"a.yaml": run_of("rows.yml"), "rows.yml": "a: 1\n"},
            [
                "rows.yml:1:1: unknown key 'a'; expected one of: defaults, runs, schedules",
                "rows.yml:1:1: run/x: expected a list of objects",
            ],
            id="a_yaml_of_inputs_that_is_an_object",
        ),
        pytest.param(
            {"a.yaml": run_of("rows.yml"), "rows.yml": "- {a: 1}\n- b\n"},
            ["rows.yml:2:3: run/x: item 2 is no object; expected a list of objects"],
            id="a_yaml_of_inputs_with_a_text",
        ),
        pytest.param(
            {"a.yaml": run_of("rows.yml"), "rows.yml": "- {a: yes}\n"},
            [
                (
                    "rows.yml:1:7: yes is a boolean to YAML 1.1 and a text to YAML 1.2; write true or false, "
                    "or put it in quotes"
                )
            ],
            id="a_yaml_of_inputs_with_a_surprise",
        ),
        pytest.param(
            {"a.yaml": run_of(".rows.yml"), ".rows.yml": "- {a: [}\n"},
            [".rows.yml:1:8: no value was found here; check for a bracket too many, or one not closed"],
            id="a_hidden_yaml_of_inputs_that_is_broken",
        ),
    ],
)
def test_a_wrong_file_of_inputs_is_refused(
    refused: Refused, files: Mapping[str, str | bytes], expected: list[str]
) -> None:
    """Each fault of a file of inputs is told at its line, with the resource that uses it."""
    assert refused(files) == expected


def inputs(configuration: Configuration) -> list[object]:
    (resource,) = configuration.desired.resources.values()
    return list(resource.work.inputs)


def test_a_csv_gives_texts_exactly_as_found(loaded: Loaded) -> None:
    """No cell becomes a number or a boolean, loses a space or a leading zero; blank lines are no inputs."""
    text = '\ufeffurl,code,note\r\nhttps://e.com,0012, yes \r\n\r\n"a,""b""","line\nbreak",\r\n'
    assert inputs(loaded({"a.yaml": run_of("sub/leads.csv"), "sub/leads.csv": text})) == [
        {"url": "https://e.com", "code": "0012", "note": " yes "},
        {"url": 'a,"b"', "code": "line\nbreak", "note": ""},
    ]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("rows.jsonl", '{"a": 1, "b": [true, null]}\n\n{"a": "\\u00e9\u2028"}\r\n'),
        ("rows.ndjson", '{"a": 1, "b": [true, null]}\n{"a": "\\u00e9\u2028"}'),
        ("rows.json", '[{"a": 1, "b": [true, null]}, {"a": "\\u00e9\u2028"}]'),
        (".rows.yaml", '- {a: 1, b: [true, null]}\n- a: "\\xe9\\u2028"\n'),
        ("rows.yml", '- {a: 1, b: [true, null]}\n- a: "\\xe9\\u2028"\n'),
    ],
)
def test_each_format_gives_the_same_objects(loaded: Loaded, file: str, text: str) -> None:
    """The format is a matter of taste; a YAML file that serves as inputs is no resource file."""
    configuration = loaded({"a.yaml": run_of(file), file: text})
    assert inputs(configuration) == [{"a": 1, "b": [True, None]}, {"a": "\u00e9\u2028"}]
    assert file in configuration.files


def test_a_path_is_relative_to_its_resource_file(loaded: Loaded) -> None:
    """Resource files of a folder name the files beside them, or above them as long as that is below the root."""
    configuration = loaded({"deep/down/a.yaml": run_of("../rows.json"), "deep/rows.json": "[{}]"})
    assert inputs(configuration) == [{}]


def test_a_file_shared_by_two_runs_is_faulty_once(refused: Refused) -> None:
    """The faults of a shared file are told once, not for each resource that uses it."""
    text = run_of("rows.csv") + "  y: {action: a, inputs: {file: rows.csv}}\n"
    assert refused({"a.yaml": text, "rows.csv": "u\na,b\n"}) == [
        "rows.csv:2:1: run/x: 2 fields; expected 1, as in the header"
    ]


def test_naming_a_resource_file_as_inputs_does_not_undeclare_it(refused: Refused) -> None:
    """A slip of the pen in one file must not make the schedules of another vanish, and be pruned."""
    other = "schedules:\n  s: {action: a, cron: x, inputs: [{}]}\n"
    assert refused({"a.yaml": run_of("b.yaml"), "b.yaml": other}) == [
        "b.yaml:1:1: run/x: expected a list of objects",
        "b.yaml:2:24: schedule/s: cron 'x' has 1 fields; expected five: minute, hour, day of month, month, day of week",
    ]


def test_a_hundred_thousand_inputs_are_the_most(loaded: Loaded, refused: Refused) -> None:
    """A run takes as many inputs as the API does, and not one more."""
    header, row = "u\n", "x\n"
    files = {"a.yaml": run_of("rows.csv"), "rows.csv": header + row * 100_000}
    assert len(inputs(loaded(files))) == 100_000
    assert refused({**files, "rows.csv": header + row * 100_001}) == [
        "a.yaml:4:13: run/x: 100,001 inputs; expected at most 100,000 for a run: split it into several runs"
    ]
