"""Messages that have been understood, on their way into their chats: each once, in its place (spec: client.md, Receiving)."""

from xirtam_core.chat import Message, SendState
from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.outcome import Outcome
from xirtam_core.events import MessageAdded, MessageChanged
from xirtam_core.names import Username
from xirtam_core.protocol.event import is_group
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import amendments, chats, late_messages, messages, outbox
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage
from xirtam_core.storage.outbox import Leg


class Arrivals:
    """Stores what arrives, in the transaction of its batch; its chat is there."""

    def __init__(self, database: Database, me: Username, controls: Controls) -> None:
        self._database = database
        self._me = me
        self._controls = controls

    def store(
        self,
        opened: Opened,
        received_at_ns: int,
        outcome: Outcome,
        *,
        unchecked_root: Hash | None = None,
        is_outsiders: bool = False,
    ) -> None:
        """Stores a message, or notes that it has come again.

        `unchecked_root` is the root key that it was verified under, where that could not be checked afresh against the directory.
        """
        is_mine = opened.sender == self._me
        if is_mine and self._has_come_before(opened, received_at_ns, outcome):  # as most of one's own have
            return
        stored = messages.insert(
            self._database,
            opened.chat,
            opened.sender,
            opened.event,
            opened.event_hash,
            is_mine=is_mine,
            received_at_ns=received_at_ns,
            position_ns=received_at_ns,
            unchecked_root=unchecked_root,
            state=SendState.SENT if is_mine else None,
            is_outsiders=is_outsiders,
        )
        if stored is not None:
            if not is_mine:
                late_messages.note(self._database, stored.row)
            outcome.chats.add(opened.chat)
            outcome.news.append(MessageAdded(stored.message))
            self._controls.stored(stored, outcome)
        else:
            self._has_come_before(opened, received_at_ns, outcome)

    def _has_come_before(self, opened: Opened, received_at_ns: int, outcome: Outcome) -> bool:
        """Whether it is here already. Whichever copy is read first, its place is that of the one that came first, on all devices."""
        known = messages.find_event(self._database, opened.chat, opened.sender, opened.event, opened.event_hash)
        if known is None:
            return False
        first_ns = known.message.received_at
        if first_ns is None or known.message.state is SendState.FAILED:
            self._has_gone_out(known)
        if first_ns is None or received_at_ns < first_ns:
            was_unread = not known.message.mine and self._is_unread(known.message)
            moved = messages.arrived(self._database, known.row, received_at_ns)
            if was_unread:
                late_messages.note(self._database, known.row)
            outcome.news.extend(MessageChanged(each.message) for each in moved)
        return True

    def _is_unread(self, message: Message) -> bool:
        return message.position > chats.read_up_to_ns(self._database, message.chat)

    def _has_gone_out(self, own: StoredMessage) -> None:
        """This is the copy of a message that was written here."""
        chat = own.message.chat
        outbox.message_arrived(self._database, own, Leg.PEER if is_group(chat) else Leg.SELF)
        amendments.erase(self._database, own.row)
        if is_group(chat) or chat == self._me:  # there is no other copy
            messages.set_state(self._database, own.row, SendState.SENT)
