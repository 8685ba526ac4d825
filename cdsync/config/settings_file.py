"""`cdsync.yaml` -> Settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import get_args

from cdsync.config.fields import reference, resume_policy
from cdsync.config.git_settings import git_problems, git_settings
from cdsync.config.places import shortened
from cdsync.config.reading import Files
from cdsync.config.violations import problems_of
from cdsync.config.yaml_nodes import Tree
from cdsync.core.policy import Limit, Policy, PruneMode, parse_duration
from cdsync.core.urls import base_url_fault, is_loopback, parse_endpoint, url_fault
from cdsync.core.work import Json, Reference
from cdsync.errors import Problem
from cdsync.settings import (
    ApiSettings,
    DaemonSettings,
    EventName,
    Settings,
    Subscription,
    default_results,
    default_state,
)

PLACE_EXPECTED = "expected a path relative to the config root, below it"


def settings_problems(tree: Tree, files: Files) -> list[Problem]:
    """What is wrong with the settings, apart from their YAML."""
    found = problems_of("settings", tree, (), tree.value) if tree.value is not None else []
    if found or not isinstance(tree.value, dict):
        return found
    url = _section(tree.value, "api").get("base_url")
    if isinstance(url, str) and (fault := base_url_fault(url)):
        found.append(tree.problem(("api", "base_url"), f"api.base_url is {fault}"))
    found += [*_listen_problems(tree, tree.value), *_notify_problems(tree, tree.value)]
    found += git_problems(tree, _section(_section(tree.value, "daemon"), "git"))
    state = tree.value.get("state")
    if isinstance(state, str) and (fault := _place_fault(state, files)):
        found.append(tree.problem(("state",), f"state is {state!r}, {fault}"))
    elif isinstance(state, str) and files.leads_to(state) == "folder":
        found.append(tree.problem(("state",), f"state is {state!r}, which is a folder; {PLACE_EXPECTED}"))
    results = tree.value.get("results")
    if isinstance(results, str) and (fault := _place_fault(results, files)):
        found.append(tree.problem(("results",), f"results is {results!r}, {fault}"))
    return found


def build_settings(value: Json, root: Path) -> Settings:
    """The settings of a document without problems."""
    document = value if isinstance(value, dict) else {}
    state, results = document.get("state"), document.get("results")
    return Settings(
        root=root,
        api=_api(_section(document, "api")),
        policy=_policy(_section(document, "policy"), document.get("owner"), api=_section(document, "api")),
        daemon=_daemon(_section(document, "daemon"), root),
        notify=_notify(document.get("notify")),
        state=Path(root / state).absolute() if isinstance(state, str) else default_state(root),
        results=Path(root / results).absolute() if isinstance(results, str) else default_results(root),
    )


def _api(section: Mapping[str, Json]) -> ApiSettings:
    usual = ApiSettings()
    key, rate, dialect = section.get("key"), section.get("requests_per_minute"), section.get("dialect")
    return ApiSettings(
        base_url=str(section.get("base_url", usual.base_url)).rstrip("/"),
        dialect=dialect if dialect in ("auto", "manage", "rest") else usual.dialect,
        prefix=str(section.get("prefix", usual.prefix)),
        key=reference(key) if isinstance(key, Mapping) else usual.key,
        requests_per_minute=int(rate) if isinstance(rate, (int, float)) else usual.requests_per_minute,
        timeout=_duration(section, "timeout", usual.timeout),
        settle=_duration(section, "settle", usual.settle),
    )


def _daemon(section: Mapping[str, Json], root: Path) -> DaemonSettings:
    usual = DaemonSettings()
    listen, header = section.get("listen"), section.get("trusted_header")
    return DaemonSettings(
        interval=_duration(section, "interval", usual.interval),
        listen=parse_endpoint(listen) if isinstance(listen, str) else usual.listen,
        token=_reference(section, "token"),
        webhook_secret=_reference(section, "webhook_secret"),
        git=git_settings(section["git"], root) if isinstance(section.get("git"), Mapping) else None,
        refresh=_duration(section, "refresh", usual.refresh),
        trusted_header=header if isinstance(header, str) else usual.trusted_header,
    )


def _listen_problems(tree: Tree, document: Mapping[str, Json]) -> Iterator[Problem]:
    section = _section(document, "daemon")
    listen = section.get("listen")
    if not isinstance(listen, str):
        return
    try:
        host = parse_endpoint(listen).host
    except ValueError:
        message = f"daemon.listen is {shortened(listen)!r}; expected HOST:PORT, such as 127.0.0.1:9464"
        yield tree.problem(("daemon", "listen"), message)
        return
    if not is_loopback(host) and "token" not in section:
        message = (
            f"daemon.listen is {shortened(listen)!r}, which others can reach; expected a loopback address such as "
            "127.0.0.1, or daemon.token beside it"
        )
        yield tree.problem(("daemon", "listen"), message)


def _notify(value: Json) -> tuple[Subscription, ...]:
    return tuple(map(_subscription, _targets(value)))


def _targets(value: Json) -> list[Mapping[str, Json]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _subscription(row: Mapping[str, Json]) -> Subscription:
    url, on = row["url"], row.get("on")
    to = reference(url) if isinstance(url, Mapping) else str(url)
    if not isinstance(on, list):
        return Subscription(url=to)
    return Subscription(url=to, on=tuple(name for name in get_args(EventName) if name in on))


def _notify_problems(tree: Tree, document: Mapping[str, Json]) -> Iterator[Problem]:
    for number, row in enumerate(_targets(document.get("notify"))):
        url = row["url"]
        if isinstance(url, str) and (fault := url_fault(url)):
            yield tree.problem(("notify", number, "url"), f"notify[{number}].url is {fault}")


def _reference(section: Mapping[str, Json], key: str) -> Reference | None:
    value = section.get(key)
    return reference(value) if isinstance(value, Mapping) else None


def _policy(section: Mapping[str, Json], owner: Json, *, api: Mapping[str, Json]) -> Policy:
    usual = Policy()
    prune = _section(section, "prune")
    return Policy(
        owner=str(owner) if owner is not None else usual.owner,
        prune=PruneMode(str(prune.get("mode", usual.prune))),
        grace=_duration(prune, "grace", usual.grace),
        settle=_duration(api, "settle", usual.settle),
        max_removals=_limit(section.get("max_removals"), usual.max_removals),
        max_changes=_limit(section.get("max_changes"), usual.max_changes),
        resume=resume_policy(section["resume"], otherwise=usual.resume) if "resume" in section else usual.resume,
    )


def _limit(value: Json, usual: Limit) -> Limit:
    """A limit as written; whatever it comes to, `always` are allowed."""
    if isinstance(value, str):
        return Limit(share=float(value.removesuffix("%")) / 100, always=usual.always)
    return Limit(count=int(value), always=usual.always) if isinstance(value, (int, float)) else usual


def _duration(section: Mapping[str, Json], key: str, usual: timedelta) -> timedelta:
    value = section.get(key)
    return parse_duration(value) if isinstance(value, str) else usual


def _section(document: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    section = document.get(key)
    return section if isinstance(section, Mapping) else {}


def _place_fault(place: str, files: Files) -> str | None:
    if "\0" in place:
        return f"which no path can be; {PLACE_EXPECTED}"
    path = PurePosixPath(place)
    if path.is_absolute() or ".." in path.parts or files.leads_to(place) == "outside":
        return f"which leads outside the config root; {PLACE_EXPECTED}"
    return None
