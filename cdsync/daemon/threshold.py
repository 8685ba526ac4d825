"""The wait for settings that can be read at all: without them nobody knows which state is meant.

A resource file that is wrong is no matter of this: the daemon comes up, and the loop tells of it.
"""

from __future__ import annotations

from cdsync.assembly import Surroundings, settings_of
from cdsync.daemon.systemd import Systemd
from cdsync.daemon.triggers import Triggers
from cdsync.errors import CdsyncError
from cdsync.logs import logger
from cdsync.settings import Settings

LOOK_AGAIN = 10.0
"""Seconds between two looks at settings that cannot be read."""


async def first_settings(around: Surroundings, *, systemd: Systemd, triggers: Triggers) -> Settings | None:
    """The settings, as soon as there are valid ones; None when the end was asked for before."""
    told: str | None = None
    while not triggers.closed:
        try:
            return settings_of(around)
        except CdsyncError as error:
            if str(error) != told:
                told = str(error)
                logger().error("settings.refused", problems=told.split("\n"), remedy=error.remedy)
        systemd.status(f"waiting for valid settings: {told}")
        systemd.ready()
        await triggers.next(within=LOOK_AGAIN)
    return None
