"""Who understands what: hellos, which clients send each other once (spec: extensions.md, Control events).

A peer who has said nothing but messages may have a client of any make, and gets nothing but plain messages. One who has sent a hello,
or any other thing that only a client like ours sends, understands the rest.
"""

from xirtam_core.engine.controls import Controls
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.outcome import Outcome
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol.control import FEATURES, HELLO, REPLY, Hello
from xirtam_core.protocol.event import is_group
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import chats, group_members, people
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage


class Greeting:
    """What peers' clients understand, and telling them what this one does."""

    def __init__(self, database: Database, me: Username, outbox: Outbox, controls: Controls) -> None:
        self._database = database
        self._me = me
        self._outbox = outbox
        controls.register(HELLO, self._take)
        outbox.when_sent(self.greet)
        controls.when_stored(self._note_reply)

    def understands(self, peer: Username, feature: str) -> bool:
        """Whether the peer's client is known to understand `feature`; one's own devices do."""
        return peer == self._me or feature in (self._features(peer) or ())

    def all_understand(self, chat: str, feature: str) -> bool:
        """Whether everybody in a chat is known to understand `feature`."""
        if not is_group(chat):
            return self.understands(Username(chat), feature)
        return all(self.understands(name, feature) for name in group_members.active(self._database, chat))

    def may_tell(self, peer: Username) -> bool:
        """Whether this account says anything to the peer that is no message: to contacts, and to itself."""
        return peer == self._me or people.standing(self._database, peer) is Standing.CONTACT

    def greet(self, peer: Username) -> None:
        """Tells the peer what this client understands, if that has not been done: a conversation has begun."""
        known = people.find(self._database, peer)
        if peer == self._me or known is None or known.is_greeted or known.standing is not Standing.CONTACT:
            return
        with self._database.transaction():
            people.mark_greeted(self._database, peer)
            self._outbox.queue_control(peer, HELLO, Hello(FEATURES).render())

    def heard(self, sender: Username, outcome: Outcome) -> None:
        """`sender` has said something that only a client like this one says."""
        if sender != self._me and self._features(sender) is None:
            self._learn(sender, FEATURES, outcome)

    def _learn(self, peer: Username, features: tuple[str, ...], outcome: Outcome) -> None:
        is_first = self._features(peer) is None
        if people.set_features(self._database, peer, features):
            outcome.chats.add(peer)
            if is_first:
                outcome.acquainted.add(peer)

    def _features(self, peer: Username) -> tuple[str, ...] | None:
        known = people.find(self._database, peer)
        return None if known is None else known.features

    def _take(self, opened: Opened, outcome: Outcome) -> None:
        hello = Hello.parse(opened.event.body)
        if not chats.exists(self._database, opened.peer):
            return
        if opened.sender == self._me:  # another device of this account has said it
            people.mark_greeted(self._database, opened.peer)
        else:
            self._learn(opened.peer, hello.known(), outcome)
            self.greet(opened.peer)

    def _note_reply(self, message: StoredMessage, outcome: Outcome) -> None:
        if message.message.mime == REPLY:
            self.heard(message.message.sender, outcome)
