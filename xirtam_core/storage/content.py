"""What a message's MIME type and body come to, for whoever shows it (spec: messages.md, Event; extensions.md)."""

from typing import Final

from xirtam_core.chat import MessageKind
from xirtam_core.discreet import Discreet
from xirtam_core.errors import Malformed
from xirtam_core.protocol.control import REPLY, Reply
from xirtam_core.protocol.event import MARKDOWN, TEXT
from xirtam_core.protocol.group_invite import INVITE, GroupInvite

NOTICE: Final = "application/vnd.xirtam.v1.notice"
"""Something that happened to a group, as it stands in the chat; the text says what its sender did. It is never sent."""

_LONGEST_QUOTE = 400
"""How many characters of a quote are kept, whatever its author's client thinks enough."""

_KINDS = {
    TEXT: MessageKind.TEXT,
    MARKDOWN: MessageKind.MARKDOWN,
    REPLY: MessageKind.TEXT,
    INVITE: MessageKind.INVITE,
    NOTICE: MessageKind.NOTICE,
}


class Content(Discreet, frozen=True):
    """The kind, the text, what it answers (the hash of that message, and what is quoted of it), and where it invites to."""

    kind: MessageKind
    text: str
    reply_to: bytes | None = None
    quote: str | None = None
    group: str | None = None

    @classmethod
    def of(cls, mime: str, body: bytes) -> "Content":
        """The content of a message; what cannot be read is unsupported, and kept."""
        kind = _KINDS.get(mime, MessageKind.UNSUPPORTED)
        if kind is MessageKind.UNSUPPORTED:
            return cls(kind, "")
        if kind is MessageKind.INVITE:
            return cls._invitation(body)
        if mime != REPLY:
            return cls(kind, body.decode(errors="replace"))
        try:
            reply = Reply.parse(body)
        except Malformed:
            return cls(MessageKind.UNSUPPORTED, "")
        return cls(kind, reply.text, bytes(reply.target), reply.quote[:_LONGEST_QUOTE])

    @classmethod
    def _invitation(cls, body: bytes) -> "Content":
        try:
            return cls(MessageKind.INVITE, "", group=GroupInvite.parse(body).descriptor.id().hex())
        except Malformed:
            return cls(MessageKind.UNSUPPORTED, "")

    @classmethod
    def withdrawn(cls, mime: str) -> "Content":
        """What is left of a message that its author has taken back."""
        return cls(_KINDS.get(mime, MessageKind.UNSUPPORTED), "")


def check(mime: str, body: bytes) -> None:
    """Raises `Malformed` for a body that its type says can be read, and that cannot: it is left out of the conversation.

    Neither does anybody else say what happened to a group.
    """
    if mime == REPLY:
        Reply.parse(body)
    elif mime == INVITE:
        GroupInvite.parse(body)
    elif mime == NOTICE:
        raise Malformed("a notice, which nobody sends")
