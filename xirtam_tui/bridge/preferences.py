"""What is asked of the engine about the account's settings, and about where its chats stand in the list."""

from xirtam_core.settings import Settings
from xirtam_tui.bridge.engine import Engine


class Preferences:
    """What the account's owner has chosen; kept with the account, not with the app."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def settings(self) -> Settings:
        """All settings of the account."""
        return await self._engine.preferences.settings()

    async def change(self, settings: Settings) -> Settings:
        """Keeps and follows these from now on."""
        return await self._engine.preferences.change(settings)

    async def arrange(
        self, chat: str, *, pinned: bool | None = None, muted: bool | None = None, archived: bool | None = None
    ) -> None:
        """Pins, mutes or archives a chat, or not; the change comes with the next batch."""
        await self._engine.arrange(chat, pinned=pinned, muted=muted, archived=archived)
