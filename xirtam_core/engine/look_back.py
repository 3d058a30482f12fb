"""Entries that become visible late (spec: rpc.md, Receiving).

A server that is not ours may make an entry visible behind one that has been read already. There, from the start and from each arrival
on, what lies shortly before the cursor is read again and again for as long as that can happen; what is known already is passed over.

What was read of a group's messages before it was known what counts is read again as well, on any server (`rulings`).
"""

import asyncio
import contextlib
from collections.abc import Iterable

import msgspec

from xirtam_core.engine.inbox import Inbox
from xirtam_core.protocol.mailbox import ReceiveFrom
from xirtam_core.rpc.home_server import AccessDenied, HomeServer
from xirtam_core.storage import journal
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Place

_LATEST_S = 10.0
"""How late an entry may become visible."""


class LookBack:
    """What lies behind the cursors at one server; every look waits for at most `wait_ms`."""

    def __init__(self, database: Database, inbox: Inbox, wait_ms: int) -> None:
        self._database = database
        self._inbox = inbox
        self._wait_ms = wait_ms
        self._until: float | None = None

    @property
    def is_due(self) -> bool:
        """Whether something may still turn up."""
        return self._until is not None

    def expect(self) -> None:
        """From now on something may turn up, for a while."""
        self._until = asyncio.get_running_loop().time() + _LATEST_S

    async def look(self, server: HomeServer, cursors: Iterable[tuple[Place, ReceiveFrom]]) -> None:
        """Reads again what lies before these cursors; for the last time when the while is over."""
        is_last = self._until is not None and asyncio.get_running_loop().time() >= self._until
        added, looked_at = 0, list(cursors)
        for place, cursor in looked_at:
            added += await self._look_at(server, place, cursor)
        if added:
            self.expect()
        elif is_last:
            self._until = None
            for place, cursor in looked_at:  # what was read is not read again, perhaps when its key is gone
                journal.mark_looked_back(self._database, place, cursor.after + round(_LATEST_S * 1e9))

    async def read_again(self, server: HomeServer, cursors: Iterable[tuple[Place, ReceiveFrom]]) -> None:
        """Reads once more what is to be, wherever that is."""
        for place, cursor in cursors:
            if (after := journal.again_ns(self._database, place)) is None:
                continue
            self._inbox.forget(place)
            with contextlib.suppress(AccessDenied):  # then there is nothing more to be had
                await self._read(server, place, cursor, after)
            journal.has_read_again(self._database, place, after)

    async def _look_at(self, server: HomeServer, place: Place, cursor: ReceiveFrom) -> int:
        """Begins shortly before where the cursor was last time; gives how many entries were new."""
        after = journal.looked_back_ns(self._database, place) - round(_LATEST_S * 1e9)
        added = await self._read(server, place, cursor, after)
        journal.mark_looked_back(self._database, place, cursor.after)
        return added

    async def _read(self, server: HomeServer, place: Place, cursor: ReceiveFrom, after: int) -> int:
        """Takes what lies between `after` and the cursor; gives how many entries were new."""
        added = 0
        while after < cursor.after:
            asked = msgspec.structs.replace(cursor, after=max(0, after))
            entries = (await server.mailbox_multirecv((asked,), self._wait_ms)).get(place.mailbox, ())
            added += self._inbox.accept(place, entries)
            newest = max((entry.received_at for entry in entries), default=0)
            if newest <= after:
                break
            after = newest
        return added
