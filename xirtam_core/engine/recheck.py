"""Second looks: messages that came while the directory could not be asked are checked once it can (spec: client.md, Trust)."""

import asyncio

from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.peers import Peers
from xirtam_core.events import MessageChanged
from xirtam_core.storage import messages, peers
from xirtam_core.storage.database import Database
from xirtam_core.storage.peers import Peer

_PERIOD_S = 20.0


class Recheck:
    """Lifts the mark from messages whose sender turns out to be who they were. What another root key signed keeps it."""

    def __init__(self, database: Database, known: Peers, announcer: Announcer) -> None:
        self._database = database
        self._peers = known
        self._announcer = announcer
        known.when_confirmed(self._lift_marks)

    async def run(self) -> None:
        """Has senders looked up, now and then, for as long as there is something to check; marks go as soon as an answer is there."""
        while True:
            for sender in messages.unchecked_senders(self._database):
                peer = peers.find(self._database, sender)
                if peer is not None and self._peers.is_fresh(peer):
                    self._lift_marks(peer)
                else:
                    self._peers.refresh_soon(sender)
            await asyncio.sleep(_PERIOD_S)

    def _lift_marks(self, peer: Peer) -> None:
        for message in messages.mark_verified(self._database, peer.username, peer.root_cert_hash):
            self._announcer.announce(MessageChanged(message.message))
