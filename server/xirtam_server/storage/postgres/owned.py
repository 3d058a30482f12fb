"""How much the groups of one user hold together, known well enough to refuse more.

A lock for each user would make all their groups wait for each other. So each process remembers the sums, adds what it lets through,
and asks again after some seconds: what other processes write meanwhile may go over the bound, and no further.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from xirtam_server.storage.interface import MailboxFull
from xirtam_server.storage.postgres.database import Connection

_FRESH_S = 10.0
_MOST_REMEMBERED = 10_000


class OwnedBytes:
    """Counts for one process; `ask` gives what the mailboxes of a user hold."""

    def __init__(self, most_bytes: int, ask: Callable[[str], Awaitable[int]]) -> None:
        self._most_bytes, self._ask = most_bytes, ask
        self._known: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def charge(self, owner: str, size: int) -> None:
        """Lets `size` more bytes into the mailboxes of `owner`; raises `MailboxFull`."""
        asked_at, held = self._known.get(owner, (float("-inf"), 0))
        if time.monotonic() - asked_at > _FRESH_S:
            asked_at, held = time.monotonic(), await self._ask(owner)
        if held + size > self._most_bytes:
            self._remember(owner, asked_at, held)
            raise MailboxFull
        self._remember(owner, asked_at, held + size)

    def _remember(self, owner: str, asked_at: float, held: int) -> None:
        self._known[owner] = (asked_at, held)
        self._known.move_to_end(owner)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)


async def held_bytes(db: Connection, owner: str) -> int:
    """What all mailboxes of `owner` hold."""
    found = await db.execute("SELECT coalesce(sum(bytes), 0)::bigint FROM mailbox WHERE owner = %s", (owner,))
    row = await found.fetchone()
    return row[0] if row else 0
