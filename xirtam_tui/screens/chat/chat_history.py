"""What was said in one chat, as the transcript asks for it."""

from xirtam_core.chat import Page
from xirtam_tui.bridge import Bridge


class ChatHistory:
    """The messages of the chat of the id `chat`."""

    def __init__(self, bridge: Bridge, chat: str) -> None:
        self._bridge, self._chat = bridge, chat

    async def page(self, *, before: int | None = None, after: int | None = None, limit: int) -> Page:
        """The newest (before a position), or the oldest after one."""
        return await self._bridge.history(self._chat, before=before, after=after, limit=limit)

    async def count(self, *, before: int | None = None) -> int:
        """How many there are, or are before a position."""
        return await self._bridge.count_messages(self._chat, before=before)

    async def position_of(self, number: int) -> int | None:
        """Where the one lies that so many come before."""
        return await self._bridge.position_of(self._chat, number)
