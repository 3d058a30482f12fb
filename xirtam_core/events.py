"""What the engine says as it happens. Values are snapshots; a listener that missed some asks again and is up to date."""

import msgspec

from xirtam_core.chat import Chat, Message, Status
from xirtam_core.home_move import HomeMove
from xirtam_core.names import Username


class MessageAdded(msgspec.Struct, frozen=True, tag="message", tag_field="event"):
    """A message that its chat did not have: one's own when it is queued, a peer's when it is stored."""

    message: Message


class MessageChanged(msgspec.Struct, frozen=True, tag="state", tag_field="event"):
    """A message whose state, position or verdict changed."""

    message: Message


class MessageRemoved(msgspec.Struct, frozen=True, tag="removed", tag_field="event"):
    """A queued or failed message that its author discarded."""

    chat: str
    id: str


class HistoryAdded(msgspec.Struct, frozen=True, tag="history", tag_field="event"):
    """Older messages, or what has become of some, that another own device has given: any number, anywhere in the chat.

    They are not told one by one, as they are no news to anybody; who shows the chat reads it again.
    """

    chat: str


class ChatChanged(msgspec.Struct, frozen=True, tag="contact", tag_field="event"):
    """A chat that is new, or whose list entry (unread, last message, draft, alarm) changed."""

    chat: Chat


class ChatRemoved(msgspec.Struct, frozen=True, tag="chat_removed", tag_field="event"):
    """A chat that was deleted with all that was in it."""

    chat: str


class Typing(msgspec.Struct, frozen=True, tag="typing", tag_field="event"):
    """A peer writes something, or has stopped; without a further word it has stopped after 15 seconds."""

    chat: str
    sender: Username
    active: bool


class StatusChanged(msgspec.Struct, frozen=True, tag="connection", tag_field="event"):
    """The connection, the queue or the directory's standing changed."""

    status: Status


class AlarmRaised(msgspec.Struct, frozen=True, tag="security", tag_field="event"):
    """Evidence of a lie (a directory's or about a user's identity), in words. `chat` where it concerns one."""

    text: str
    chat: str | None = None


class HomeMoveChanged(msgspec.Struct, frozen=True, tag="home", tag_field="event"):
    """The account's move to another home server has come further; None: it was undone."""

    move: HomeMove | None


Event = (
    MessageAdded
    | MessageChanged
    | MessageRemoved
    | HistoryAdded
    | ChatChanged
    | ChatRemoved
    | Typing
    | StatusChanged
    | AlarmRaised
    | HomeMoveChanged
)
