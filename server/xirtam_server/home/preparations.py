"""Accounts that were prepared for a move and whose time has run out (spec: extensions.md, Preparing a move).

The directory has the last word: who has come meanwhile stays, though they may not have signed in since. While it does not answer,
nobody is removed.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.rpc.home_server import ServerBusy
from xirtam_server.storage.interface import HomeStore

_MOST_FAILURES = 3
PAUSE_S = 0.05
"""Between two steps, so that others get at the store."""


class Preparations:
    """Settles what has become of them."""

    def __init__(
        self,
        name: ServerName,
        store: HomeStore,
        look_up: Callable[[Username], Awaitable[UserDescriptor | None]],
        step: int,
    ) -> None:
        """`look_up` asks the directory, and raises `ServerBusy` where it gives no usable answer; `step` is in rows."""
        self._name, self._store, self._look_up, self._step = name, store, look_up, step

    async def settle(self) -> int:
        """Confirms the accounts of those who have come, and removes the others bit by bit; how many it removed, of a step's worth.

        In any order, and in spite of some of which the directory does not speak well: these must not hold up the others.
        """
        users = await self._store.lapsed_accounts(time.time_ns(), self._step)
        random.shuffle(users)
        removed = failures = 0
        for user in users:
            try:
                has_come = await self._has_come(user)
            except ServerBusy:
                failures += 1
                if failures == _MOST_FAILURES:
                    break
                continue
            if has_come:
                await self._store.confirm_account(user)
            else:
                await self._remove(user)
                removed += 1
        return removed

    async def _has_come(self, user: Username) -> bool:
        entry = await self._look_up(user)
        return entry is not None and entry.server_name == self._name

    async def _remove(self, user: Username) -> None:
        while True:
            if await self._store.remove_lapsed(user, time.time_ns(), self._step):
                return
            await asyncio.sleep(PAUSE_S)
