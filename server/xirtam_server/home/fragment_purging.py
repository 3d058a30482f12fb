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
                await remove_expired(self._store, self._bodies, self._step)
            except Exception as fault:  # a store that is away must not end purging for good
                _log.error("expired fragments could not be removed: %s", type(fault).__name__)

    async def _sweep_always(self) -> None:
        pause_s = min(self._limits.orphan_sweep_s, _FIRST_SWEEP_S)  # a server may never run for as long as between two
        while True:
            await asyncio.sleep(pause_s)
            pause_s = self._limits.orphan_sweep_s
            try:
                await remove_orphans(self._store, self._bodies, self._limits.orphan_age_s, self._step)
            except Exception as fault:
                _log.error("what uploads left behind could not be removed: %s", type(fault).__name__)

    async def close(self) -> None:
        """Stops."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def remove_expired(store: HomeStore, bodies: BodyStore, step: int) -> int:
    """Removes all that has expired, `step` at a time; how many."""
    removed = 0
    while doomed := await store.purge_fragments(time.time_ns(), step):
        await bodies.remove(doomed)
        await store.bodies_removed(doomed)
        removed += len(doomed)
        await asyncio.sleep(_PAUSE_S)
    return removed


async def remove_orphans(store: HomeStore, bodies: BodyStore, age_s: float, step: int) -> int:
    """Removes bytes older than `age_s` that no record knows; how many."""
    removed = 0
    async for names in bodies.written_before(time.time() - age_s):
        for start in range(0, len(names), step):
            some = names[start : start + step]
            known = await store.are_bodies_known(some)
            unknown = [name for name, is_known in zip(some, known, strict=True) if not is_known]
            await bodies.remove(unknown)
            removed += len(unknown)
            await asyncio.sleep(_PAUSE_S)
    return removed
