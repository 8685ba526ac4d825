"""What happened while a plan was carried out, as values for whoever shows or records it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from cdsync.core.actions import Action
from cdsync.errors import CdsyncError


@dataclass(frozen=True, slots=True)
class Started:
    """An action has begun."""

    action: Action


@dataclass(frozen=True, slots=True)
class Succeeded:
    """An action is done; `uid` is the object it made or worked on."""

    action: Action
    uid: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """An action had no effect, or was rolled back; `tried` is False when it was left out because of another.

    `error` is what it failed of, for whoever has to tell whether it will fail again.
    """

    action: Action
    message: str
    remedy: str | None = None
    tried: bool = True
    error: CdsyncError | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An action may have had its effect: the answer was lost, and it is to be looked for."""

    action: Action
    message: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """An action that takes its time has come so far; `note` is why it pauses, if it does."""

    action: Action
    done: int
    total: int
    note: str | None = None


Event: TypeAlias = Started | Succeeded | Failed | Unresolved | Progressed
