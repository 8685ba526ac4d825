"""The one connection to the API, kept from pass to pass as long as it is the right one."""

from __future__ import annotations

from contextlib import AsyncExitStack

from cdsync.api import Api
from cdsync.assembly import Surroundings, connection, references_of, remember_dialect
from cdsync.settings import ApiSettings, Settings
from cdsync.store import Store


class Link:
    """Opens the API when it is needed, and anew when its settings or its key are others."""

    def __init__(self, store: Store, around: Surroundings) -> None:
        self._store = store
        self._around = around
        self._open: AsyncExitStack | None = None
        self._api: Api | None = None
        self._for: tuple[ApiSettings, str] | None = None

    async def api(self, settings: Settings) -> Api:
        """The open API of these settings; its key is looked up anew each time, so that a rotated one is taken up.

        Raises:
            UnresolvedReference: the key is not there.
            ApiError: no dialect answers, or the key is refused.
        """
        wanted = (settings.api, references_of(settings, self._around).resolve(settings.api.key))
        if self._api is None or self._for != wanted:
            await self.close()
            async with AsyncExitStack() as stack:
                opening = connection(settings, wanted[1], self._store, self._around)
                api = await stack.enter_async_context(opening)
                remember_dialect(self._store, settings, api)
                self._open, self._api, self._for = stack.pop_all(), api, wanted
        return self._api

    @property
    def waits_for_its_turn(self) -> bool:
        """Whether the requests that a minute may see have all left."""
        return self._api is not None and self._api.waits_for_its_turn

    def hang_up(self) -> None:
        """Send nothing more; what was sent may still be answered."""
        if self._api is not None:
            self._api.hang_up()

    async def close(self) -> None:
        """Close the connection, if one is open."""
        stack, self._open, self._api, self._for = self._open, None, None, None
        if stack is not None:
            await stack.aclose()
