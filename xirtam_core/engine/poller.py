"""A reader for each server where mailboxes are read (spec: client.md, Receiving).

Each has its own waits and failures, so a dead server holds up nothing at another.
"""

import asyncio
from collections.abc import Callable

from xirtam_core.clock import Clock
from xirtam_core.engine.inbox import Inbox
from xirtam_core.engine.network import Network
from xirtam_core.engine.reader import OnConnection, Reader
from xirtam_core.engine.session import Session
from xirtam_core.names import ServerName
from xirtam_core.storage import journal
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Place

_LOOK_S = 60.0
"""How often it is seen to that the readers are those that are needed, whoever has forgotten to say so."""


class Poller:
    """Keeps the readers that are needed."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        inbox: Inbox,
        clock: Clock,
        on_connection: OnConnection,
        on_refused: Callable[[], None],
        on_access: Callable[[Place], None],
    ) -> None:
        """`on_connection` is told how it stands with the home server, `on_refused` that it does not let this device in.

        `on_access` is told of a mailbox that its server does not let be read, or does again.
        """
        self._database = database

        def reader_at(name: ServerName) -> Reader:
            return Reader(name, database, session, network, inbox, clock, on_connection, on_refused, on_access)

        self._reader_at = reader_at
        self._readers: dict[ServerName, tuple[Reader, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()

    def hurry(self) -> None:
        """Tries to connect at once, wherever that is being waited for."""
        for reader, _ in self._readers.values():
            reader.hurry()

    def refresh(self) -> None:
        """Mailboxes have been added or left, or have other tokens: call it once that is stored."""
        for reader, _ in self._readers.values():
            reader.refresh()
        self._changed.set()

    def has_moved(self) -> None:
        """The account lives elsewhere now; how it stands there has been told to nobody yet, though it may be read there for long."""
        self.refresh()
        for reader, _ in self._readers.values():
            reader.tell_again()

    async def run(self) -> None:
        """Reads until cancelled."""
        self._readers.clear()  # those of an earlier run have ended with it
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                self._start_and_stop(tasks)
                try:
                    async with asyncio.timeout(_LOOK_S):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    def _start_and_stop(self, tasks: asyncio.TaskGroup) -> None:
        needed = set(journal.servers(self._database))
        for name in self._readers.keys() - needed:
            self._readers.pop(name)[1].cancel()
        for name in needed - self._readers.keys():
            reader = self._reader_at(name)
            self._readers[name] = (reader, tasks.create_task(reader.run(), name=f"reader at {name}"))
