"""Looks now and then at every mailbox that somebody waits for, in a store that other processes write to as well.

What another process writes is hinted at, and a hint may be lost: then it comes to light here, some seconds late. All polls share
the same few queries, spread over the time, so that ten thousand that are parked cost next to nothing.
"""

import asyncio
import logging
import random

from xirtam_server.home.waiters import Waiters
from xirtam_server.storage.interface import HomeStore

_log = logging.getLogger(__name__)
_AT_ONCE = 500


class Rechecker:
    """A task that looks at what is waited for every `every_s` seconds or so, until closed."""

    def __init__(self, store: HomeStore, waiters: Waiters, every_s: float) -> None:
        self._store, self._waiters, self._every_s = store, waiters, every_s
        self._task = asyncio.create_task(self._run(), name="recheck")

    async def _run(self) -> None:
        while True:
            names = self._waiters.watched()
            steps = range(0, len(names), _AT_ONCE) or (0,)
            for start in steps:
                # Spread, so that neither all polls nor all processes come to the database at once.
                await asyncio.sleep(self._every_s / len(steps) * random.uniform(0.8, 1))  # noqa: S311
                try:
                    watched = filter(self._waiters.is_watched, names[start : start + _AT_ONCE])
                    await self._store.refresh(list(watched))
                except Exception as fault:  # the database may be away, and comes back
                    _log.info("mailboxes could not be looked at: %s", type(fault).__name__)

    async def close(self) -> None:
        """Stops."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
