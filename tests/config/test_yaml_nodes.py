"""Reading YAML: what is refused, where, with which advice, and that all else means what it says."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cdsync.config import Configuration
from cdsync.config.yaml_nodes import read_tree
from cdsync.core.model import Address, Kind

Loaded = Callable[[Mapping[str, str | bytes]], Configuration]
Refused = Callable[[Mapping[str, str | bytes]], list[str]]


SCHEDULE = 'schedules:\n  x:\n    action: act\n    cron: "0 9 * * *"\n    inputs: [{u: x}]\n'
WITHOUT_CRON = "schedules:\n  x:\n    action: act\n    inputs: [{u: x}]\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"a.yaml": WITHOUT_CRON + "    cron: */15 * * * *\n"},
            [
                (
                    "a.yaml:5:12: an unquoted text starts with '*' or '&'; put it in quotes, such as cron: "
                    '"*/15 * * * *"'
                )
            ],
            id="an_unquoted_star_is_told_to_be_quoted",
        ),
        pytest.param(
            {"a.yaml": WITHOUT_CRON + "    cron: @daily\n"},
            ["a.yaml:5:11: a text cannot start with '@' unless it is in quotes"],
            id="an_unquoted_macro_is_told_to_be_quoted",
        ),
        pytest.param(
            {"a.yaml": "schedules:\n\tx:\n"},
            ["a.yaml:2:1: a tab indents this line; expected spaces"],
            id="a_tab_that_indents",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: *gone\n"},
            [
                (
                    "a.yaml:6:17: an alias ('*name') without its anchor ('&name') above it; a text that "
                    "starts with '*' must be in quotes"
                )
            ],
            id="an_alias_without_anchor",
        ),
        pytest.param(
            {"a.yaml": "defaults: &a\n  timezone: UTC\nruns: &a\n"},
            ["a.yaml:3:7: an anchor ('&name') that was already set above; expected another name"],
            id="an_anchor_set_twice",
        ),
        pytest.param(
            {"a.yaml": "schedules: [1, 2\nruns: {}\n"},
            ["a.yaml:1:12: a list is not closed; expected ',' or ']' before the next line or key"],
            id="a_list_left_open",
        ),
        pytest.param(
            {"a.yaml": "schedules: {a: 1\n"},
            ["a.yaml:1:12: an object is not closed; expected ',' or '}' before the next line or key"],
            id="an_object_left_open",
        ),
        pytest.param(
            {"a.yaml": "schedules:\n  x: 'open\n"},
            ["a.yaml:2:6: the text that begins here is not closed; expected a quote at its end"],
            id="a_quote_left_open",
        ),
        pytest.param(
            {"a.yaml": "schedules:\n  x: a: b\n"},
            [
                (
                    "a.yaml:2:7: a ': ' that starts no value here; put a text that holds ': ' in quotes, or "
                    "check the indentation"
                )
            ],
            id="a_colon_in_a_plain_text",
        ),
        pytest.param(
            {"a.yaml": "schedules:\n  x:\n    action: a\n   cron: b\n"},
            [("a.yaml:4:4: no key was found here; check indentation and quotes, also those of the line above")],
            id="indentation_that_fits_no_level",
        ),
        pytest.param(
            {"a.yaml": "schedules: {}\nruns\n"},
            ["a.yaml:2:1: a key without ':'; expected KEY: VALUE"],
            id="a_key_without_colon",
        ),
        pytest.param(
            {"a.yaml": "schedules: ]\n"},
            ["a.yaml:1:12: no value was found here; check for a bracket too many, or one not closed"],
            id="a_bracket_too_many",
        ),
        pytest.param(
            {"a.yaml": "  schedules: {}\nruns: {}\n"},
            [
                (
                    "a.yaml:2:1: text after the end of the document; check that all keys of one level have "
                    "the same indentation"
                )
            ],
            id="a_top_level_that_moves_left",
        ),
        pytest.param(
            {"a.yaml": 'schedules: {x: "\\q"}\n'},
            [("a.yaml:1:17: an unknown escape in double quotes; write '\\\\' for one backslash, or use single quotes")],
            id="an_unknown_escape",
        ),
        pytest.param(
            {"a.yaml": "schedules: |x\n"},
            [
                (
                    "a.yaml:1:13: the YAML cannot be read while scanning a block scalar: did not find "
                    "expected comment or line break"
                )
            ],
            id="a_block_text_with_a_wrong_header",
        ),
        pytest.param(
            {"a.yaml": "runs: {}\n---\nruns: {}\n"},
            ["a.yaml:2:1: a second document ('---') begins here; expected one document in a file"],
            id="two_documents_in_a_file",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + '    parameters: {a: !!python/object/apply:os.system ["true"]}\n'},
            [
                (
                    "a.yaml:6:21: schedule/x: a tag ('!...') is not supported; remove it, and put a text "
                    "that starts with '!' in quotes"
                )
            ],
            id="a_tag_of_python",
        ),
        pytest.param(
            {"a.yaml": "runs: !e!x {}\n"},
            [("a.yaml:1:7: a tag ('!...') is not supported; a text that starts with '!' must be in quotes")],
            id="a_tag_of_an_unknown_handle",
        ),
        pytest.param(
            {"a.yaml": "runs: {} # \x01\n"},
            [("a.yaml:1:12: U+0001 is not allowed in YAML; remove it, or write it as an escape in double quotes")],
            id="a_control_character",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    action: other\n"},
            ["a.yaml:6:5: schedule/x: duplicate key 'action'; it is already set at line 3, column 5"],
            id="a_duplicate_key",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {[a]: 1}\n"},
            ["a.yaml:6:18: schedule/x: a key that is a list or an object; expected a text"],
            id="a_key_that_is_a_list",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {? : 1}\n"},
            ["a.yaml:6:20: schedule/x: a ':' without a key before it; expected KEY: VALUE"],
            id="a_colon_without_key",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {<<: 3}\n"},
            ["a.yaml:6:22: schedule/x: '<<' merges objects only; expected an alias such as *name"],
            id="merging_something_else",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: &p {inner: [*p]}\n"},
            ["a.yaml:6:17: schedule/x: an anchor that contains itself; expected an alias outside of it"],
            id="an_anchor_that_contains_itself",
        ),
        pytest.param(
            {
                "a.yaml": "defaults:\n  parameters:\n    a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
                + "".join(f"    a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
            },
            ["a.yaml:7:9: aliases repeat more than 1,000,000 values; expected fewer"],
            id="anchors_that_explode",
        ),
        pytest.param(
            {"a.yaml": "runs: " + "[" * 5000 + "\n"},
            ["a.yaml:1:106: nested deeper than 100 levels"],
            id="nesting_without_end",
        ),
        pytest.param(
            {
                "a.yaml": SCHEDULE
                + "    parameters:\n      a: &a "
                + "[" * 60
                + "]" * 60
                + "\n      b: "
                + "[" * 60
                + "*a"
                + "]" * 60
                + "\n"
            },
            ["a.yaml:7:10: nested deeper than 100 levels, through aliases"],
            id="nesting_without_end_through_aliases",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: yes}\n"},
            [
                (
                    "a.yaml:6:25: schedule/x: yes is a boolean to YAML 1.1 and a text to YAML 1.2; write "
                    "true or false, or put it in quotes"
                )
            ],
            id="a_plain_yes",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: Off}\n"},
            [
                (
                    "a.yaml:6:25: schedule/x: Off is a boolean to YAML 1.1 and a text to YAML 1.2; write "
                    "true or false, or put it in quotes"
                )
            ],
            id="a_plain_off",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: 12:30}\n"},
            [
                (
                    "a.yaml:6:25: schedule/x: 12:30 is a number of base 60 to YAML 1.1; put it in quotes to "
                    "keep it as a text"
                )
            ],
            id="a_plain_sexagesimal",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: 0123}\n"},
            [
                (
                    "a.yaml:6:25: schedule/x: 0123 starts with a zero, which YAML 1.1 reads as octal; put it "
                    "in quotes to keep it as a text"
                )
            ],
            id="a_plain_leading_zero",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: 1_000}\n"},
            [
                (
                    "a.yaml:6:25: schedule/x: 1_000 is a number to YAML 1.1 and a text to YAML 1.2; write it "
                    "without underscores, or put it in quotes"
                )
            ],
            id="a_plain_underscores",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: 0x1F}\n"},
            [("a.yaml:6:25: schedule/x: 0x1F is a number of another base; write it in base 10, or put it in quotes")],
            id="a_plain_hexadecimal",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: -.inf}\n"},
            [("a.yaml:6:25: schedule/x: -.inf is no number of JSON; expected a finite number, or a text in quotes")],
            id="a_plain_infinity",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: .NaN}\n"},
            [("a.yaml:6:25: schedule/x: .NaN is no number of JSON; expected a finite number, or a text in quotes")],
            id="a_plain_not_a_number",
        ),
        *[
            pytest.param(
                {"a.yaml": SCHEDULE + f"    parameters: {{value: {text}}}\n"},
                [
                    (
                        f"a.yaml:6:25: schedule/x: {text} is a text to YAML 1.1 and a number to YAML 1.2; "
                        "write 1.0e+3 for 1e3, or put it in quotes"
                    )
                ],
                id=f"the_bare_exponent_{text}",
            )
            for text in ("0E0", "12e45", "1.5e3")
        ],
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: 1e999}\n"},
            [("a.yaml:6:25: schedule/x: 1e999 is a number too large for JSON; put it in quotes to keep it as a text")],
            id="a_plain_too_large",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    parameters: {value: " + "9" * 400 + "}\n"},
            [
                (
                    "a.yaml:6:25: schedule/x: 999999999999999999999999999999999999999999999999999999999... "
                    "is a number too long for JSON; put it in quotes to keep it as a text"
                )
            ],
            id="an_integer_of_400_digits",
        ),
        pytest.param(
            {"a.yaml": SCHEDULE + "    callback: {url: https://e.com, headers: {X-Pin: 0123456}}\n"},
            [
                (
                    "a.yaml:6:53: schedule/x: this value starts with a zero, which YAML 1.1 reads as octal; "
                    "put it in quotes to keep it as a text"
                )
            ],
            id="a_plain_scalar_in_a_secret_place",
        ),
    ],
)
def test_yaml_that_may_be_misread_is_refused_with_advice(
    refused: Refused, files: Mapping[str, str | bytes], expected: list[str]
) -> None:
    """What YAML cannot say, or says differently to different readers, is refused at its place with the way out."""
    assert refused(files) == expected


ORDINARY = """\
text: plain words, with 'quotes' inside
quoted: "tab\\tand \\u00e9"
single: 'it''s'
integer: 42
negative: -7
zero: 0
float: 2.5
exponent: 1.5e+3
yes_of_json: true
no_of_json: False
nothing: ~
empty:
url: https://example.com/a?b=c&d=e#f
folded: >
  one
  two
