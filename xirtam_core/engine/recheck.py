"""Second looks: messages that came while the directory could not be asked are checked once it can (spec: client.md, Trust)."""

import asyncio

from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.peers import Peers
from xirtam_core.errors import XirtamError
from xirtam_core.events import MessageChanged
from xirtam_core.names import Username
from xirtam_core.storage import messages
from xirtam_core.storage.database import Database

_PERIOD_S = 20.0


class Recheck:
    """Lifts the mark from messages whose sender turns out to be who they were. What another root key signed keeps it."""

    def __init__(self, database: Database, known: Peers, announcer: Announcer) -> None:
        self._database = database
        self._peers = known
        self._announcer = announcer

    async def run(self) -> None:
        """Looks again, now and then, for as long as there is something to look at."""
        while True:
            for sender in messages.unchecked_senders(self._database):
                await self._check(sender)
            await asyncio.sleep(_PERIOD_S)

    async def _check(self, sender: Username) -> None:
        try:
            peer = await self._peers.refresh(sender)
        except XirtamError:
            return  # next time, then
        for message in messages.mark_verified(self._database, sender, peer.root_cert_hash):
            self._announcer.announce(MessageChanged(message.message))
