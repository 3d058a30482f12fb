"""What is asked of the engine about messages that are there, and about one that is being written."""

from xirtam_core.chat import Message
from xirtam_tui.bridge.engine import Engine
from xirtam_tui.bridge.safe import safe_message


class Messages:
    """The engine's operations on single messages. All raise what the engine raises."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def find(self, chat: str, message_id: str) -> Message:
        """A message as it is now; raises `NotFound`."""
        return safe_message(await self._engine.message(chat, message_id))

    async def edit(self, chat: str, message_id: str, content: str) -> None:
        """Gives an own message another text."""
        await self._engine.edit(chat, message_id, content)

    async def withdraw(self, chat: str, message_id: str) -> None:
        """Takes an own message back."""
        await self._engine.withdraw(chat, message_id)

    async def react(self, chat: str, message_id: str, emoji: str, *, remove: bool) -> None:
        """Puts an emoji on a message, or takes it off."""
        await self._engine.react(chat, message_id, emoji, remove=remove)

    async def set_typing(self, chat: str, active: bool) -> None:
        """Tells the peer that something is being written, where the settings allow it."""
        await self._engine.set_typing(chat, active)