literal: |
  one
  two
flow: {a: [1, 2.0, "3"], b: {}}
nested:
  - - deep
    - deeper
  - key: value
anchored: &anchor {a: 1, b: [2]}
again: *anchor
merged: {<<: *anchor, b: 3}
merged_of_two: {<<: [*anchor, {c: 4}]}
colon_in_word: 12:3x
star_quoted: "*/15 * * * *"
unicode: žluťoučký 🐎
"""


def test_ordinary_documents_mean_what_they_mean_to_everybody() -> None:
    """A document without surprises has the value that PyYAML gives it."""
    assert read_tree("a.yaml", ORDINARY).value == yaml.load(ORDINARY, yaml.CSafeLoader)


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), max_size=20)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_what_was_dumped_is_read_back(value: object) -> None:
    """Any value of JSON that PyYAML writes is read with the same value."""
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, default_style='"', width=10**6)
    bare = yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, width=10**6)
    # Quoted through and through, PyYAML marks what is no text with a tag; bare, it quotes what YAML 1.1 needs quoted.
    for written in (bare,) if "!!" in text else (bare, text):
        tree = read_tree("a.yaml", written)
        if not tree.problems:
            assert tree.value == yaml.load(written, yaml.CSafeLoader)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *[
            (text, text)
            for text in ("2026-12-01", "2026-12-01T08:00:00+01:00", "1.2.3", "1,000", "=", "nullify", "1 3")
        ],
        *[("null", None), ("NULL", None), ("TRUE", True), ("false", False)],
        *[("+3", 3), ("-0", 0), ("1.0e+3", 1000.0), (".5", 0.5), ("5.", 5.0)],
    ],
)
def test_plain_scalars_follow_the_core_schema(written: str, value: object) -> None:
    """A plain scalar is what YAML 1.2 says it is; an instant stays the text that was written."""
    read: Any = read_tree("a.yaml", f"key: {written}\n").value
    assert (read["key"], type(read["key"])) == (value, type(value))


def test_keys_are_the_texts_that_were_written() -> None:
    """No key is ever a boolean or a number, so `on:` can be a field of the API."""
    tree = read_tree("a.yaml", "on: 1\n12:30: 2\n0x1: 3\nnull: 4\n'quoted': 5\n")
    assert tree.problems == ()
    assert tree.value == {"on": 1, "12:30": 2, "0x1": 3, "null": 4, "quoted": 5}


def test_places_count_characters_not_bytes() -> None:
    """Line and column are those that an editor shows, after accents and a byte-order mark too."""
    tree = read_tree("a.yaml", "\u00e9\u00e9: x\nruns: {\u017e: {a: 1}}\n")
    assert tree.place(("runs", "\u017e", "a")) == (2, 15)
    assert tree.place(("runs", "\u017e"), at_key=True) == (2, 8)


def test_a_merged_field_has_the_place_where_it_was_written() -> None:
    """A fault of a merged field is shown at the anchor that it came from."""
    tree = read_tree("a.yaml", "base: &b {cron: x}\nruns:\n  r: {<<: *b, own: 1}\n")
    assert tree.place(("runs", "r", "cron")) == (1, 17)


def test_anchors_serve_as_in_any_yaml(loaded: Loaded) -> None:
    """An anchored callback can be shared by many resources, and overridden by one."""
    text = (
        "defaults:\n  callback: &hook {url: https://e.com/a, on: final}\n"
        "schedules:\n"
        "  x: &x {action: a, cron: '0 9 * * *', inputs: [{}], callback: *hook}\n"
        "  y: {<<: *x, callback: {<<: *hook, on: all}}\n"
    )
    resources = loaded({"a.yaml": text}).desired.resources
    callbacks = [resources[Address(Kind.SCHEDULE, name)].work.callback for name in ("x", "y")]
    assert [callback and (callback.url, callback.on) for callback in callbacks] == [
        ("https://e.com/a", "final"),
        ("https://e.com/a", "all"),
    ]


def test_merges_of_merges_are_bounded() -> None:
    """Merges that double at each level are looked up once each, and refused where they explode."""
    lines = ["a0: &a0 {k0: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], k{i}: 1}}" for i in range(1, 40)]
    assert read_tree("a.yaml", "\n".join(lines[:16]) + "\n").place(("a15", "k0")) == (1, 14)
    assert read_tree("a.yaml", "\n".join(lines) + "\n").problems[0].message == (
        "aliases repeat more than 1,000,000 values; expected fewer"
    )


def test_an_object_that_merges_itself_is_refused() -> None:
    """A merge that leads to itself ends in a message, also when its place is looked up."""
    tree = read_tree("a.yaml", "a: &a {<<: *a, b: 1}\n")
    assert tree.place(("a", "c")) == (1, 4)
    assert [problem.message for problem in tree.problems] == [
        "an anchor that contains itself; expected an alias outside of it",
        "'<<' merges objects only; expected an alias such as *name",
    ]


def test_a_long_text_repeated_by_aliases_is_refused() -> None:
    """A text of a megabyte under a thousand aliases would be a gigabyte once written out."""
    tree = read_tree("a.yaml", 'long: &l "' + "x" * 1_000_000 + '"\nmany: [' + ", ".join(["*l"] * 1000) + "]\n")
    assert [str(problem) for problem in tree.problems] == [
        "a.yaml:1:7: aliases repeat more than 1,000,000 values; expected fewer"
    ]


def test_the_collector_is_as_it_was_after_loading(loaded: Loaded) -> None:
    """Loading holds the garbage collector, and lets it go again."""
    loaded({})
    assert gc.isenabled()


def test_tags_are_refused_on_every_kind_of_node() -> None:
    """No tag changes what a value is, not even one that seems harmless."""
    tree = read_tree("a.yaml", "a: !!str 1\nb: !!map {}\n!!str c: !!set {x}\n")
    message = "a tag ('!...') is not supported; remove it, and put a text that starts with '!' in quotes"
    assert [str(problem) for problem in tree.problems] == [
        f"a.yaml:{place}: {message}" for place in ("1:4", "2:4", "3:1", "3:10")
    ]


def test_a_value_that_is_written_nowhere_has_the_nearest_place() -> None:
    """A path that leads beyond the document ends at the last part of it that was written."""
    tree = read_tree("a.yaml", "runs:\n  r: {a: [1, 2]}\n")
    assert tree.place(("runs", "r", "a", 7)) == (2, 10)
    assert tree.place(("runs", "r", "gone", "too")) == (2, 6)
    assert read_tree("a.yaml", "").place(("runs",)) == (1, 1)
