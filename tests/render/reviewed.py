"""Plans whose every text is hostile, and plans of many rows, for the formats that people review."""

from __future__ import annotations

from datetime import timedelta

from cdsync.core.crowding import Crowd
from cdsync.core.diff import FieldChange
from cdsync.core.model import Kind
from cdsync.core.origin import Since
from cdsync.core.plan import Action, ActionKind, Blocked, BlockedReason, Drift, Plan, Reason, Violation
from cdsync.core.preview import Firing, Preview, row_key
from cdsync.core.remarks import NO_STATE, Remarks
from tests.core.values import NOW, address

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</code></pre></details></style><svg onload=alert(1)>",
    "| a | b |\n| --- | --- |",
    "``` \n```\n````` ~~~",
    "`code` **bold** _it_ ~~gone~~ # head",
    "@someone #1 owner/repo#2 GH-3 https://evil.example.com www.evil.example.com a@evil.example.com",
    "[link](https://evil.example.com) ![image](https://evil.example.com/x.png)",
    "<!-- comment --> &lt;b&gt; &#64;someone {{ 7 * 7 }} {% raw %}",
    "- item\n1. item\n> quote\r\n\x1b[31mred\x00",
    "line\u2028separator \u202egnp.exe",
)
"""Each is text, and would be something else somewhere."""

ADDRESS = address("a.b_c--d")


def hostile_plan(text: str) -> Plan:
    """A plan with this text in every field that may hold any."""
    changes = (FieldChange(text, text, text), FieldChange("cron", text, {text: [text]}))
    return Plan(
        actions=tuple(
            Action(
                address=address(f"{kind.value}-x", kind=Kind.RUN if kind is ActionKind.LAUNCH else Kind.SCHEDULE),
                kind=kind,
                reason=Reason.CHANGED,
                why=text,
                uid=text,
                changes=changes,
                first_fire=NOW,
            )
            for kind in ActionKind
        ),
        blocked=tuple(
            Blocked(address=ADDRESS, reason=reason, message=text, remedy=text, changes=changes)
            for reason in (BlockedReason.LOOKALIKE, BlockedReason.HELD)
        ),
        drift=(Drift(address=ADDRESS, path=text, applied=text, found=text),),
        violations=(Violation(limit=text, counted=3, allowed=1, message=text, remedy=text),),
    )


def hostile_remarks(plan: Plan, text: str) -> Remarks:
    """Remarks with this text wherever one comes from outside."""
    rows: tuple[Action | Blocked, ...] = (*plan.actions, *plan.blocked)
    firing = Firing(words=text, fires=(NOW, NOW + timedelta(days=1)))
    return Remarks(
        previews={row_key(row): Preview(before=firing, after=firing) for row in rows},
        since=Since(ref=text, base="abc123", files=("cdsync.yaml",), addresses=frozenset({ADDRESS})),
        cannot_see=NO_STATE,
        crowd=Crowd(minute=NOW, addresses=(ADDRESS,) * 5, minutes=2),
    )


def large_plan(number: int) -> Plan:
    """A plan of so many rows of three kinds, a third each."""
    kinds = (ActionKind.CREATE, ActionKind.UPDATE, ActionKind.DELETE)
    changes = tuple(FieldChange(f"parameters.key{n}", "before" * 9, "after" * 9) for n in range(2))
    rows = [
        Action(
            address=address(f"schedule-{n:04}"),
            kind=kinds[n % 3],
            reason=Reason.CHANGED,
            why="cron changed in the declaration; changed in place",
            uid=f"{n:08}-49ce-598b-be1b-97abe2da56ee",
            changes=changes,
        )
        for n in range(number)
    ]
    return Plan(actions=tuple(sorted(rows, key=lambda row: (row.phase, row.address))))
