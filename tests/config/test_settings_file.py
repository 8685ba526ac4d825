"""The settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from cdsync.config import load_settings
from cdsync.core.model import NEVER_RESUME, ResumePolicy
from cdsync.core.policy import Limit, Policy, PruneMode
from cdsync.core.urls import Endpoint
from cdsync.core.work import Reference
from cdsync.errors import ConfigError
from cdsync.settings import ApiSettings, DaemonSettings, Settings, Subscription, default_results, default_state

Files = Mapping[str, str | bytes]
Refused = Callable[[Files], list[str]]
RootOf = Callable[[Files], Path]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"cdsync.yaml": "- a\n"},
            [
                (
                    "cdsync.yaml:1:1: the document is a list; "
                    "expected the keys api, owner, policy, daemon, state, results and notify"
                )
            ],
            id="settings_that_are_a_list",
        ),
        pytest.param(
            {"cdsync.yaml": "api: {key: sk-s3cr3t}\n"},
            [
                (
                    "cdsync.yaml:1:12: api.key is wrong (its value is not shown); expected a reference: "
                    "{env: NAME}, {file: PATH} or {credential: NAME}; never the value itself"
                )
            ],
            id="a_key_written_down",
        ),
        pytest.param(
            {"cdsync.yaml": "api: {key: {env: sk-s3cr3t}}\n"},
            [
                (
                    "cdsync.yaml:1:18: api.key.env is wrong (its value is not shown); expected the name of "
                    "an environment variable"
                )
            ],
            id="a_key_written_into_the_reference",
        ),
        pytest.param(
            {"cdsync.yaml": "api: {key: {env: A, file: b}}\n"},
            [
                (
                    "cdsync.yaml:1:12: api.key is an object; expected a reference: {env: NAME}, {file: PATH} "
                    "or {credential: NAME}; never the value itself"
                )
            ],
            id="a_key_reference_of_two_kinds",
        ),
        pytest.param(
            {"cdsync.yaml": "api: {key: 0123}\n"},
            [
                (
                    "cdsync.yaml:1:12: this value starts with a zero, which YAML 1.1 reads as octal; put it "
                    "in quotes to keep it as a text"
                )
            ],
            id="a_key_as_a_number",
        ),
        pytest.param(
            {"cdsync.yaml": "api: sk-s3cr3t\n"},
            ["cdsync.yaml:1:6: api is a text; expected the keys of api, such as base_url and key"],
            id="api_as_a_text",
        ),
        pytest.param(
            {"cdsync.yaml": "polcy: {}\napi: {base_ur: x}\n"},
            [
                "cdsync.yaml:1:1: unknown key 'polcy'; did you mean 'policy'?",
                "cdsync.yaml:2:7: unknown key 'base_ur' in api; did you mean 'base_url'?",
            ],
            id="a_misspelt_setting",
        ),
        pytest.param(
            {"cdsync.yaml": "api: {base_url: http://api.captaindata.com}\n"},
            [
                (
                    "cdsync.yaml:1:17: api.base_url is http://api.captaindata.com; expected https, or plain "
                    "http to loopback only"
                )
            ],
            id="a_base_url_over_http",
        ),
        pytest.param(
            {"cdsync.yaml": "api: {base_url: 'https://e.com?x=1'}\n"},
            ["cdsync.yaml:1:17: api.base_url is a URL with a query or fragment; expected none"],
            id="a_base_url_with_a_query",
        ),
        pytest.param(
            {"cdsync.yaml": "api: {dialect: v4}\n"},
            ["cdsync.yaml:1:16: api.dialect is 'v4'; expected auto, manage or rest"],
            id="an_unknown_dialect",
        ),
        pytest.param(
            {"cdsync.yaml": "api: {prefix: /v4/}\n"},
            [("cdsync.yaml:1:15: api.prefix is '/v4/'; expected a path such as /v4, without a slash at its end")],
            id="a_prefix_with_a_slash_at_its_end",
        ),
        pytest.param(
            {"cdsync.yaml": "api: {requests_per_minute: 0, timeout: 30, settle: 1h30m}\ndaemon: {interval: 0s}\n"},
            [
                "cdsync.yaml:1:28: api.requests_per_minute is 0; expected a whole number from 1 to 10000",
                ("cdsync.yaml:1:40: api.timeout is 30; expected a duration of at least 1s, such as 30s, 5m, 2h or 1d"),
                "cdsync.yaml:1:52: api.settle is '1h30m'; expected a duration such as 30s, 5m, 2h or 1d",
                (
                    "cdsync.yaml:2:20: daemon.interval is '0s'; expected a duration of at least 1s, such as "
                    "30s, 5m, 2h or 1d"
                ),
            ],
            id="numbers_out_of_range",
        ),
        pytest.param(
            {"cdsync.yaml": "policy: {max_removals: 101%, max_changes: -1}\n"},
            [
                "cdsync.yaml:1:24: policy.max_removals is '101%'; expected a share from 0% to 100%",
                "cdsync.yaml:1:43: policy.max_changes is -1; expected a count of 0 or more",
            ],
            id="limits_out_of_range",
        ),
        pytest.param(
            {"cdsync.yaml": "owner: Growth Team\n"},
            [
                (
                    "cdsync.yaml:1:8: owner is 'Growth Team'; expected a label of at most 64 letters a-z, "
                    "digits, dots, underscores and dashes, starting with a letter or digit"
                )
            ],
            id="an_owner_with_capitals",
        ),
        pytest.param(
            {"cdsync.yaml": "policy: {prune: {mode: remove, grace: soon}}\n"},
            [
                "cdsync.yaml:1:24: policy.prune.mode is 'remove'; expected delete, pause or keep",
                ("cdsync.yaml:1:39: policy.prune.grace is 'soon'; expected a duration such as 30s, 5m, 2h or 1d"),
            ],
            id="an_unknown_prune_mode",
        ),
        pytest.param(
            {"cdsync.yaml": "policy: {resume: {statuses: [FAILED]}}\n"},
            ["cdsync.yaml:1:30: policy.resume.statuses[0] is 'FAILED'; expected STOPPED or BLOCKED"],
            id="a_policy_that_resumes_failed_runs",
        ),
        pytest.param(
            {"cdsync.yaml": "state: ../state.db\n"},
            [
                (
                    "cdsync.yaml:1:8: state is '../state.db', which leads outside the config root; expected "
                    "a path relative to the config root, below it"
                )
            ],
            id="a_state_outside_of_the_root",
        ),
        pytest.param(
            {"cdsync.yaml": "state: /var/lib/state.db\n"},
            [
                (
                    "cdsync.yaml:1:8: state is '/var/lib/state.db', which leads outside the config root; "
                    "expected a path relative to the config root, below it"
                )
            ],
            id="a_state_by_absolute_path",
        ),
        pytest.param(
            {"cdsync.yaml": "state: .\n"},
            [
                (
                    "cdsync.yaml:1:8: state is '.', which is a folder; expected a path relative to the "
                    "config root, below it"
                )
            ],
            id="a_state_that_is_a_folder",
        ),
        pytest.param(
            {"cdsync.yaml": "daemon: {listen: 9464, token: s3cr3t}\n"},
            [
                "cdsync.yaml:1:18: daemon.listen is 9464; expected HOST:PORT, such as 127.0.0.1:9464",
                (
                    "cdsync.yaml:1:31: daemon.token is wrong (its value is not shown); expected a reference: "
                    "{env: NAME}, {file: PATH} or {credential: NAME}; never the value itself"
                ),
            ],
            id="a_listener_that_is_a_number_and_a_token_written_down",
        ),
        pytest.param(
            {"cdsync.yaml": "daemon: {listen: 'localhost:99999'}\n"},
            ["cdsync.yaml:1:18: daemon.listen is 'localhost:99999'; expected HOST:PORT, such as 127.0.0.1:9464"],
            id="a_port_that_is_none",
        ),
        pytest.param(
            {"cdsync.yaml": "daemon: {listen: '0.0.0.0:9464'}\n"},
            [
                (
                    "cdsync.yaml:1:18: daemon.listen is '0.0.0.0:9464', which others can reach; expected a loopback "
                    "address such as 127.0.0.1, or daemon.token beside it"
                )
            ],
            id="a_listener_that_others_reach_without_a_token",
        ),
        pytest.param(
            {"cdsync.yaml": "notify: [{url: 'http://hooks.example.com/s3cr3t'}, {on: [drift]}, {url: 7, on: [all]}]\n"},
            [
                "cdsync.yaml:1:52: notify[1] has no 'url'; expected an https URL or a reference to one; plain http "
                "only for loopback",
                "cdsync.yaml:1:73: notify[2].url is wrong (its value is not shown); expected an https URL or a "
                "reference to one; plain http only for loopback",
                "cdsync.yaml:1:81: notify[2].on[0] is 'all'; expected failed, attention, drift or applied",
            ],
            id="targets_that_are_none",
        ),
        pytest.param(
            {"cdsync.yaml": "notify: [{url: 'http://hooks.example.com/s3cr3t'}]\n"},
            [
                "cdsync.yaml:1:16: notify[0].url is http://hooks.example.com; expected https, or plain http to "
                "loopback only"
            ],
            id="a_target_over_http",
        ),
    ],
)
def test_wrong_settings_are_refused(refused: Refused, files: Mapping[str, str | bytes], expected: list[str]) -> None:
    """Each fault of the settings is told with place, value and what was expected; a key is never echoed."""
    assert refused(files) == expected


EVERYTHING = """\
api:
  base_url: http://127.0.0.1:8080/
  dialect: rest
  prefix: /v1
  key: {credential: cd-key}
  requests_per_minute: 30
  timeout: 2m
  settle: 0s
