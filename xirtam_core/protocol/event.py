"""Events: what people say to each other, before it is signed and encrypted (spec: messages.md, Event)."""

from typing import Final

from xirtam_core.codec.integers import NanoTimestamp
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.codec.wire import Newtype, Wire
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.names import Username

TEXT: Final = "text/plain"
MARKDOWN: Final = "text/markdown"


class ToUser(Newtype):
    """An event for one person."""

    variant = "User"
    value: Username


class ToGroup(Newtype):
    """An event for a group, by its id."""

    variant = "Group"
    value: Hash


def recipient_of(chat: str) -> ToUser | ToGroup:
    """Whom what is said in a chat is for: a chat is called by its peer's name, or by its group's id in hex."""
    return ToGroup(Hash.from_text(chat)) if is_group(chat) else ToUser(Username(chat))


def is_group(chat: str) -> bool:
    """Whether a chat is a group's, by what it is called."""
    return not chat.startswith("@")


class Event(Wire):
    """One thing said. `sent_at` is the sender's clock, unique in its conversation, and says nothing about order."""

    recipient: ToUser | ToGroup
    sent_at: NanoTimestamp
    mime: str
    body: Base64Bytes

    def hash(self) -> Hash:
        """With conversation and sender, the identity of the event."""
        return bcs_hash(self)
