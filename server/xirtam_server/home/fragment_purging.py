"""Takes expired fragments away, a few at a time: the record first, its bytes second.

Whatever stops it in between, the bytes stay marked for removal. Now and then it also looks for bytes that no record knows, which an
upload leaves that ends between the two.
"""

import asyncio
import logging
import time

from xirtam_server.home.fragments import FragmentLimits
from xirtam_server.home.limits import HomeLimits
from xirtam_server.storage.bodies import BodyStore
from xirtam_server.storage.interface import HomeStore

_log = logging.getLogger(__name__)
_PAUSE_S = 0.05
_FIRST_SWEEP_S = 600.0


class FragmentPurger:
    """Two tasks, until closed."""

    def __init__(self, store: HomeStore, bodies: BodyStore, limits: FragmentLimits, home: HomeLimits) -> None:
        self._store, self._bodies, self._limits = store, bodies, limits
        self._every_s, self._step = home.purge_every_s, home.purge_step
        self._tasks = (
            asyncio.create_task(self._purge_always(), name="purge fragments"),
            asyncio.create_task(self._sweep_always(), name="sweep fragments"),
        )

    async def _purge_always(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.purge()
            except Exception as fault:  # a store that is away must not end purging for good
                _log.error("expired fragments could not be removed: %s", type(fault).__name__)

    async def _sweep_always(self) -> None:
        pause_s = min(self._limits.orphan_sweep_s, _FIRST_SWEEP_S)  # a server may never run for as long as between two
        while True:
            await asyncio.sleep(pause_s)
            pause_s = self._limits.orphan_sweep_s
            try:
                await self.sweep()
            except Exception as fault:
                _log.error("what uploads left behind could not be removed: %s", type(fault).__name__)

    async def purge(self) -> None:
        """Removes all that has expired."""
        while True:
            doomed = await self._store.purge_fragments(time.time_ns(), self._step)
            if not doomed:
                return
            await self._bodies.remove(doomed)
            await self._store.bodies_removed(doomed)
            await asyncio.sleep(_PAUSE_S)

    async def sweep(self) -> None:
        """Removes old bytes that no record knows."""
        async for names in self._bodies.written_before(time.time() - self._limits.orphan_age_s):
            for start in range(0, len(names), self._step):
                some = names[start : start + self._step]
                known = await self._store.are_bodies_known(some)
                await self._bodies.remove([name for name, is_known in zip(some, known, strict=True) if not is_known])
                await asyncio.sleep(_PAUSE_S)

    async def close(self) -> None:
        """Stops."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
