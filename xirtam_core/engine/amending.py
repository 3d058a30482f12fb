"""Amending messages: edits and withdrawals of one's own, reactions to any (spec: extensions.md, Control events).

Here an amendment is in force at once. It goes to the peer and to this account's other devices as a control event, as surely as a
message does, and behind the message where that has not gone out yet. People who are no contacts are not told.
"""

import msgspec

from xirtam_core import emoji as emojis
from xirtam_core.chat import Message, MessageKind, SendState
from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.amendments import Amendments
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.greeting import Greeting
from xirtam_core.engine.outbox import Outbox
from xirtam_core.errors import Malformed, NotFound, Refused
from xirtam_core.events import ChatChanged, MessageChanged
from xirtam_core.names import Username
from xirtam_core.protocol.control import DELETE, EDIT, REACTION, Body, Edit, ReactionBody, Withdrawal
from xirtam_core.protocol.event import is_group
from xirtam_core.storage import amendments as stored
from xirtam_core.storage import chats, messages, reactions
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage
from xirtam_core.storage.outbox import Leg


class Amending:
    """What this account's owner has to say about messages that are there."""

    def __init__(
        self,
        database: Database,
        me: Username,
        outbox: Outbox,
        amendments: Amendments,
        greeting: Greeting,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._me = me
        self._outbox = outbox
        self._amendments = amendments
        self._greeting = greeting
        self._announcer = announcer

    def edit(self, chat: str, message_id: str, text: str) -> Message:
        """Gives an own message another text, which has been found fit for one."""
        message = self._own(chat, message_id)
        if message.message.is_withdrawn or message.message.kind is MessageKind.UNSUPPORTED:
            raise Refused("that message has no text that could be edited")
        if message.message.state is SendState.FAILED:
            raise Refused("that message was not sent: discard it and write another one")
        if message.message.text == text:
            return message.message
        after_ns = stored.edited_at_ns(self._database, message)
        return self._amend(message, EDIT, Edit(_target(message), text), after_ns)

    def withdraw(self, chat: str, message_id: str) -> Message:
        """Takes an own message back; one that no server has is discarded."""
        message = self._own(chat, message_id)
        if message.message.is_withdrawn:
            return message.message
        is_here_only = message.message.state in (SendState.QUEUED, SendState.FAILED)
        if is_here_only and not self._outbox.is_under_way(message):
            return self._discard(message)
        return self._amend(message, DELETE, Withdrawal(_target(message)))

    def react(self, chat: str, message_id: str, emoji: str, *, remove: bool) -> Message:
        """Puts an emoji on a message, or takes it off."""
        message = self._find(chat, message_id)
        if not emojis.is_one(emoji):
            raise Malformed("a reaction is one emoji")
        if message.message.is_withdrawn:
            raise Refused("that message has been withdrawn")
        said_ns, is_there = reactions.find(self._database, message.row, self._me, emoji) or (0, False)
        if is_there is not remove:
            return message.message
        return self._amend(message, REACTION, ReactionBody(_target(message), emoji, remove), said_ns)

    def discard(self, message_id: str) -> None:
        """Deletes an own message that no server is known to have; who may have it all the same is told that it is taken back."""
        message = messages.find(self._database, message_id)
        if message is None:
            raise NotFound("there is no such message of yours")
        self._discard(message)

    def _discard(self, message: StoredMessage) -> Message:
        may_be_there = self._outbox.may_have_gone_out(message)
        with self._database.transaction():
            self._outbox.discard(message.message.id)
            if may_be_there:
                legs = self._legs(message)[:1]
                self._outbox.queue_control(_chat(message), DELETE, Withdrawal(_target(message)).render(), legs)
        return msgspec.structs.replace(message.message, text="", quote=None, is_withdrawn=True)

    def _amend(self, message: StoredMessage, mime: str, body: Body, after_ns: int = 0) -> Message:
        with self._database.transaction():
            event = self._outbox.queue_control(
                _chat(message), mime, body.render(), self._legs(message), after_ns=after_ns
            )
            self._amendments.apply(message, self._me, event)
        now = messages.get(self._database, message.row).message
        self._announcer.announce(MessageChanged(now))
        if (chat := chats.find(self._database, now.chat)) is not None:
            self._announcer.announce(ChatChanged(chat))
        return now

    def _legs(self, message: StoredMessage) -> list[Leg]:
        chat = _chat(message)
        if is_group(chat):
            return [Leg.PEER]
        peer = Username(chat)
        return [Leg.SELF] if peer == self._me or not self._greeting.may_tell(peer) else [Leg.PEER, Leg.SELF]

    def _own(self, chat: str, message_id: str) -> StoredMessage:
        message = self._find(chat, message_id)
        if not message.message.mine:
            raise Refused("only its author can change a message")
        return message

    def _find(self, chat: str, message_id: str) -> StoredMessage:
        message = messages.find_in_chat(self._database, chat, message_id)
        if message is None or message.message.kind is MessageKind.NOTICE:
            raise NotFound("that chat has no such message")
        return message


def _target(message: StoredMessage) -> Hash:
    return Hash.from_text(message.message.id)


def _chat(message: StoredMessage) -> str:
    return message.message.chat
