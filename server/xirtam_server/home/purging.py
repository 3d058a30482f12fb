"""Takes expired entries out of the store, a few at a time, so that nobody waits for it."""

import asyncio
import logging
import time

from xirtam_server.home.limits import HomeLimits
from xirtam_server.storage.interface import HomeStore

_log = logging.getLogger(__name__)
_PAUSE_S = 0.05


class Purger:
    """A task that purges now and then, until closed."""

    def __init__(self, store: HomeStore, limits: HomeLimits) -> None:
        self._store, self._every_s, self._step = store, limits.purge_every_s, limits.purge_step
        self._task = asyncio.create_task(self._run(), name="purge")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._purge()
            except Exception as fault:  # a full disk must not end purging for good
                _log.error("expired entries could not be removed: %s", type(fault).__name__)

    async def _purge(self) -> None:
        while True:
            removed = await self._store.purge(time.time_ns(), self._step)
            if removed < self._step:
                return
            await asyncio.sleep(_PAUSE_S)

    async def close(self) -> None:
        """Stops."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
