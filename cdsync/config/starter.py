"""What `cdsync init` writes: a commented configuration that validates, and does nothing until it is edited."""

from __future__ import annotations

from collections.abc import Mapping

from cdsync.config.schemas import schema_text

SETTINGS = """\
# yaml-language-server: $schema=schema/settings.schema.json
#
# The settings of this config root; all keys are optional, and these are the defaults. The line above lets an editor
# check and complete them.

# api:
#   base_url: https://api.captaindata.com   # https; plain http only for loopback
#   dialect: auto                           # auto | manage | rest
#   prefix: /v4                             # of dialect rest (Edges: /v1)
#   key: {env: CAPTAIN_DATA_API_KEY}        # or {file: PATH}, or {credential: NAME}; never the key itself
#   requests_per_minute: 60
#   timeout: 30s
#   settle: 15s

# Marks what this repository owns. Give each repository of one account its own.
owner: cdsync

# policy:
#   prune: {mode: delete, grace: 1d}        # delete | pause | keep: what happens to what is declared no more
#   max_removals: 25%                       # a count, or a share of what is owned
#   max_changes: 50%
#   resume: {statuses: [STOPPED], attempts: 3, backoff: 5m}   # or: never

# daemon:
#   interval: 60s
#   listen: 127.0.0.1:9464                  # health, metrics and hooks
#   git: {url: "https://github.com/...", path: accounts/eu, token: {env: GIT_TOKEN}}   # instead of this folder

# notify:
#   - url: {env: SLACK_WEBHOOK}             # told as JSON, with a text that Slack shows
#     on: [failed, attention]               # and: drift, applied

# state: .cdsync/state.db                   # below this folder
"""

SCHEDULES = """\
# yaml-language-server: $schema=schema/resources.schema.json
#
# Schedules and runs; any other *.yaml file below this folder may hold more of them.
# 'cdsync validate' checks them without a key, 'cdsync plan' shows what would happen, 'cdsync apply' does it.

# Fields for all schedules and runs of this file that do not set them.
defaults:
  timezone: UTC                             # an IANA name such as Europe/Paris
  # callback:
  #   url: https://hooks.example.com/captain-data
  #   headers: {Authorization: {env: HOOK_TOKEN}}
  #   on: final                             # all | final

schedules:
  weekday-leads:
    action: salesnavigator-search-people
    cron: "0 9 * * 1-5"                     # minute hour day month weekday, 0 = Sunday; keep the quotes
    state: paused                           # active | paused | absent; nothing fires while it is paused
    inputs:                                 # 1 to 100 objects, or {file: leads.csv}
      - sales_navigator_profile_search_url: https://www.linkedin.com/sales/search/people?query=EDIT-ME
    parameters: {max_results: 100}
    identity_mode: managed                  # direct | auto | managed
    # protect: true                         # never paused by prune, deleted or replaced
    # was: OLD-NAME                         # after a rename: keeps the remote object

# A run is launched once, ever.
# runs:
#   first-backfill:
#     action: linkedin-extract-people
#     schedule_at: 2030-01-07T08:00:00+01:00   # without it: at the next apply
#     inputs: {file: leads.csv}
#   hot-leads:
#     action: linkedin-search-people
#     mode: live                            # async | live; live reads the rows at once, into results/hot-leads.jsonl
#     inputs: [{keywords: cto}, {keywords: ceo}]
"""


def starter_files() -> Mapping[str, str]:
    """The files of a new config root, by their path relative to it; the schemas are there for the editor."""
    schemas = {f"schema/{name}.schema.json": schema_text(name) for name in ("settings", "resources")}
    return {"cdsync.yaml": SETTINGS, "schedules.yaml": SCHEDULES, **schemas}
