"""Imported schedules as a YAML file that validates, with what to do about each.

Every string is written as a JSON string, which YAML reads as the same string.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from cdsync.core.imported import PLACEHOLDER, Imported
from cdsync.core.work import Json
from cdsync.render.lines import printable


def imported_yaml(found: tuple[Imported, ...]) -> str:
    """The file, with a comment on how to adopt each schedule and on what could not be recovered."""
    lines = [
        "# Written by cdsync import. The API does not show all of a schedule; what could not be read is said at each.",
        "# Look through it, then adopt each one: nothing is changed on the account by that.",
    ]
    declared = [row for row in found if row.skipped is None]
    lines.append("schedules:" if declared else "schedules: {}")
    for row in declared:
        lines.extend(_schedule_lines(row))
    lines.extend(f"# left out: {row.remote.uid}: {printable(row.skipped)}" for row in found if row.skipped is not None)
    return "\n".join(lines) + "\n"


def _schedule_lines(row: Imported) -> Iterator[str]:
    remote = row.remote
    yield f"  {json.dumps(row.name)}:"
    yield f"    # cdsync adopt schedule/{row.name} {remote.uid}"
    yield f"    action: {_scalar(remote.action)}"
    yield f"    cron: {_scalar(remote.cron)}"
    yield f"    timezone: {_scalar(remote.timezone or 'UTC')}"
    yield f"    state: {'paused' if remote.status == 'PAUSED' else 'active'}"
    if row.parameters:
        yield f"    parameters: {_scalar(row.parameters)}"
    if row.callback_url and row.callback_url.startswith("https://"):
        yield "    # the headers and `on` of its callback cannot be read; add them here"
        yield f"    callback: {{url: {_scalar(row.callback_url)}}}"
    yield "    # its identities cannot be read; set identity_mode and identity_ids as they are"
    if row.inputs:
        yield "    # the inputs of its latest run"
        yield "    inputs:"
        for values in row.inputs:
            yield f"      - {_scalar(values)}"
    else:
        yield "    # its inputs cannot be read; as long as they stand like this, nothing is sent with them"
        yield f'    inputs: [{{{PLACEHOLDER}: "unknown"}}]'


def _scalar(value: Json) -> str:
    return json.dumps(value, default=dict).replace("\x7f", "\\u007f")
