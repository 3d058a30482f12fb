"""Chats and what is said in them."""

from xirtam_core.chat import Change, Chat, DraftEdit, Message, Page, Received, Status
from xirtam_core.faces.face import Face, operation, repeatable
from xirtam_core.names import Username


class Conversations(Face):
    """Chats, messages and the account's standing. What a call has accepted is on the disk when it returns."""

    part = "conversations"

    @repeatable
    async def status(self) -> Status:
        """The account's state at a glance."""
        ...

    @repeatable
    async def chats(self) -> list[Chat]:
        """Every chat, the one with the newest message first."""
        ...

    @repeatable
    async def start_chat(self, name: Username, *, unseen: bool = False) -> Chat:
        """The chat with `name`, made if there is none, and `name` a contact from now on; raises `NotFound` and `Unreachable`.

        `unseen` makes it even where nobody can be asked whether there is such a user: what is queued there waits.
        """
        ...

    @repeatable
    async def history(self, chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        """The newest messages (before a position), or the oldest after one; raises `NotFound`."""
        ...

    @repeatable
    async def count_messages(self, chat: str, *, before: int | None = None) -> int:
        """How many messages a chat has (before a position); raises `NotFound`."""
        ...

    @repeatable
    async def position_of(self, chat: str, number: int) -> int | None:
        """The position of the message that so many come before, None where there are no more than these; raises `NotFound`."""
        ...

    @repeatable
    async def message(self, chat: str, message_id: str) -> Message:
        """One message as it is now; raises `NotFound`."""
        ...

    @repeatable
    async def received(self, after: int, limit: int = 100) -> list[Received]:
        """Messages from others that were stored after cursor `after`, in the order of storing."""
        ...

    @repeatable
    async def latest_received(self) -> int:
        """The cursor of the message from others that was stored last, 0 where there is none."""
        ...

    @repeatable
    async def listened(self, reader: str | None = None) -> int:
        """The cursor up to which a reader of this name has dealt with received messages, 0 for nothing yet.

        Readers are told apart by their names alone, any text of up to 64 characters; None is `xirtam listen`.
        """
        ...

    @repeatable
    async def mark_listened(self, cursor: int, reader: str | None = None) -> None:
        """Notes, durably, that a reader has dealt with received messages up to `cursor`; raises `Malformed` for a name too long."""
        ...

    @repeatable
    async def changes(self, after: int, limit: int = 100) -> list[Change]:
        """Messages that are new or have changed since cursor `after`, each once, as it is now, in the order of their last change."""
        ...

    @repeatable
    async def latest_change(self) -> int:
        """The cursor of the change that came last, 0 where there is none."""
        ...

    @operation
    async def send_text(self, chat: str, text: str, *, reply_to: str | None = None, once: str | None = None) -> Message:
        """Queues a text, in answer to a message of the chat if `reply_to` is its id, and gives the message.

        It goes out whatever happens to this process. Where the chat has a message that was sent with the same `once` (any text of up
        to 200 characters), nothing is queued and that one is given: who cannot know whether a call succeeded repeats it. Raises
        `NotFound` for no such chat or message, `Malformed` for a text that is empty or too long.
        """
        ...

    @operation
    async def edit(self, chat: str, message_id: str, text: str) -> Message:
        """Replaces the text of an own message; raises `NotFound`, `Malformed`, and `Refused` for one that is no text of one's own."""
        ...

    @operation
    async def withdraw(self, chat: str, message_id: str) -> Message:
        """Takes an own message back, as far as its readers follow that; raises `NotFound`, and `Refused` for another's."""
        ...

    @repeatable
    async def react(self, chat: str, message_id: str, emoji: str, *, remove: bool = False) -> Message:
        """Puts an emoji on a message, or takes it off again; raises `NotFound`, and `Malformed` for what is no emoji."""
        ...

    @repeatable
    async def set_typing(self, chat: str, active: bool) -> None:
        """Tells the peer that something is being written, if they understand that and the settings allow it; kept by nobody."""
        ...

    @operation
    async def outstanding(self, chat: str) -> int:
        """How much of what was said in a chat, messages and what is said about them, is still to be sent.

        For a group it counts what a ban has its server do as well. Some of it may be for people with whom there is no chat.
        """
        ...

    @repeatable
    async def retry(self, message_id: str) -> None:
        """Sends a failed message again, or a queued one at once; raises `NotFound`."""
        ...

    @operation
    async def discard(self, message_id: str) -> None:
        """Deletes a message that was not sent; raises `NotFound` and `Refused`."""
        ...

    @repeatable
    async def mark_read(self, chat: str, up_to: int) -> None:
        """Notes that a chat has been read up to a position; raises `NotFound`."""
        ...

    @repeatable
    async def set_draft(
        self, chat: str, text: str, *, reply_to: str | None = None, edit: DraftEdit | None = None
    ) -> None:
        """Keeps what is being written in a chat, and the id of what it answers; and an `edit` that is written in its stead.

        Sending the text, or making the edit, forgets it. Raises `NotFound`.
        """
        ...

    @repeatable
    async def arrange(
        self, chat: str, *, pinned: bool | None = None, muted: bool | None = None, archived: bool | None = None
    ) -> Chat:
        """Pins, mutes or archives a chat on this device, or not; None leaves it as it is. Raises `NotFound`."""
        ...

    @repeatable
    async def search(
        self, text: str, *, chat: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[Received]:
        """Messages that hold all words of `text` (the last one as a beginning), and phrases in quotation marks, the newest first.

        `before` is a cursor of an earlier answer. Raises `NotFound` for no such chat.
        """
        ...

    @repeatable
    async def acknowledge_alarm(self, chat: str | None) -> None:
        """Notes that a person has seen the alarm about a chat's peer, or (None) about the directory."""
        ...
