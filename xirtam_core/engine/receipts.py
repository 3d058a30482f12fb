"""Telling peers that their messages have arrived and have been read (spec: extensions.md, Control events).

Only contacts are told, whose clients understand it, and only what the settings allow. A receipt speaks for all messages up to the one
that it names, so a batch of arrivals needs one, and one that has not gone out yet gives way to the next.
"""

from xirtam_core.engine.controls import Controls
from xirtam_core.engine.greeting import Greeting
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.outcome import Outcome
from xirtam_core.names import Username
from xirtam_core.protocol.control import RECEIPT, Receipt
from xirtam_core.storage import chats, messages, settings
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage
from xirtam_core.storage.outbox import Leg, take_back_controls


class Receipts:
    """Sends receipts."""

    def __init__(
        self, database: Database, me: Username, outbox: Outbox, controls: Controls, greeting: Greeting
    ) -> None:
        self._database = database
        self._me = me
        self._outbox = outbox
        self._greeting = greeting
        controls.when_stored(_note)
        controls.when_concluded(self._send_delivered)

    def read(self, peer: Username, up_to_ns: int) -> None:
        """The chat has been read up to the peer's message at this position."""
        if settings.load(self._database).send_read and self._may_tell(peer):
            self._send(peer, Receipt(read=messages.at(self._database, peer, up_to_ns)))

    def _may_tell(self, peer: Username) -> bool:
        return peer != self._me and self._greeting.may_tell(peer) and self._greeting.understands(peer, "receipt")

    def _send_delivered(self, outcome: Outcome) -> None:
        peers = {peer for peer in outcome.heard_from | outcome.acquainted if self._may_tell(peer)}
        if not peers:
            return
        chosen = settings.load(self._database)
        for peer in peers:
            read = None
            if peer in outcome.acquainted and chosen.send_read:  # what was read before could not be said then
                read = messages.at(self._database, peer, chats.read_up_to_ns(self._database, peer))
            delivered = messages.newest_from_peer(self._database, peer) if chosen.send_delivered else None
            self._send(peer, Receipt(delivered, read))

    def _send(self, peer: Username, receipt: Receipt) -> None:
        delivered, read = receipt.delivered, receipt.read
        if delivered is None and read is None:
            return
        with self._database.transaction():
            for event in take_back_controls(self._database, peer, RECEIPT):
                waiting = Receipt.parse(event.body)
                delivered, read = delivered or waiting.delivered, read or waiting.read
            self._outbox.queue_control(peer, RECEIPT, Receipt(delivered, read).render(), [Leg.PEER])


def _note(message: StoredMessage, outcome: Outcome) -> None:
    if message.message.sender == message.message.chat:
        outcome.heard_from.add(message.message.sender)
