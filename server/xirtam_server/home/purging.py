"""Takes out of the store what has had its time, a few rows at a time, so that nobody waits for it: entries, and accounts that were
prepared and not confirmed."""

import asyncio
import logging
import time

from xirtam_server.home.limits import HomeLimits
from xirtam_server.home.preparations import PAUSE_S, Preparations
from xirtam_server.storage.interface import HomeStore

_log = logging.getLogger(__name__)


class Purger:
    """A task that purges now and then, until closed."""

    def __init__(self, store: HomeStore, limits: HomeLimits, preparations: Preparations) -> None:
        self._store, self._limits, self._preparations = store, limits, preparations
        self._task = asyncio.create_task(self._run(), name="purge")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._limits.purge_every_s)
            try:
                await self._purge_entries()
                await self._preparations.settle()
            except Exception as fault:  # a full disk must not end purging for good
                _log.error("what has expired could not be removed: %s", type(fault).__name__)

    async def _purge_entries(self) -> None:
        step = self._limits.purge_step
        while True:
            now_ns = time.time_ns()
            if await self._store.purge(now_ns, step, self._limits.oldest_kept(now_ns)) < step:
                return
            await asyncio.sleep(PAUSE_S)

    async def close(self) -> None:
        """Stops."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
