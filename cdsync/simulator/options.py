"""What a user of the simulator may choose; the server may be told to change some of it while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dialect = Literal["manage", "rest"]
Labels = Literal["echo", "accept", "refuse"]
Echo = Literal["as-sent", "normalised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    """The vendor's API has several ages and its documentation gaps; each option is one way it may be.

    Attributes:
        prefix: path prefix of dialect `rest`; dialect `manage` is served below `<prefix>/api`.
        key: the only accepted X-API-Key; None accepts any that is not empty.
        labels: whether `name` is echoed, accepted but never shown, or refused as an unknown field.
        echo: `normalised` shows cron with names of days, and UTC as null, whatever was sent.
        envelope: whether lists are wrapped as `{"data": [...]}`.
        requests_per_minute: sliding window in simulated time; None never limits.
        seed: None lets every run succeed; otherwise outcomes and durations are drawn from it.
        speed: seconds of simulated time per real second.
        dialects: the dialects that are served; the paths of the others are 404.
        workspace_uid: which workspace the key belongs to.
    """

    prefix: str = "/v4"
    key: str | None = None
    labels: Labels = "echo"
    echo: Echo = "as-sent"
    envelope: bool = False
    requests_per_minute: int | None = None
    seed: int | None = None
    speed: float = 1.0
    dialects: tuple[Dialect, ...] = ("manage", "rest")
    workspace_uid: str = "5d0c1c2e-7a43-4f0e-9a55-0c5f8c1d2e10"
