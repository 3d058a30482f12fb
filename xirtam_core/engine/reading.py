"""How far chats have been read, agreed on among the account's devices (spec: extensions.md, Own devices)."""

import asyncio

from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_core.protocol.event import is_group
from xirtam_core.protocol.own_device import OwnDeviceEvent
from xirtam_core.storage import chats, early_reads, late_messages, messages
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage

_LONGEST_CHAT = 64
_GATHER_S = 2.0
"""How long reading goes on before the other devices are told, so that scrolling through a chat is one word."""


class ReadEvent(OwnDeviceEvent, frozen=True, tag="read"):
    """A conversation has been read up to and including the message `up_to`, which is `sender`'s."""

    conversation: str
    up_to: Hash
    sender: Username | None = None


class Reading:
    """Tells the other devices what has been read here, and notes what has been read there."""

    def __init__(self, database: Database, own_devices: OwnDevices, controls: Controls) -> None:
        self._database = database
        self._own_devices = own_devices
        self._moved = asyncio.Event()
        self._moved.set()  # what an earlier run has not told
        own_devices.register(ReadEvent, self._take)
        controls.when_stored(self._note)

    def note(self, chat: str, up_to_ns: int) -> int | None:
        """A chat has been read here up to a position; gives the position of the last message that was unread, None for no news.

        Call it in a transaction, and `moved` after that.
        """
        late_ns = late_messages.see(self._database, chat, up_to_ns)
        if chats.mark_read(self._database, chat, up_to_ns):
            return chats.read_up_to_ns(self._database, chat)
        if late_ns is not None:
            self._tell_of(chat, late_ns)
        return late_ns

    def moved(self) -> None:
        """A chat has been read further."""
        self._moved.set()

    async def run(self) -> None:
        """Tells what is read, a little after it is."""
        while True:
            await self._moved.wait()
            await asyncio.sleep(_GATHER_S)
            self._moved.clear()
            self._tell()

    def _tell(self) -> None:
        with self._database.transaction():
            for chat, up_to_ns in chats.untold_reads(self._database):
                self._tell_of(chat, up_to_ns)
                chats.mark_read_told(self._database, chat, up_to_ns)

    def _tell_of(self, chat: str, up_to_ns: int) -> None:
        target = messages.at(self._database, chat, up_to_ns)
        if target is not None:
            self._own_devices.tell(ReadEvent(chat, target, None if is_group(chat) else Username(chat)))

    def _take(self, event: ReadEvent, _sent_at: int, outcome: Outcome) -> None:
        message = messages.find_in_chat(self._database, event.conversation, event.up_to.hex())
        if len(event.conversation) > _LONGEST_CHAT:
            raise Malformed("a chat that cannot be")
        if message is None:
            early_reads.keep(self._database, event.conversation, event.up_to)
        else:
            self._apply(message, outcome)

    def _note(self, message: StoredMessage, outcome: Outcome) -> None:
        if not message.message.mine and early_reads.take(
            self._database, message.message.chat, Hash.from_text(message.message.id)
        ):
            self._apply(message, outcome)

    def _apply(self, message: StoredMessage, outcome: Outcome) -> None:
        chat, position_ns = message.message.chat, message.message.position
        is_further = chats.mark_read(self._database, chat, position_ns)
        if is_further:
            chats.mark_read_told(self._database, chat, position_ns)
        if is_further or late_messages.is_one(self._database, message.row):
            late_messages.see(self._database, chat, position_ns)
            outcome.chats.add(chat)