owner: growth.team-1
policy:
  prune: {mode: pause, grace: 2h}
  max_removals: 0
  max_changes: 12.5%
  resume: {statuses: [STOPPED, BLOCKED], attempts: 1, backoff: 1d}
daemon:
  interval: 5m
  listen: "[::1]:9464"
  token: {file: token}
  webhook_secret: {credential: hook}
notify:
  - url: https://hooks.example.com/abc
  - url: {env: SLACK}
    on: [applied, drift]
state: data/cdsync.db
results: data/rows
"""


def test_every_setting_arrives(root_of: RootOf) -> None:
    """Nothing that is set is lost; a count means just that many, only a share is never less than its minimum."""
    root = root_of({"cdsync.yaml": EVERYTHING})
    assert load_settings(root) == Settings(
        root=root,
        api=ApiSettings(
            base_url="http://127.0.0.1:8080",
            dialect="rest",
            prefix="/v1",
            key=Reference("credential", "cd-key"),
            requests_per_minute=30,
            timeout=timedelta(minutes=2),
            settle=timedelta(0),
        ),
        policy=Policy(
            owner="growth.team-1",
            prune=PruneMode.PAUSE,
            grace=timedelta(hours=2),
            settle=timedelta(0),
            max_removals=Limit(count=0, always=1),
            max_changes=Limit(share=0.125, always=10),
            resume=ResumePolicy(statuses=("STOPPED", "BLOCKED"), attempts=1, backoff=timedelta(days=1)),
        ),
        daemon=DaemonSettings(
            interval=timedelta(minutes=5),
            listen=Endpoint("::1", 9464),
            token=Reference("file", "token"),
            webhook_secret=Reference("credential", "hook"),
        ),
        notify=(
            Subscription(url="https://hooks.example.com/abc"),
            Subscription(url=Reference("env", "SLACK"), on=("drift", "applied")),
        ),
        state=root / "data" / "cdsync.db",
        results=root / "data" / "rows",
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "api:\npolicy:\ndaemon:\n", "{}", "policy: {prune: }"])
def test_an_empty_file_means_the_defaults(root_of: RootOf, text: str) -> None:
    """All keys are optional, and a section whose keys are commented out is as good as none."""
    root = root_of({"cdsync.yaml": text})
    assert load_settings(root) == Settings(root=root, state=default_state(root), results=default_results(root))


def test_resume_never(root_of: RootOf) -> None:
    """`resume: never` is a policy of its own."""
    assert load_settings(root_of({"cdsync.yaml": "policy: {resume: never}"})).policy.resume == NEVER_RESUME


def test_the_root_is_absolute(root_of: RootOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings hold when the process moves to another folder."""
    root = root_of({})
    monkeypatch.chdir(root.parent)
    assert load_settings(Path("root")) == Settings(root=root, state=default_state(root), results=default_results(root))


