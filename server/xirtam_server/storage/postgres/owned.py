"""How much the groups of one user hold together, known well enough to refuse more.

A lock for each user would make all their groups wait for each other. So each process remembers the sums, adds what it lets through,
and asks again after some seconds: what other processes write meanwhile may go over the bound, and no further.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from xirtam_server.storage.interface import AccessChanged, MailboxFull, StoreBusy
from xirtam_server.storage.postgres.database import Connection

_FRESH_S = 10.0
_MOST_REMEMBERED = 10_000
_NOT_WRITTEN = (AccessChanged, MailboxFull, StoreBusy)
"""After any other fault the bytes may have come to be there, and stay charged until the sum is asked for again."""


class _Sum:
    """What the mailboxes of a user hold, by when it was asked for; `under_way` are bytes that the answer may lack."""

    __slots__ = ("asked_at", "asking", "held", "under_way")

    def __init__(self) -> None:
        self.asked_at = float("-inf")
        self.asking: asyncio.Task[None] | None = None
        self.held = self.under_way = 0


class OwnedBytes:
    """Counts for one process; `ask` gives what the mailboxes of a user hold."""

    def __init__(self, most_bytes: int, ask: Callable[[str], Awaitable[int]]) -> None:
        self._most_bytes, self._ask = most_bytes, ask
        self._known: OrderedDict[str, _Sum] = OrderedDict()

    @asynccontextmanager
    async def charged(self, owner: str, size: int) -> AsyncGenerator[None]:
        """Lets `size` more bytes into the mailboxes of `owner`, which the block writes; raises `MailboxFull`."""
        known = self._remembered(owner)
        if time.monotonic() - known.asked_at > _FRESH_S:
            if known.asking is None:
                known.asking = asyncio.create_task(self._refresh(known, owner))
            await asyncio.shield(known.asking)  # others may wait for it
        if known.held + size > self._most_bytes:
            raise MailboxFull
        known.held += size
        known.under_way += size
        try:
            yield
        except _NOT_WRITTEN:
            known.held -= size
            raise
        finally:
            known.under_way -= size

    async def _refresh(self, known: _Sum, owner: str) -> None:
        """Asks for the sum: rather too much than too little, as what is under way may be in it or not."""
        asked_at, under_way = time.monotonic(), known.under_way
        try:
            found = await self._ask(owner)
        finally:
            known.asking = None
        known.asked_at, known.held = asked_at, found + under_way

    def _remembered(self, owner: str) -> _Sum:
        known = self._known.setdefault(owner, _Sum())
        self._known.move_to_end(owner)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return known


async def held_bytes(db: Connection, owner: str) -> int:
    """What all mailboxes of `owner` hold."""
    found = await db.execute("SELECT coalesce(sum(bytes), 0)::bigint FROM mailbox WHERE owner = %s", (owner,))
    row = await found.fetchone()
    return row[0] if row else 0
