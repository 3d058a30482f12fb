"""What the engine tells about chats: immutable values for screens, commands and bots.

Nothing here is on the wire. Text in these values is a peer's, as it came: whoever shows it makes it safe for their medium.
"""

from enum import StrEnum
from typing import Final

import msgspec

from xirtam_core.discreet import Discreet
from xirtam_core.groups import Group
from xirtam_core.names import ServerName, Username
from xirtam_core.people import Standing

LONGEST_TEXT: Final = 64 * 1024
"""How many bytes of UTF-8 one message may have, so that it fits a server's limit with all that is wrapped around it."""


class SendState(StrEnum):
    """How far an own message has come (spec: client.md, Sending)."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class MessageKind(StrEnum):
    """What a message is, from its MIME type."""

    TEXT = "text"
    MARKDOWN = "markdown"
    UNSUPPORTED = "unsupported"
    INVITE = "invite"
    """An invitation into the group that `Message.group` names."""
    NOTICE = "notice"
    """Nobody wrote it: something that happened to a group, and `text` says what."""


class Reaction(msgspec.Struct, frozen=True):
    """One emoji on a message, and who put it there."""

    emoji: str
    senders: tuple[Username, ...]


class Message(Discreet, frozen=True, kw_only=True):
    """One message of one chat.

    `id` is the event's hash in hex, `chat` the peer's name. `position` orders a chat: strictly increasing, and final once a server
    has the message. Times are Unix nanoseconds; `received_at` is None while no server has it. `state` and `failure` (the reason in
    words) are for own messages. `verified` is false when the sender's identity could not be checked afresh against the directory.
    `text` is what it says now: after an edit another text than was sent, after a withdrawal nothing. `reply_to` is the id of the
    message that this one answers, `quote` what its author took from that, and `quoted` whose it was, where that message is here.
    `is_outsiders` marks, in a group, what somebody said who is not in it; `mentions_me` what names this account, or answers a message
    of its own.
    """

    id: str
    chat: str
    sender: Username
    mine: bool
    position: int
    sent_at: int
    received_at: int | None
    kind: MessageKind
    text: str
    mime: str
    verified: bool = True
    state: SendState | None = None
    failure: str | None = None
    reply_to: str | None = None
    quote: str | None = None
    quoted: Username | None = None
    is_edited: bool = False
    is_withdrawn: bool = False
    is_outsiders: bool = False
    mentions_me: bool = False
    group: str | None = None
    reactions: tuple[Reaction, ...] = ()


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A contiguous run of a chat's messages, oldest first, and whether there is more on either side."""

    messages: tuple[Message, ...]
    has_earlier: bool
    has_later: bool


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its place in the order of storing: the cursor to ask for those that were stored after it, or before it."""

    cursor: int
    message: Message


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is new or has changed, with the cursor to ask for what changed after it."""

    cursor: int
    message: Message


class DraftEdit(Discreet, frozen=True):
    """An own message that is being changed: its id, and the new text as far as it is written."""

    message: str
    text: str


class Chat(Discreet, frozen=True, kw_only=True):
    """A conversation as the contact list shows it.

    `read_up_to` is the position up to which all has been read, 0 for nothing: `unread` messages come after it, and where one of them
    came late, by a server whose clock is behind, perhaps others that have been read. `mentions` are those of them that name or answer
    this account, which happens in groups alone. `last` is the newest message, None in a new chat; `alarm` is a security warning in
    words that blocks sending until it is acknowledged. `features` are what the peer's client is known to understand beyond messages,
    such as edits; None while it has said nothing, as a reference client never does. `petname` is what this account calls the peer,
    `display_name` what they call themselves. `group` is set in the place of `peer` where it is
    a group's. A chat that `is_pinned` stands first in a list, one that `is_archived` apart, and one that `is_muted` is not to call
    for attention: this device's own choices, of which no other is told. `draft` is what is being written; it answers the message of
    the id `draft_reply_to`, if any, and stands behind `draft_edit` while that is being written instead.
    """

    id: str
    peer: Username | None
    server: ServerName | None
    last: Message | None
    unread: int
    read_up_to: int
    draft: str
    draft_reply_to: str | None = None
    draft_edit: DraftEdit | None = None
    alarm: str | None = None
    standing: Standing = Standing.CONTACT
    petname: str | None = None
    display_name: str | None = None
    verified: bool = False
    features: tuple[str, ...] | None = None
    mentions: int = 0
    group: Group | None = None
    is_pinned: bool = False
    is_muted: bool = False
    is_archived: bool = False

    @property
    def title(self) -> str:
        """What to call it: the peer's name, or the group's."""
        return self.id if self.group is None else self.group.title


class Connection(StrEnum):
    """How the engine stands with the account's home server."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    CONNECTED = "connected"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The account's state at a glance. Ages are in seconds; None where there is nothing yet.

    `detail` says in words why the connection is not up. `queued` counts own messages that no server has yet, `waiting` entries
    that arrived and cannot be understood yet, `rejected` those that never will be. `directory` is an alarm about the directory.
    """

    account: Username
    server: ServerName
    connection: Connection
    detail: str
    queued: int
    waiting: int
    rejected: int
    anchor_height: int | None
    anchor_age_s: int | None
    medium_key_age_s: int | None
    alarm: str | None = None
    storage: str | None = None
    """What keeps the account from being written to its disk, in words; it goes on by itself once that is over."""
    proxied: tuple[ServerName, ...] = ()
    """Servers that are reached through the home server."""
    certificate: str | None = None
    """That this device's certificate expires soon or has expired, in words, and what to do."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that a directory lied: when it was found (Unix seconds), from whom, in words, and as it came (JSON)."""

    found_s: int
    source: str
    summary: str
    proof: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at, whether it is as it should be, how it is, and what to do about it (nothing where it is fine)."""

    what: str
    is_fine: bool
    words: str
    advice: str = ""