def test_a_state_behind_a_link_that_leaves_the_root_is_refused(root_of: RootOf, tmp_path: Path) -> None:
    """The state is below the root in fact, not only in its spelling."""
    root = root_of({"cdsync.yaml": "state: link/state.db\n"})
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match=r"^cdsync\.yaml:1:8: state is 'link/state\.db', which leads outside"):
        load_settings(root)


def test_settings_are_read_even_if_resources_are_wrong(root_of: RootOf) -> None:
    """A command that needs only the settings is not stopped by a resource file."""
    root = root_of({"cdsync.yaml": "owner: a\n", "b.yaml": "runs: ["})
    assert load_settings(root).policy.owner == "a"


def test_no_message_shows_what_a_key_may_be(refused: Refused) -> None:
    """Wherever a key was written by mistake, it is not in the message."""
    canary = "c4n4ry"
    for text in (
        f"api: {canary}",
        f"api: {{key: {canary}}}",
        f"api: {{key: [{canary}]}}",
        f"api: {{key: {{env: {canary}-x}}}}",
        f"api: {{key: {{{canary}: }}}}",
        f"api: {{key: {{{canary}: x, env: A}}}}",
        f"api: {{base_url: 'https://{canary}@e.com'}}",
        f"api: {{base_url: 'https://e.com?{canary}'}}",
    ):
        messages = refused({"cdsync.yaml": text})
        assert messages
        assert canary not in "\n".join(messages), text
